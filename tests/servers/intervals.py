"""Could a count have come from a known rate? By the binomial distribution itself, without an approximation."""

from __future__ import annotations

from math import exp, fsum, lgamma, log

DOUBT = 0.001
"""A right count fails the test once in a thousand times; seeds are fixed where the server heeds them."""


def plausible(count: int, of: int, rate: float) -> bool:
    """Whether neither tail of Binomial(of, rate) beyond the count is below half the doubt (equal to: the rate lies
    within the count's two-sided Clopper-Pearson interval)."""
    below = fsum(_chance(k, of, rate) for k in range(count + 1))
    above = fsum(_chance(k, of, rate) for k in range(count, of + 1))
    return min(below, above) >= DOUBT / 2


def _chance(count: int, of: int, rate: float) -> float:
    if rate in (0.0, 1.0):
        return float(count == of * rate)
    ways = lgamma(of + 1) - lgamma(count + 1) - lgamma(of - count + 1)
    return exp(ways + count * log(rate) + (of - count) * log(1 - rate))
