"""A harness that distrusts itself: the oracle scores everything, and stub models score what a person predicts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agenteval.run import Cell
from agenteval.script import Turn
from agenteval.wording import says
from tests.stubs import DONE, QUESTION, REFUSAL, STUBS, Score, cells, oracle_score, stub_score

CELLS = {cell.scenario.name: cell for cell in cells()}
KINDS = [name for name, cell in CELLS.items() if "context" not in cell.scenario.tags or name.startswith("ages-")]
"""For the stubs that take long: of the context suite, whose tools and turns are much alike, two stand for all."""


def is_content_with(text: str, turn: Turn) -> bool:
    """Whether a turn can be passed by saying just this: no call, no other word and no state is asked for."""
    expect = turn.expect
    answered = expect.answer is None or (
        all(says(text, spellings) for spellings in expect.answer.contains) and not says(text, expect.answer.excludes)
    )
    return not expect.calls and answered


@pytest.mark.parametrize("name", CELLS)
def test_the_oracle_passes_every_turn(name: str) -> None:
    cell = CELLS[name]
    turns = len(cell.scenario.turns)
    assert oracle_score(cell) == Score(turns, turns, turns)


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize(("stub", "text"), [("never calls a tool", REFUSAL), ("always asks back", QUESTION)])
def test_a_model_that_only_talks_passes_the_turns_that_are_content_with_it(name: str, stub: str, text: str) -> None:
    score = stub_score(CELLS[name], STUBS[stub])
    content = [turn for turn in CELLS[name].scenario.turns if is_content_with(text, turn)]
    assert sum(not turn.expect.state for turn in content) <= score.ok <= len(content)
    assert score.judged == score.turns


def test_asking_back_is_right_only_where_something_is_missing() -> None:
    """Every bundled turn that a question passes is one whose point is a question."""
    passed = {
        (name, number)
        for name, cell in CELLS.items()
        for number, turn in enumerate(cell.scenario.turns, start=1)
        if is_content_with(QUESTION, turn)
    }
    assert passed == {("clinic-call", 1), ("clinic-call", 2), ("desk-asks", 1), ("desk-asks", 3)}


@pytest.mark.parametrize("name", CELLS)
def test_a_model_that_echoes_passes_no_turn_in_which_something_is_to_be_done(name: str) -> None:
    score = stub_score(CELLS[name], STUBS["echoes the conversation"])
    assert score.ok <= sum(not turn.expect.calls for turn in CELLS[name].scenario.turns)
    assert score.judged == score.turns


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("stub", ["calls the first tool once", "repeats the last call once"])
def test_one_call_that_is_always_the_same_passes_only_where_it_is_the_right_one(name: str, stub: str) -> None:
    scenario = CELLS[name].scenario
    first = scenario.tools[0].spec
    fits = sum(
        {call.name for call in turn.expect.calls or ()} <= {first.name} and is_content_with(DONE, without_calls(turn))
        for turn in scenario.turns
    )
    score = stub_score(CELLS[name], STUBS[stub])
    assert score.ok <= fits
    assert score.judged == score.turns


def without_calls(turn: Turn) -> Turn:
    return replace(turn, expect=replace(turn.expect, calls=None))


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("stub", ["always calls the first tool", "repeats the last call"])
def test_a_model_that_never_stops_calling_passes_nothing(name: str, stub: str) -> None:
    score = stub_score(CELLS[name], STUBS[stub])
    assert (score.ok, score.judged) == (0, score.turns)


@pytest.mark.parametrize("name", KINDS)
def test_a_server_that_always_refuses_is_not_judged(name: str) -> None:
    score = stub_score(CELLS[name], STUBS["always answers 400"])
    assert (score.ok, score.judged) == (0, 0)


def by_chance(cell: Cell) -> int:
    """Turns that one random call can pass: a single call of a tool that needs no particular argument, no words."""
    return sum(
        len(turn.expect.calls or ()) <= 1 and (turn.expect.answer is None or not turn.expect.answer.contains)
        for turn in cell.scenario.turns
    )


@pytest.mark.parametrize("name", KINDS)
def test_random_calls_pass_at_most_what_chance_allows(name: str) -> None:
    score = stub_score(CELLS[name], STUBS["calls at random, by schema"])
    assert score.judged == score.turns
    assert score.ok <= by_chance(CELLS[name])
