"""A harness that distrusts itself: the oracle scores everything, and stub models score what a person predicts."""

from __future__ import annotations

import pytest

from agenteval.run import Cell
from agenteval.script import Turn
from tests.stubs import REFUSAL, STUBS, Score, cells, oracle_score, stub_score

CELLS = {cell.scenario.name: cell for cell in cells()}


def needs_nothing(turn: Turn) -> bool:
    """A turn that a model passes by refusing politely: no call, no word and no state is asked for."""
    expect = turn.expect
    answered = expect.answer is None or (
        all(any(word in REFUSAL for word in spellings) for spellings in expect.answer.contains)
        and not any(w in REFUSAL for w in expect.answer.excludes)
    )
    return not expect.calls and answered and not expect.state


@pytest.mark.parametrize("name", CELLS)
def test_the_oracle_passes_every_turn(name: str) -> None:
    cell = CELLS[name]
    turns = len(cell.scenario.turns)
    assert oracle_score(cell) == Score(turns, turns, turns)


@pytest.mark.parametrize("name", CELLS)
def test_a_model_that_never_calls_passes_the_turns_that_ask_for_nothing(name: str) -> None:
    cell = CELLS[name]
    score = stub_score(cell, STUBS["never calls a tool"])
    lucky = sum(bool(turn.expect.state) and not turn.expect.calls for turn in cell.scenario.turns)
    floor = sum(map(needs_nothing, cell.scenario.turns))
    assert floor <= score.ok <= floor + lucky
    assert score.judged == score.turns


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("stub", ["always calls the first tool", "repeats the last call"])
def test_a_model_that_never_stops_calling_passes_nothing(name: str, stub: str) -> None:
    score = stub_score(CELLS[name], STUBS[stub])
    assert (score.ok, score.judged) == (0, score.turns)


@pytest.mark.parametrize("name", CELLS)
def test_a_server_that_always_refuses_is_not_judged(name: str) -> None:
    score = stub_score(CELLS[name], STUBS["always answers 400"])
    assert (score.ok, score.judged) == (0, 0)


def by_chance(cell: Cell) -> int:
    """Turns that one random call can pass: a single call of a tool that needs no particular argument, no words."""
    return sum(
        len(turn.expect.calls or ()) <= 1 and (turn.expect.answer is None or not turn.expect.answer.contains)
        for turn in cell.scenario.turns
    )


@pytest.mark.parametrize("name", CELLS)
def test_random_calls_pass_at_most_what_chance_allows(name: str) -> None:
    score = stub_score(CELLS[name], STUBS["calls at random, by schema"])
    assert score.judged == score.turns
    assert score.ok <= by_chance(CELLS[name])
