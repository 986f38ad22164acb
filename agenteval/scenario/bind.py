"""A scenario and a seed → the scenario of one cell, with its values drawn and filled in."""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

from agenteval.canonical import seed_of
from agenteval.errors import UsageError
from agenteval.script import (
    Change,
    ExpectedAnswer,
    ExpectedCall,
    Fact,
    Json,
    MockTool,
    PastTurn,
    Rule,
    Scenario,
    Turn,
    ValueSpec,
)
from agenteval.template import TemplateProblem, as_text, substitute

ATTEMPTS = 100
AT_CALL = frozenset({"args", "world"})
"""What a placeholder in a rule may begin with, beside the scenario's values: known when the tool is called."""


def draw(scenario: Scenario, seed: int) -> dict[str, Json]:
    """The scenario's values under a seed: the same in every process, and different from each other.

    The order in which a file names its values does not matter. Only when a choice has run out may two be equal.
    """
    values: dict[str, Json] = {}
    for name in sorted(scenario.values):
        spec = scenario.values[name]
        tries = (_drawn(spec, seed_of("values", scenario.name, seed, name, attempt)) for attempt in range(ATTEMPTS))
        drawn = _drawn(spec, seed_of("values", scenario.name, seed, name, 0))
        values[name] = next((value for value in tries if value not in values.values()), drawn)
    return values


def _drawn(spec: ValueSpec, seed: int) -> Json:
    rng = random.Random(seed)
    if spec.nonce is None:
        return rng.choice(spec.choice)
    wild = {"#": string.digits, "@": string.ascii_uppercase}
    return "".join(rng.choice(wild[mark]) if mark in wild else mark for mark in spec.nonce)


def bind(scenario: Scenario, seed: int) -> Scenario:
    """The scenario without `${value}` placeholders; `${args…}` and `${world…}` stay until a tool is called."""
    values = draw(scenario, seed)
    try:
        return _bound(scenario, values)
    except TemplateProblem as problem:
        raise UsageError(f"{scenario.source}: {problem}") from problem


def _bound(scenario: Scenario, values: Mapping[str, Json]) -> Scenario:
    def fill(value: Json) -> Json:
        return substitute(value, values)

    def fill_but_call(value: Json) -> Json:
        return substitute(value, values, later=AT_CALL)

    return replace(
        scenario,
        system=as_text(fill(scenario.system)),
        tools=tuple(_tool(tool, fill, fill_but_call) for tool in scenario.tools),
        turns=tuple(_turn(turn, fill) for turn in scenario.turns),
        world=fill(scenario.world),
        values={},
        facts=tuple(_fact(fact, fill) for fact in scenario.facts),
        history=tuple(_past(turn, fill) for turn in scenario.history),
    )


_Fill: TypeAlias = Callable[[Json], Json]


def _tool(tool: MockTool, fill: _Fill, fill_rule: _Fill) -> MockTool:
    spec = tool.spec
    spec = replace(spec, description=as_text(fill(spec.description)), parameters=fill(spec.parameters))
    return MockTool(spec, tuple(_rule(rule, fill_rule) for rule in tool.rules))


def _rule(rule: Rule, fill: _Fill) -> Rule:
    changes = tuple(Change(change.verb, fill(change.target), fill(change.value)) for change in rule.changes)
    error = None if rule.error is None else as_text(fill(rule.error))
    return Rule(fill(rule.when), fill(rule.state), changes, fill(rule.returns), error)


def _turn(turn: Turn, fill: _Fill) -> Turn:
    expect = turn.expect
    return Turn(
        as_text(fill(turn.user)),
        replace(
            expect,
            calls=None if expect.calls is None else tuple(_call(call, fill) for call in expect.calls),
            forbid=tuple(_call(call, fill) for call in expect.forbid),
            answer=_answer(expect.answer, fill) if expect.answer else None,
            state=fill(expect.state),
        ),
    )


def _fact(fact: Fact, fill: _Fill) -> Fact:
    return replace(fact, value=as_text(fill(fact.value)), stale=tuple(as_text(fill(text)) for text in fact.stale))


def _past(turn: PastTurn, fill: _Fill) -> PastTurn:
    calls = (
        replace(call, arguments_text=as_text(fill(call.arguments_text)), result=as_text(fill(call.result)))
        for call in turn.calls
    )
    return replace(turn, user=as_text(fill(turn.user)), answer=as_text(fill(turn.answer)), calls=tuple(calls))


def _call(call: ExpectedCall, fill: _Fill) -> ExpectedCall:
    return ExpectedCall(call.name, fill(call.arguments))


def _answer(answer: ExpectedAnswer, fill: _Fill) -> ExpectedAnswer:
    return ExpectedAnswer(
        tuple(tuple(as_text(fill(text)) for text in spellings) for spellings in answer.contains),
        tuple(as_text(fill(text)) for text in answer.excludes),
        None if answer.example is None else as_text(fill(answer.example)),
    )
