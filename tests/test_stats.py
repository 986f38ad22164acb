"""Order statistics and intervals, against numbers that a person can check."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenteval.stats import Percentiles, median, percentiles, wilson


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
