"""Statistics of pairs, against scipy, against published figures, and at their edges."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, multinomial

from agenteval.paired import (
    clustered_p,
    detectable,
    detectable_between,
    holm,
    mcnemar,
    mean_ratio,
    power,
    risk_difference,
)


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_the_binomial_test_of_the_discordant_pairs(repaired: int, broke: int) -> None:
    n = repaired + broke
    assert mcnemar(repaired, broke) == pytest.approx(binomtest(repaired, n).pvalue if n else 1.0)


def test_holm_steps_down() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx((0.03, 0.06, 0.06))
    assert holm([]) == ()
    assert holm([0.9, 0.8]) == (1.0, 1.0)


@given(st.lists(st.floats(0, 1), min_size=1))
def test_holm_only_raises_and_keeps_the_order(ps: list[float]) -> None:
    adjusted = holm(ps)
    assert all(p <= after <= 1 for p, after in zip(ps, adjusted, strict=True))
    assert sorted(range(len(ps)), key=lambda at: (ps[at], at)) == sorted(
        range(len(ps)), key=lambda at: (adjusted[at], ps[at], at)
    )


def test_trials_of_one_scenario_do_not_narrow_an_interval_as_scenarios_do() -> None:
    once = risk_difference({str(n): [float(n < 6)] for n in range(24)})
    often = risk_difference({str(n): [float(n < 6)] * 20 for n in range(24)})
    assert once is not None
    assert once == often


def test_agreement_in_all_of_few_scenarios_is_not_certainty() -> None:
    same = risk_difference({str(n): [0.0] for n in range(24)})
    assert same is not None
    assert same.low < -0.05 < same.estimate == 0.0 < 0.05 < same.high


def test_one_scenario_has_no_interval() -> None:
    assert risk_difference({"s": [1.0, 0.0, 1.0]}) is None
    assert mean_ratio({"s": [1.5]}) is None


def test_a_ratio_is_the_same_from_both_ends() -> None:
    ratios = {str(n): [1.1 + n / 10] for n in range(12)}
    there, back = (
        mean_ratio(ratios),
        mean_ratio({name: [1 / value for value in found] for name, found in ratios.items()}),
    )
    assert there is not None
    assert back is not None
    assert (there.estimate, there.low, there.high) == pytest.approx((1 / back.estimate, 1 / back.high, 1 / back.low))


def test_many_trials_of_two_scenarios_are_two_scenarios() -> None:
    two = {"a": [1.0] * 20, "b": [0.0] * 20}
    assert mcnemar(20, 0) < 0.001
    assert clustered_p(two) > 0.3


@pytest.mark.parametrize("scenarios", [20, 24, 40])
@pytest.mark.parametrize(("better", "worse"), [(0.17, 0.17), (0.25, 0.12), (0.35, 0.06), (0.1, 0.26)])
def test_intervals_of_single_trials_hold_the_truth_in_93_to_97_percent(
    scenarios: int, better: float, worse: float
) -> None:
    """Exactly: every number of scenarios repaired and broken there is, with its chance."""
    held = 0.0
    for repaired in range(scenarios + 1):
        for broke in range(scenarios - repaired + 1):
            differences = [1.0] * repaired + [-1.0] * broke + [0.0] * (scenarios - repaired - broke)
            found = risk_difference({str(at): [value] for at, value in enumerate(differences)})
            assert found is not None
            if found.low <= better - worse <= found.high:
                counts, chances = (repaired, broke, scenarios - repaired - broke), (better, worse, 1 - better - worse)
                held += multinomial.pmf(counts, scenarios, chances)
    assert 0.93 <= held <= 0.97


def test_the_clustered_test_and_its_interval_say_the_same() -> None:
    for repaired in range(24):
        clusters = {str(n): [float(n < repaired)] for n in range(24)}
        interval = risk_difference(clusters)
        assert interval is not None
        assert (clustered_p(clusters) < 0.05) == (interval.low > 0)


def test_what_breaks_nowhere_is_less_sure_with_fewer_scenarios_and_no_surer_with_more_trials() -> None:
    """Trials that never differ within a scenario are one trial."""

    def width(scenarios: int, trials: int) -> float:
        found = risk_difference({str(n): [0.0] * trials for n in range(scenarios)})
        assert found is not None
        return found.high - found.low

    assert width(24, 1) == width(24, 20) > width(60, 1)


def test_one_scenario_that_differs_makes_nothing_more_certain() -> None:
    none, one = (risk_difference({str(n): [float(n < differ)] for n in range(24)}) for differ in (0, 1))
    assert none is not None
    assert one is not None
    assert one.high - one.low >= none.high - none.low


@pytest.mark.parametrize(
    ("pairs", "discordant", "points"), [(60, 0.3, 20), (150, 0.3, 15), (300, 0.3, 10), (40, 0.2, 20), (200, 0.2, 10)]
)
def test_power_is_that_of_published_simulations(pairs: int, discordant: float, points: int) -> None:
    """`reference/context-policies.md`, by simulation, in steps of five points."""
    assert 0.75 <= power(pairs, discordant, points / 100) <= 0.97


@cache
def scipys_p(k: int, n: int) -> float:
    return float(binomtest(k, n).pvalue)


@pytest.mark.parametrize(
    ("pairs", "discordant", "difference", "alpha"),
    [(24, 0.3, 0.3, 0.05), (30, 0.4, 0.25, 0.05), (60, 0.3, 0.2, 0.05), (60, 0.3, 0.2, 0.0125), (45, 0.5, 0.0, 0.05)],
)
def test_power_is_the_chance_of_all_outcomes_that_are_significant(
    pairs: int, discordant: float, difference: float, alpha: float
) -> None:
    """Every number of pairs repaired and broken there is, with scipy's own test of each."""
    better, worse = (discordant + difference) / 2, (discordant - difference) / 2
    outcomes = [(n, k) for n in range(1, pairs + 1) for k in range(n + 1)]
    found = sum(
        multinomial.pmf((k, n - k, pairs - n), pairs, (better, worse, 1 - discordant))
        for n, k in outcomes
        if scipys_p(k, n) < alpha
    )
    assert power(pairs, discordant, difference, alpha) == pytest.approx(found, abs=1e-9)


def test_what_is_detectable_is_the_first_whole_point_with_enough_power() -> None:
    for pairs, discordant in ((60, 0.3), (150, 0.29), (40, 0.2)):
        found = detectable(pairs, discordant)
        assert found is not None
        assert power(pairs, max(discordant, found), found) >= 0.8
        assert power(pairs, max(discordant, found - 0.01), found - 0.01) < 0.8


def test_fewer_pairs_more_noise_and_more_sides_hide_more() -> None:
    assert detectable(5, 0.0) is None, "five pairs are never significant"
    assert detectable(60, 0.3) == 0.21
    assert detectable(60, 0.3, 0.05 / 4) == 0.24
    assert detectable(60, 0.5) == 0.27
    assert detectable(60, 0.0) == 0.13, "a difference makes pairs differ"


def test_many_pairs_have_their_power_too() -> None:
    assert detectable(1_500, 0.5) == 0.06


def test_trials_that_agree_do_not_find_more_than_their_scenarios() -> None:
    once, often = ({str(n): [float(n < 6)] * trials for n in range(24)} for trials in (1, 50))
    assert detectable_between(once) == detectable_between(often)
    assert detectable_between({"s": [1.0]}) is None
    nowhere = detectable_between({str(n): [0.0] for n in range(24)})
    assert nowhere is not None
    assert nowhere > 0.1


def test_a_difference_in_every_scenario_is_not_without_chance() -> None:
    clusters = {str(n): [1.0] for n in range(6)}
    found = risk_difference(clusters)
    assert found is not None
    assert found.low < found.estimate == found.high == 1.0
    assert 0 < clustered_p(clusters) < 0.05
