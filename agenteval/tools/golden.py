"""The golden conversation: every expected call made as expected, on a fresh world."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agenteval.match import example_of
from agenteval.messages import Message, ToolCall
from agenteval.script import Expectation, ExpectedCall, Scenario, Turn
from agenteval.tools.execute import execute
from agenteval.tools.world import World


@dataclass(frozen=True, slots=True)
class GoldenTurn:
    """One turn as it should go: the user's message, all that follows, and the world afterwards."""

    user: Message
    messages: tuple[Message, ...]
    world_after: World


def play(scenario: Scenario) -> tuple[GoldenTurn, ...]:
    """All turns of a bound scenario. Open matchers stand as their examples; calls have ids `call_<turn>_<n>`."""
    world = World(scenario.world)
    turns = []
    for number, turn in enumerate(scenario.turns, start=1):
        messages = tuple(_messages(scenario, world, turn, number))
        turns.append(GoldenTurn(Message("user", turn.user), messages, world.copy()))
    return tuple(turns)


def _messages(scenario: Scenario, world: World, turn: Turn, number: int) -> Iterator[Message]:
    calls = [_call(call, f"call_{number}_{at}") for at, call in enumerate(turn.expect.calls or (), start=1)]
    for step in _steps(calls, turn.expect):
        yield Message("assistant", tool_calls=tuple(step))
        for call in step:
            yield Message("tool", execute(scenario, world, call).content, tool_call_id=call.id)
    yield Message("assistant", _answer(turn.expect))


def _steps(calls: Sequence[ToolCall], expect: Expectation) -> list[Sequence[ToolCall]]:
    if expect.parallel and calls:
        return [calls]
    return [[call] for call in calls]


def _call(expected: ExpectedCall, call_id: str) -> ToolCall:
    arguments = example_of(dict(expected.arguments or {}))
    return ToolCall(call_id, expected.name, json.dumps(arguments, ensure_ascii=False))


def _answer(expect: Expectation) -> str:
    answer = expect.answer
    if answer is not None and answer.example is not None:
        return answer.example
    if answer is not None and answer.contains:
        return f"Done: {', '.join(answer.contains)}."
    return "Done."
