"""The scripted model's summaries: of what it received, a former summary in a note included."""

from __future__ import annotations

from agenteval.context.words import END, NOTE
from agenteval.messages import Message
from agenteval.simulator.request import read_request
from agenteval.simulator.summary import summary_of
from tests.simulator.asking import body

ORDER = Message("user", "Write a summary. At most 60 words.")


def summary(goal: str) -> str:
    return summary_of(read_request(body((Message("system", "Be good."), Message("user", goal), ORDER))))


def test_a_summary_of_a_summary_takes_its_lines_over_and_not_the_harness_marks() -> None:
    """Else the second compaction of a conversation is refused, and none ever takes place."""
    goal = f"Find amber.\n\n{NOTE}\nSummary:\nFacts:\n- result: A1234\n- used ship\n{END}"
    assert summary(goal).splitlines()[1:] == ["- asked: Find amber.", "- result: A1234", "- used ship"]


def test_a_long_message_keeps_its_beginning() -> None:
    assert summary("word " * 80).splitlines()[1:] == [f"- asked: {'word ' * 80}"[:162]]
