"""How a model may behave in one turn of a bundled scenario, and what the judge says about it.

The turn begins as if all had gone well before it; its calls are made one after the other, as if by one model.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from agenteval.messages import Message, ToolCall, Transcript
from agenteval.outcome import Finding
from agenteval.scenario import bind, bundled_names, draw, load_suite
from agenteval.scoring import Progress, StepContext, judge_end, judge_step
from agenteval.script import Scenario
from agenteval.stream import CallReply, Reply
from agenteval.template import as_text, substitute
from agenteval.tools import GoldenTurn, World, beginning, execute, play

Made = tuple[str, dict[str, Any]]
"""A call: the tool's name and its arguments; `${value}` in them stands for the scenario's value."""


@cache
def unbound() -> dict[str, Scenario]:
    return {item.name: item for name in bundled_names() for item in load_suite(name).scenarios}


@cache
def bound(name: str) -> tuple[Scenario, tuple[GoldenTurn, ...]]:
    scenario = bind(unbound()[name], 0)
    return scenario, play(scenario)


def golden_calls(name: str, turn: int) -> list[Made]:
    """The calls that are expected in a turn, from 1."""
    messages = bound(name)[1][turn - 1].messages
    return [(call.name, json.loads(call.arguments_text)) for message in messages for call in message.tool_calls]


def findings(name: str, turn: int, answer: str, calls: Sequence[Made] | None = None) -> list[Finding]:
    """What is wrong with a turn in which these calls are made (None: the expected ones) and this is said at its end."""
    scenario, golden = bound(name)
    values = draw(unbound()[name], 0)
    world = golden[turn - 2].world_after.copy() if turn > 1 else World(scenario.world)
    expect = scenario.turns[turn - 1].expect
    view = _history(name, turn)
    progress, found = Progress.begin(expect), list[Finding]()
    said = as_text(substitute(answer, values))
    made = golden_calls(name, turn) if calls is None else substitute([list(call) for call in calls], values)
    replies = [_calling(tool, arguments, at) for at, (tool, arguments) in enumerate(made)]
    for reply in (*replies, Reply(content=said, finish_reason="stop")):
        context = StepContext(expect, scenario.tool_specs, view, "off", True, {})
        judgement = judge_step(reply, context, progress)
        progress = judgement.progress
        found += judgement.findings
        for call in reply.tool_calls:
            sent = ToolCall(call.id or "", call.name or "", call.arguments_text)
            result = execute(scenario, world, sent)
            view = (
                *view,
                Message("assistant", tool_calls=(sent,)),
                Message("tool", result.content, tool_call_id=sent.id),
            )
    return [*found, *judge_end(said, world.state, expect)]


def _calling(tool: str, arguments: dict[str, Any], at: int) -> Reply:
    text = json.dumps(arguments, ensure_ascii=False)
    return Reply(tool_calls=(CallReply(f"id{at}", tool, text, 0),), finish_reason="tool_calls")


def _history(name: str, turn: int) -> Transcript:
    scenario, golden = bound(name)
    past = (message for done in golden[: turn - 1] for message in (done.user, *done.messages))
    return (*beginning(scenario), *past, golden[turn - 1].user)
