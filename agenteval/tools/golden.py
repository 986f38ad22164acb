"""A scenario played as it should go: what the oracle says, and what golden history holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from agenteval.match import example_of
from agenteval.messages import Message, ToolCall
from agenteval.script import Expectation, ExpectedAnswer, ExpectedCall, Scenario, Turn
from agenteval.tools.execute import ToolResult, execute
from agenteval.tools.world import World
from agenteval.wording import stem


@dataclass(frozen=True, slots=True)
class GoldenTurn:
    """The user's message, everything that follows until the assistant's answer, and the world after it. `results` are
    those of the expected calls, in their order."""

    user: Message
    messages: tuple[Message, ...]
    world_after: World
    results: tuple[ToolResult, ...]


def play(scenario: Scenario) -> tuple[GoldenTurn, ...]:
    """Every turn of a bound scenario, its expected calls carried out on a fresh world.

    Calls have the ids `call_<turn>_<n>`, from 1. Raises UsageError if a matcher has no example.
    """
    return tuple(rehearse(scenario))


def rehearse(scenario: Scenario) -> Iterator[GoldenTurn]:
    """The turns of `play` one by one, each played when it is asked for."""
    world = World(scenario.world)
    for number, turn in enumerate(scenario.turns, start=1):
        yield _turn(scenario, world, turn, number)


def _turn(scenario: Scenario, world: World, turn: Turn, number: int) -> GoldenTurn:
    messages: list[Message] = []
    results: list[ToolResult] = []
    for calls in _steps(turn.expect, number):
        answers = [execute(scenario, world, call) for call in calls]
        messages.append(Message("assistant", tool_calls=calls))
        messages += map(_read, calls, answers)
        results += answers
    messages.append(Message("assistant", _answer(turn.expect.answer)))
    return GoldenTurn(Message("user", turn.user), tuple(messages), world.copy(), tuple(results))


def _read(call: ToolCall, result: ToolResult) -> Message:
    return Message("tool", result.content, tool_call_id=call.id, failed=result.is_error)


def _steps(expect: Expectation, number: int) -> list[tuple[ToolCall, ...]]:
    calls = tuple(_call(call, f"call_{number}_{place}") for place, call in enumerate(expect.calls or (), start=1))
    return [calls] if expect.parallel and calls else [(call,) for call in calls]


def _call(expected: ExpectedCall, call_id: str) -> ToolCall:
    arguments = example_of(dict(expected.arguments or {}))
    return ToolCall(call_id, expected.name, json.dumps(arguments, ensure_ascii=False))


def _answer(expected: ExpectedAnswer | None) -> str:
    if expected is None or not (expected.example or expected.contains):
        return "Done."
    return expected.example or f"Done: {', '.join(stem(spellings[0]) for spellings in expected.contains)}."
