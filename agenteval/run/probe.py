"""Does preserved reasoning reach the prompt? Ask once more without it and compare the server's prompt tokens."""

from __future__ import annotations

from dataclasses import replace

from agenteval.dialects import sent_history
from agenteval.messages import Transcript
from agenteval.run.ask import Answered, Question, ask
from agenteval.run.desk import Desk
from agenteval.run.retries import Retries


async def probe_reasoning(question: Question, desk: Desk) -> None:
    """Send a question again without any reasoning, once and for one token; the journal's `probe` line holds the count.

    To be done when a cell is over: another prompt in between would change the server's prefix cache, and with it the
    TTFT of the next step.
    """
    bare = _without_reasoning(question.view.messages)
    view, sent = replace(question.view, messages=bare), sent_history(bare, question.cell.thinking, desk.family)
    probe = replace(question, view=view, sent=sent, purpose="probe", max_tokens=1, expected=None)
    answered = await ask(probe, replace(desk, retries=Retries(times=0)))
    if isinstance(answered, Answered):
        desk.journal(answered.record, answered.attempt.recording)


def _without_reasoning(messages: Transcript) -> Transcript:
    return tuple(replace(message, reasoning=None) for message in messages)
