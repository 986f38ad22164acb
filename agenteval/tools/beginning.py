"""What stands in a conversation before turn 1: the system prompt, and the history that a scenario begins with."""

from __future__ import annotations

from collections.abc import Iterator

from agenteval.messages import Message, ToolCall, Transcript
from agenteval.script import PastTurn, Scenario


def beginning(scenario: Scenario, line: str = "") -> Transcript:
    """The messages of a bound scenario before turn 1; `line` stands before its system prompt.

    Calls of the history have the ids `call_0_<n>`, from 1.
    """
    numbers = iter(range(1, 1 + sum(len(turn.calls) for turn in scenario.history)))
    past = (message for turn in scenario.history for message in _played(turn, numbers))
    return (Message("system", line + scenario.system), *past)


def _played(turn: PastTurn, numbers: Iterator[int]) -> Iterator[Message]:
    yield Message("user", turn.user)
    made = [(ToolCall(f"call_0_{next(numbers)}", call.name, call.arguments_text), call) for call in turn.calls]
    for step in [made] if turn.parallel and made else [[one] for one in made]:
        yield Message("assistant", tool_calls=tuple(call for call, _ in step))
        yield from (Message("tool", past.result, tool_call_id=call.id, failed=past.failed) for call, past in step)
    yield Message("assistant", turn.answer)
