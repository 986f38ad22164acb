"""Order statistics and intervals, against numbers that a person can check."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenteval.stats import Percentiles, median, pass_at_k, pass_hat_k, percentiles, wilson


def test_percentiles_of_one_to_a_hundred_and_one_are_their_own_numbers() -> None:
    assert percentiles(range(1, 102)) == Percentiles(101, p50=51, p90=91, p95=96, p99=100)


def test_percentiles_lie_between_samples_by_linear_interpolation() -> None:
    found = percentiles([10, 20])
    assert (found.p50, found.p90, found.p95) == (15, 19, 19.5)


def test_below_a_hundred_samples_p99_is_the_maximum_and_says_so() -> None:
    few, enough = percentiles(range(99)), percentiles(range(100))
    assert (few.p99, few.p99_is_max, enough.p99_is_max) == (98, True, False)
    assert enough.p99 == pytest.approx(98.01)


def test_no_samples_have_no_percentiles() -> None:
    assert percentiles([]) == Percentiles(0)
    assert median([]) is None


def test_median() -> None:
    assert median([3, 1, 2]) == 2
    assert median([4, 1, 2, 3]) == 2.5


def test_wilson_agrees_with_the_published_example() -> None:
    """Newcombe 1998, table I: 81 of 263 gives 0.2553 to 0.3662."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_wilson_at_the_ends() -> None:
    assert wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=5e-5)
    assert wilson(10, 10) == pytest.approx((0.7225, 1.0), abs=5e-5)
    assert wilson(0, 0) is None


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_the_proportion_and_stays_inside_0_and_1(case: tuple[int, int]) -> None:
    interval = wilson(*case)
    assert interval is not None
    low, high = interval
    assert 0 <= low <= case[0] / case[1] <= high <= 1


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=150))
def test_percentiles_are_ordered_and_within_the_samples(samples: list[float]) -> None:
    found = percentiles(samples)
    values = [found.p50, found.p90, found.p95, found.p99]
    assert None not in values
    numbers = [value for value in values if value is not None]
    assert numbers == pytest.approx(sorted(numbers))
    assert min(samples) <= numbers[0]
    assert numbers[-1] <= max(samples)


def test_pass_at_k_by_counting_pairs() -> None:
    """One pass in three trials: of the pairs ab, ac, bc two hold the pass. Two passes in four: 5 of 6 pairs do."""
    assert [pass_at_k(3, 1, k) for k in (1, 2, 3)] == pytest.approx([1 / 3, 2 / 3, 1])
    assert pass_at_k(4, 2, 2) == pytest.approx(5 / 6)


def test_pass_hat_k_by_counting_pairs() -> None:
    """Two passes in three trials: one pair of three is all passes. Two in four: 1 of 6."""
    assert [pass_hat_k(3, 2, k) for k in (1, 2, 3)] == pytest.approx([2 / 3, 1 / 3, 0])
    assert pass_hat_k(4, 2, 2) == pytest.approx(1 / 6)


def test_pass_k_at_the_ends() -> None:
    assert [pass_at_k(5, 0, 5), pass_at_k(5, 5, 1), pass_hat_k(5, 0, 1), pass_hat_k(5, 5, 5)] == [0, 1, 0, 1]


@pytest.mark.parametrize("estimate", [pass_at_k, pass_hat_k])
def test_more_trials_than_were_seen_are_refused(estimate: Callable[[int, int, int], float | None]) -> None:
    assert [estimate(3, 2, 4), estimate(0, 0, 1), estimate(3, 2, 0)] == [None, None, None]


@given(st.integers(1, 8).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n))))
def test_pass_k_is_the_share_of_all_subsets(case: tuple[int, int, int]) -> None:
    n, c, k = case
    subsets = list(combinations([True] * c + [False] * (n - c), k))
    assert pass_at_k(n, c, k) == pytest.approx(sum(map(any, subsets)) / len(subsets))
    assert pass_hat_k(n, c, k) == pytest.approx(sum(map(all, subsets)) / len(subsets))
