"""Rankings that a person can check in the head."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agenteval.store import StoredRun
from agenteval.summary import Versus, in_words, planned_otherwise, sides_of_runs, story, versus
from tests.summary.arms import MASK, fails_half, only, only_side, ranked, run, steps


def test_what_repairs_half_of_the_scenarios_is_better() -> None:
    found = ranked(run(*steps(("full_history", MASK), 24, fails_half)))
    contrast = only(found)
    assert (contrast.repaired, contrast.broke, contrast.fixed, contrast.failing) == (12, 0, 12, 12)
    assert contrast.p == contrast.p_holm == pytest.approx(2 / 2**12)
    assert contrast.difference.estimate == 0.5
    assert (contrast.decision, found.decided, found.worse) == ("better", True, False)
    assert any("fixes 12 of 12 failing turns" in line and "better than full_history" in line for line in story(found))


def test_what_breaks_half_of_the_scenarios_is_worse() -> None:
    found = ranked(run(*steps(("full_history", MASK), 24, lambda p, n, _: p == MASK and n % 2 == 0)))
    assert (only(found).decision, found.worse) == ("worse", True)


def test_what_is_never_different_is_as_good_only_within_what_so_many_scenarios_show() -> None:
    few = only(ranked(run(*steps(("full_history", MASK), 40, lambda *_: False))))
    many = only(ranked(run(*steps(("full_history", MASK), 60, lambda *_: False))))
    assert (few.decision, many.decision) == ("undecided", "as good")
    generous = only(ranked(run(*steps(("full_history", MASK), 24, lambda *_: False)), margin=0.2))
    assert generous.decision == "as good"


def test_several_sides_are_adjusted_for() -> None:
    """Six conversations repaired, none broken: enough for one side, not for two."""
    wrong = lambda policy, number, _: policy == "full_history" and number < 6  # noqa: E731
    alone = only(ranked(run(*steps(("full_history", MASK), 24, wrong))))
    both = ranked(run(*steps(("full_history", MASK, "sliding_window"), 24, wrong)))
    assert (alone.p_holm, alone.decision) == (2 / 2**6, "better")
    assert [(c.p_holm, c.decision) for c in both.contrasts] == [(4 / 2**6, "as good")] * 2


def test_what_so_few_pairs_could_hardly_show_is_not_ranked() -> None:
    """Two of 24 differ: neither is anything shown, nor could much have been. Trials of the same scenarios help here."""
    wrong = lambda policy, number, _: number == (policy == MASK)  # noqa: E731
    found = ranked(run(*steps(("full_history", MASK), 24, wrong)))
    assert (only(found).detectable, only(found).decision, found.decided) == (0.31, "not ranked", False)
    assert "24 such pairs find only one from 31 points on, where 30 are asked for" in only(found).why
    assert "24 pairs find a difference of 31 points (four times out of five, at 5 %, if as many" in found.power
    more = ranked(run(*steps(("full_history", MASK), 24, wrong, trials=3)))
    assert (only(more).decision, round(only(more).detectable, 2)) == ("undecided", 0.23)


def test_noise_and_further_sides_take_power_away() -> None:
    sides = ("full_history", MASK, "sliding_window")
    one, two = (ranked(run(*steps(names, 60, lambda *_: False))).contrasts[0] for names in (sides[:2], sides))
    again = steps((*sides[:2], "full_history+again"), 60, lambda p, n, _: n // 9 == p.endswith("+again"))
    loud = only_side(ranked(run(*again)), MASK)
    assert (one.detectable, two.detectable, loud.detectable) == (0.13, 0.15, 0.21)
    assert "(four times out of five, at 5 % over all 2 sides" in ranked(run(*steps(sides, 60, lambda *_: False))).power


def test_what_is_shown_is_said_although_another_side_finds_no_place() -> None:
    records = steps(("full_history", MASK, "sliding_window"), 40, lambda p, n, _: p == MASK and n % 2 == 0)
    found = ranked(run(*records))
    assert {item.name: item.decision for item in found.contrasts} == {MASK: "worse", "sliding_window": "undecided"}
    assert not found.decided
    assert in_words(found) == (
        "Not all sides found their place: sliding_window.",
        f"What is shown all the same, beside full_history: {MASK} is worse.",
    )


def test_nothing_is_refused_or_tested_where_no_ranking_is_asked_for() -> None:
    found = ranked(run(*steps(("full_history", MASK, "full_history+again"), 3, fails_half)), ranked=False)
    assert (found.refusals, found.power, only_side(found, MASK).p) == ((), "", None)


def test_where_all_found_their_place_nothing_is_said_before() -> None:
    assert in_words(ranked(run(*steps(("full_history", MASK), 24, fails_half)))) == ()


def two(base: StoredRun, new: StoredRun) -> Versus:
    sides = sides_of_runs({"BASE": base, "NEW": new})
    return versus(sides, sides[0], "run")


def test_what_only_one_run_planned_is_not_lacking() -> None:
    """30 scenarios once, beside 24 of them and 2 others, three times."""
    other = [
        replace(item, scenario=f"other {item.scenario}", cell=f"other {item.cell}")
        for item in steps((MASK,), 2, lambda *_: False, trials=3)
    ]
    base = run(*steps((MASK,), 30, fails_half))
    found = two(base, run(*steps((MASK,), 24, fails_half, trials=3), *other))
    contrast = only(found)
    assert (contrast.pairs, contrast.missing, contrast.only_base, contrast.only_here) == (24, 0, 6, 54)
    assert not found.refusals
    assert any("Planned in BASE only: 6 conversations; in NEW only: 54." in note for note in found.notes)


def test_what_both_planned_and_one_lost_is_lacking() -> None:
    played = tuple(steps((MASK,), 24, fails_half))
    lost = tuple(item for item in played if item.scenario != "s3")
    new = run(*lost, scenarios={"s3": "sha256:1"})
    found = two(run(*played), new)
    assert (only(found).pairs, only(found).missing) == (23, 1)
    assert any("NEW lacks 1" in reason for reason in found.refusals)


INVALID: dict[str, Any] = {"client": {"valid": False}}
OBSTACLES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "The latencies of NEW are invalid (a busy client): speeds are not compared.": ({}, INVALID),
    "The latencies of BASE and NEW are invalid (a busy client): speeds are not compared.": (INVALID, INVALID),
    "The client was another machine (x86_64 in BASE, aarch64 in NEW): speeds are not compared.": (
        {"versions": {"machine": "x86_64"}},
        {"versions": {"machine": "aarch64"}},
    ),
    "Only one of the runs is simulated: their speeds are not compared.": ({}, {"endpoint": {"simulated": True}}),
}


@pytest.mark.parametrize("why", OBSTACLES)
def test_speeds_that_cannot_be_compared_are_not(why: str) -> None:
    base, new = (run(*steps((MASK,), 24, fails_half), **changes) for changes in OBSTACLES[why])
    found = two(base, new)
    assert why in found.notes
    assert (only(found).ttft, only(found).decode) == (None, None)
    assert {(side.cost.ttft_ms, side.cost.decode_tok_s, bool(side.cost.ttft_by_turn)) for side in found.sides} == {
        (None, None, False)
    }


def test_speeds_of_a_busy_client_rank_no_policies_either() -> None:
    found = ranked(run(*steps(("full_history", MASK), 24, fails_half), **INVALID))
    assert (only(found).ttft, only(found).decision) == (None, "better")
    assert "The latencies of this run are invalid (a busy client): speeds are not compared." in found.notes


def test_speeds_are_compared_where_nothing_is_in_the_way() -> None:
    contrast = only(two(*(run(*steps((MASK,), 24, fails_half)) for _ in "ab")))
    assert contrast.ttft.estimate == 1.0


def test_what_else_differs_between_runs_is_told() -> None:
    base, new = run(*steps((MASK,), 2, fails_half)), run(*steps((MASK,), 2, fails_half), endpoint={"model": "n"})
    notes = planned_otherwise((base, new), "run", "BASE", 0.05)
    assert "What is not the same in both runs: model: m → n." in notes
