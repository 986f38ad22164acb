"""Scenarios that begin alike are told apart: each is played in a library of many as it is alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from agenteval.context import Budget, View, build_policy
from agenteval.dialects import sent_history
from agenteval.messages import Message, Transcript
from agenteval.run import Cell, Plan, expand
from agenteval.scenario import load_suite
from agenteval.simulator.model import ScriptedModel
from agenteval.simulator.recall import message_text
from agenteval.simulator.request import Received, read_request
from agenteval.tools import beginning, play
from tests.simulator.asking import body

SUITE = load_suite("context").scenarios
SMALL = tuple(scenario for scenario in SUITE if not scenario.name.endswith(("-8k", "-16k")))
CELLS = expand(Plan(SMALL, ("off",), ("full_history",), 1, 0))
UNBOUND = {scenario.name: scenario for scenario in SUITE}
SHORT = 700


@cache
def together() -> ScriptedModel:
    """Knows the whole suite: all but two of its files have the same system prompt and much the same tools."""
    return ScriptedModel(SUITE)


def places(cell: Cell) -> Iterator[tuple[Transcript, Message]]:
    """Each place where the model speaks when all goes well: what was said before, and what it says."""
    history: Transcript = sent_history(beginning(cell.scenario), "off", None).messages
    for turn in play(cell.scenario):
        history = (*history, turn.user)
        for message in turn.messages:
            if message.role == "assistant":
                yield history, message
            history = (*history, message)


def views(cell: Cell, policy: str) -> Iterator[tuple[Transcript, Message]]:
    """The same as a policy lets it through."""
    shown = build_policy(policy)
    state = shown.begin()
    for history, said in places(cell):
        view = shown.step(history, state, Budget(), tokens)
        assert isinstance(view, View)
        state = view.state
        yield view.messages, said


def tokens(messages: Transcript) -> int:
    return sum(len(message_text(message)) for message in messages) // 4


def reply(model: ScriptedModel, asked: Received, messages: Transcript) -> Message:
    return model.reply(
        replace(asked, messages=messages), lambda _: None, lambda: "\n".join(map(message_text, messages))
    )


def question(cell: Cell) -> Received:
    return read_request(body((Message("user", ""),), cell.scenario, seed=cell.seed))


def spoken(message: Message) -> tuple[str | None, list[tuple[str, str]]]:
    return message.content, [(call.name, call.arguments_text) for call in message.tool_calls]


def test_every_scenario_of_a_suite_is_played_to_its_end() -> None:
    for cell in CELLS:
        asked = question(cell)
        for history, said in places(cell):
            assert spoken(reply(together(), asked, history)) == spoken(said), cell.id


def test_where_much_is_dropped_each_is_still_played_as_it_is_alone() -> None:
    """What is lost is invented, and there a twin invents as well."""
    forgot = 0
    for cell in CELLS:
        alone, asked = ScriptedModel([UNBOUND[cell.scenario.name]]), question(cell)
        for view, said in views(cell, f"sliding_window:trigger={SHORT},target=200,min_reclaim=60,keep_last=1"):
            right = spoken(reply(alone, asked, view)) == spoken(said)
            assert (spoken(reply(together(), asked, view)) == spoken(said)) is right, cell.id
            forgot += not right
    assert forgot, "the policy dropped nothing that was needed"
