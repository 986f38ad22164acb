"""The reasons not to rank, and what is said then."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agenteval.errors import UsageError
from agenteval.summary import baseline, sides_in, story, versus
from tests.summary.arms import AGAIN, MASK, fails_half, only, ranked, run, steps
from tests.summary.test_compare import run_of

REFUSALS = {
    "not enough scenarios": run(*steps(("full_history", MASK), 12, fails_half, trials=5)),
    "simulated": run(*steps(("full_history", MASK), 24, fails_half), endpoint={"simulated": True}),
    f"{MASK} lacks 1": run(
        *(r for r in steps(("full_history", MASK), 24, fails_half) if r.id != f"s3.off.{MASK}.0.t03.s01.a1"),
        turns={f"s{n}.off.{p}.0": 3 for n in range(24) for p in ("full_history", MASK)},
    ),
    "differs from itself": run(
        *steps(
            ("full_history", MASK, "full_history+again"),
            24,
            lambda policy, number, _: policy == "full_history+again" and number % 2 == 0,
        )
    ),
}


@pytest.mark.parametrize("why", REFUSALS)
def test_nothing_is_ranked_on_sand(why: str) -> None:
    found = ranked(REFUSALS[why])
    assert any(why in reason for reason in found.refusals), found.refusals
    assert {contrast.decision for contrast in found.contrasts} <= {"not ranked", "noise"}
    assert not found.decided


def lost(*cells: str) -> Any:
    """Three policies, of which some lost conversations in their last turn."""
    names = ("full_history", MASK, "sliding_window")
    return run(
        *(r for r in steps(names, 24, fails_half) if not (r.cell in cells and r.turn == 3)),
        turns={f"s{n}.off.{policy}.0": 3 for n in range(24) for policy in names},
    )


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["s3.off.full_history.0"], "full_history lacks 1"),
        (["s3.off.full_history.0", "s3.off.sliding_window.0"], "full_history lacks 1; sliding_window lacks 1"),
        ([f"s3.off.{MASK}.0", f"s4.off.{MASK}.0"], f"{MASK} lacks 2"),
    ],
)
def test_who_lacks_conversations_is_named_and_nobody_else(cells: list[str], said: str) -> None:
    (reason,) = ranked(lost(*cells)).refusals
    assert reason.endswith(f"no accident: {said}")


@pytest.mark.parametrize("why", REFUSALS)
def test_where_nothing_may_be_ranked_stands_no_p(why: str) -> None:
    assert {(contrast.p, contrast.p_holm) for contrast in ranked(REFUSALS[why]).contrasts} == {(None, None)}


def test_sides_that_cannot_be_ranked_have_no_p_and_are_adjusted_for_all_the_same() -> None:
    wrong = lambda policy, number, _: policy == "full_history" and number < 6  # noqa: E731
    idle = [
        replace(item, policy_report={"acted": item.policy == MASK})
        for item in steps(("full_history", MASK, "sliding_window"), 24, wrong)
    ]
    found = ranked(run(*idle))
    assert [(c.p is None, c.p_holm) for c in found.contrasts] == [(False, 4 / 2**6), (True, None)]
    assert any("adjusted for all 2 sides, also for sliding_window" in note for note in found.notes)


def test_an_interval_that_excludes_zero_and_a_test_that_does_not_agree_are_told_apart() -> None:
    wrong = lambda policy, number, _: policy == "full_history" and number < 6  # noqa: E731
    both = ranked(run(*steps(("full_history", MASK, "sliding_window"), 24, wrong)))
    assert all(c.difference and (c.difference.low or 0) > 0 for c in both.contrasts)
    assert all("the interval leaves 0 out, and the adjusted test does not agree" in c.why for c in both.contrasts)
    alone = only(ranked(run(*steps(("full_history", MASK), 24, wrong))))
    assert "agree" not in alone.why


@pytest.mark.parametrize("scenarios", [19, 20])
def test_below_20_scenarios_stand_estimates_and_no_intervals(scenarios: int) -> None:
    found = ranked(run(*steps(("full_history", MASK), scenarios, fails_half, trials=5)))
    shown = only(found)
    told = [item and (item.estimate, item.low is None, item.high is None) for item in (shown.difference, shown.ttft)]
    few = scenarios < 20
    assert told == [(pytest.approx(0.5, abs=0.03), few, few), (1.0, few, few)]
    assert (sum("not enough scenarios" in note for note in found.notes) == 1) == few


def test_an_interval_needs_20_scenarios_of_its_own() -> None:
    """All are paired, and of ten there is a speed in both."""
    records = [
        item if int(item.scenario[1:]) < 10 else replace(item, timing=None)
        for item in steps(("full_history", MASK), 24, fails_half)
    ]
    found = ranked(run(*records))
    contrast = only(found)
    assert (contrast.decision, contrast.difference.low is None) == ("better", False)
    assert (contrast.ttft.estimate, contrast.ttft.low) == (1.0, None)
    assert sum("not enough scenarios" in note for note in found.notes) == 1


def test_simulated_pairs_have_no_statistics() -> None:
    contrast = only(ranked(REFUSALS["simulated"]))
    told = (contrast.p, contrast.p_holm, contrast.difference, contrast.ttft, contrast.decode)
    assert told == (None,) * 5
    assert (contrast.fixed, contrast.failing) == (12, 12)


def test_a_policy_that_hardly_acts_is_not_ranked() -> None:
    records = [
        replace(item, policy_report={"acted": item.scenario == "s1"})
        for item in steps(("full_history", MASK), 24, fails_half)
    ]
    found = ranked(run(*records))
    assert (only(found).decision, only(found).engaged, found.decided) == ("not ranked", 1, False)


def test_a_baseline_that_hardly_acts_ranks_nothing_either() -> None:
    records = [replace(item, policy_report={"acted": False}) for item in steps((MASK, "offload"), 60, lambda *_: False)]
    stored = run(*records)
    sides = sides_in(stored.manifest, stored.records, "policy")
    found = versus(sides, sides[0], "policy")
    assert (only(found).engaged, only(found).decision, found.decided) == (0, "not ranked", False)


def test_where_nothing_is_paired_nothing_is_said_of_acting() -> None:
    played = tuple(steps((MASK,), 24, lambda *_: False))
    stored = run_of(*played, plan={"policies": ("full_history", MASK), "thinking": ("off",)})
    told = " ".join((*story(ranked(stored)), *ranked(stored).notes))
    assert "full_history: no conversation came to its end." in told
    assert "never acted" not in told.lower()


def test_the_baseline_once_more_is_noise_and_no_side() -> None:
    wrong = lambda policy, number, _: policy != MASK and number % 2 == 0 and (policy, number) != (AGAIN, 0)  # noqa: E731
    found = ranked(run(*steps(("full_history", AGAIN, MASK), 24, wrong)))
    noise, mask = found.contrasts
    assert (noise.decision, noise.p_holm) == ("noise", None)
    assert mask.p_holm == pytest.approx(2 / 2**12)
    assert any("Noise floor" in note and "1 of 24" in note for note in found.notes)


def test_a_baseline_that_was_not_played_is_refused() -> None:
    stored = run(*steps(("full_history", MASK), 3, fails_half))
    sides = sides_in(stored.manifest, stored.records, "policy")
    with pytest.raises(UsageError, match="--base 'offload' is none of what is compared: full_history, observation"):
        baseline(sides, "offload")


def test_beside_the_repetition_as_baseline_full_history_is_noise_too() -> None:
    """The same two sides, the other way round: nothing is adjusted for them either."""
    wrong = lambda policy, number, _: policy != MASK and number % 2 == 0  # noqa: E731
    stored = run(*steps(("full_history", AGAIN, MASK), 24, wrong))
    sides = sides_in(stored.manifest, stored.records, "policy")
    found = versus(sides, baseline(sides, AGAIN), "policy")
    assert {c.name: (c.decision, c.p_holm) for c in found.contrasts} == {
        "full_history": ("noise", None),
        MASK: ("better", pytest.approx(2 / 2**12)),
    }
    assert any("Noise floor" in note and "0 of 24" in note for note in found.notes)
