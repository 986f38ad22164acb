"""Planted causes of failure: on exactly above their limit, and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from agenteval.messages import Message, ToolCall
from agenteval.simulator import PROFILES
from agenteval.simulator.ailments import KINDS, Ailment, Effect, Symptoms, effect_on
from tests.simulator.asking import ask, ask_all, body, engine, history, profile, script

MODES: dict[str, dict[str, Any]] = {
    "off": {},
    "on": {"chat_template_kwargs": {"enable_thinking": True}},
    "preserved": {"chat_template_kwargs": {"enable_thinking": True, "clear_thinking": False}},
}
LOT = script().values[0]


def test_the_default_deployment_breaks_above_three_thousand_tokens() -> None:
    (ailment,) = PROFILES["glm47-4x-spark"].ailments
    assert (ailment.kind, ailment.limit) == ("breaks_above_tokens", 3000)
    assert PROFILES["healthy"].ailments == ()
    assert PROFILES["healthy"].pace is PROFILES["glm47-4x-spark"].pace


def assistant(content: str | None, *arguments: str, reasoning: str | None = None) -> Message:
    calls = tuple(ToolCall(f"c{at}", "look", text) for at, text in enumerate(arguments))
    return Message("assistant", content, reasoning, calls)


SYMPTOMS = Symptoms(
    prompt_tokens=10,
    messages=(
        Message("user", "Look."),
        assistant(None, "{}", '{"a": 1}', '{"a": 2}'),
        *[Message("tool", "Error: nothing is there")] * 3,
        assistant(None),
        Message("user", "Look again."),
        assistant(None, '{"a": 3}', reasoning="Hm."),
        Message("tool", "x" * 50, tool_call_id="c0"),
        assistant("", '{"a": 4}', '{"a": 5}'),
        *[Message("tool", "It says Error: here")] * 2,
    ),
    thinking=True,
    stale=7,
)
MEASURED = {
    "breaks_above_tokens": 10,
    "breaks_above_tool_messages": 6,
    "null_content": 2,
    "string_arguments": 5,
    "reasoning_lost": 1,
    "own_bad_calls": 3,
    "stale_value": 7,
    "large_result": 50,
}
"""What each kind measures of the symptoms."""
COUNTED = ("breaks_above_tokens", "breaks_above_tool_messages")


def test_every_kind_has_a_measure() -> None:
    assert {kind: measure(SYMPTOMS) for kind, measure in KINDS.items()} == MEASURED
    assert KINDS["reasoning_lost"](replace(SYMPTOMS, thinking=False)) == 0


@pytest.mark.parametrize("kind", COUNTED)
def test_an_ailment_strikes_exactly_above_its_limit(kind: str) -> None:
    symptoms = Symptoms(10, (Message("user"), *[Message("tool")] * 10))
    assert effect_on(symptoms, (Ailment(kind, 10),)) is None
    assert effect_on(symptoms, (Ailment(kind, 9, "call_as_text"), Ailment(kind, 8))) == "call_as_text"


def limit_at(kind: str, request: Mapping[str, Any]) -> int:
    """What a request measures, by the server's own counts."""
    if kind == "breaks_above_tokens":
        return int(ask(request).counts["prompt_tokens"])
    return sum(message["role"] == "tool" for message in request["messages"])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("effect", ["prose", "call_as_text"])
@pytest.mark.parametrize("kind", COUNTED)
def test_calls_break_above_the_limit_and_not_at_it(kind: str, effect: Effect, mode: str) -> None:
    request = body(history(3), **MODES[mode])
    measured = limit_at(kind, request)
    at_limit = ask(request, engine(profile(Ailment(kind, measured, effect))))
    above = ask(request, engine(profile(Ailment(kind, measured - 1, effect))))
    assert at_limit.names == ["close_lot"]
    assert (above.calls, above.finish) == ([], "stop")
    assert bool(above.reasoning) is (mode != "off")
    if effect == "call_as_text":
        assert json.loads(above.content) == {"name": "close_lot", "arguments": {"id": LOT, "reason": "empty"}}
    else:
        assert above.content
        assert "{" not in above.content


def test_an_ailment_leaves_answers_alone() -> None:
    sick = engine(profile(Ailment("breaks_above_tokens", 0)))
    assert ask(body(history(2)), sick).content == "I cannot see that from here."
    assert ask(body(history(3, 2)), sick).content == f"Lot {LOT} is closed."


def test_an_ailment_remembers_nothing() -> None:
    sick = engine(profile(Ailment("breaks_above_tool_messages", 0)))
    later, earlier = ask_all([body(history(3)), body(history(1))], sick)
    assert (later.names, earlier.names) == ([], ["find_lot"])
