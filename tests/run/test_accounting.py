"""What is counted before a request is what the server is sent."""

from __future__ import annotations

from typing import Any

import pytest

from agenteval.dialects import DIALECTS, ChatRequest, encode, sent_history
from agenteval.messages import Message, ToolCall, Transcript
from agenteval.parsers import FAMILIES
from agenteval.prompts import count_prompt
from agenteval.run import Accountant
from agenteval.run.accounting import Size
from agenteval.simulator.request import Received, read_request
from agenteval.thinking import MODES, Thinking
from agenteval.tokens import vocabulary
from tests.transcripts import READ


def history(arguments: str) -> Transcript:
    """Two turns, both broken off behind a call."""
    turns = []
    for number in ("1", "2"):
        call = ToolCall(f"c{number}", "read_file", arguments)
        turns += [Message("user", f"Read {number}."), Message("assistant", None, f"I think of {number}.", (call,))]
        turns.append(Message("tool", "Error: no file", tool_call_id=call.id))
    return (Message("system", "You are a coding agent."), *turns)


def received(messages: Transcript, thinking: Thinking, family: str) -> Received:
    """The request as it arrives at a server."""
    history = sent_history(messages, thinking, family)
    request = ChatRequest("m", history, (READ,), thinking, 100, 0.0, 7, family=family)
    body: dict[str, Any] = dict(encode(request, DIALECTS["sglang"]).body)
    return read_request(body)


def size(messages: Transcript, thinking: Thinking, family: str | None) -> Size:
    """The request before it is sent."""
    sent = sent_history(messages, thinking, family).messages
    return Accountant(family).scale(thinking).size(sent, (READ,))


@pytest.mark.parametrize("arguments", ['{"path": "a.py"}', '{"path":"src/main.py}', '["a.py"]', ""])
@pytest.mark.parametrize(
    ("family", "thinking"), [*(("glm47", mode) for mode in MODES), ("harmony", "on")], ids=lambda value: str(value)
)
def test_prompts_are_counted_as_they_are_sent(family: str, thinking: Thinking, arguments: str) -> None:
    messages = history(arguments)
    arrived = received(messages, thinking, family)
    there = count_prompt(
        family,
        arrived.messages,
        arrived.tools,
        vocabulary(FAMILIES[family].special),
        thinking=arrived.thinking,
        keep_reasoning=arrived.keep_reasoning,
    )
    assert size(messages, thinking, family).counted == there


def test_without_a_family_the_characters_are_those_that_are_sent() -> None:
    broken, repaired = (size(history(text), "off", None) for text in ('{"path": "sr', "{}"))
    assert broken.counted is None
    assert broken.units == repaired.units
