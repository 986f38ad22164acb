"""Could a count have come from a known rate? By the binomial distribution itself, without an approximation."""

from __future__ import annotations

from collections.abc import Callable
from math import exp, fsum, lgamma, log

DOUBT = 0.001
"""A right count fails the test once in a thousand times; seeds are fixed where the server heeds them."""
HALVINGS = 40


def interval(count: int, of: int) -> tuple[float, float]:
    """The rates that a count is plausible for: its two-sided Clopper-Pearson interval at 1 - DOUBT."""
    low = 0.0 if count == 0 else _crossing(lambda rate: _tail(range(count, of + 1), of, rate) >= DOUBT / 2)
    high = 1.0 if count == of else _crossing(lambda rate: _tail(range(count + 1), of, rate) < DOUBT / 2)
    return low, high


def plausible(count: int, of: int, rate: float) -> bool:
    low, high = interval(count, of)
    return low <= rate <= high


def _crossing(beyond: Callable[[float], bool]) -> float:
    """The least rate from which on `beyond` holds."""
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if beyond(middle) else (middle, high)
    return high


def _tail(counts: range, of: int, rate: float) -> float:
    return fsum(_chance(count, of, rate) for count in counts)


def _chance(count: int, of: int, rate: float) -> float:
    if rate in (0.0, 1.0):
        return float(count == of * rate)
    ways = lgamma(of + 1) - lgamma(count + 1) - lgamma(of - count + 1)
    return exp(ways + count * log(rate) + (of - count) * log(1 - rate))
