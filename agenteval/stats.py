"""Order statistics and intervals that carry their sample size. Pure; what cannot be had is None, never 0."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

P99_NEEDS = 100
"""With fewer samples a 99th percentile is an extrapolation: the maximum stands in for it, and says so."""

Z_95 = 1.959963984540054
"""The standard normal quantile that leaves 5 % outside on both sides together."""


@dataclass(frozen=True, slots=True)
class Percentiles:
    """P50/P90/P95/P99 of `n` samples, None without samples; `p99_is_max`: P99 is really the maximum."""

    n: int
    p50: float | None = None
    p90: float | None = None
    p95: float | None = None
    p99: float | None = None
    p99_is_max: bool = False


def percentiles(samples: Iterable[float]) -> Percentiles:
    """By linear interpolation between order statistics; of fewer than 100 samples P99 is the maximum."""
    ordered = sorted(samples)
    if not ordered:
        return Percentiles(0)
    few = len(ordered) < P99_NEEDS
    p50, p90, p95, p99 = (_quantile(ordered, q) for q in (0.50, 0.90, 0.95, 1.0 if few else 0.99))
    return Percentiles(len(ordered), p50, p90, p95, p99, few)


def median(samples: Iterable[float]) -> float | None:
    """The middle sample, or the mean of the middle two; None for no samples."""
    ordered = sorted(samples)
    return _quantile(ordered, 0.5) if ordered else None


def _quantile(ordered: Sequence[float], q: float) -> float:
    """Linear interpolation at rank q·(n−1), as numpy's default."""
    rank = q * (len(ordered) - 1)
    below = math.floor(rank)
    above = min(below + 1, len(ordered) - 1)
    return float(ordered[below] + (ordered[above] - ordered[below]) * (rank - below))


def wilson(successes: int, n: int, z: float = Z_95) -> tuple[float, float] | None:
    """Wilson's score interval for a proportion (95 % by default); None for no trials.

    Unlike the textbook interval it stays inside 0..1 and does not collapse at 0 of n or n of n.
    """
    if n <= 0:
        return None
    p = successes / n
    spread = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    centre = p + z * z / (2 * n)
    scale = 1 + z * z / n
    low, high = (centre - spread) / scale, (centre + spread) / scale
    return (0.0 if successes == 0 else low), (1.0 if successes == n else high)


def pass_at_k(n: int, c: int, k: int) -> float | None:
    """pass@k, the chance that at least one of k trials passes, from c passes in n trials: 1 − C(n−c, k) / C(n, k).

    Unbiased, unlike 1 − (1 − c/n)^k. None when k > n (or below 1): so many trials were not seen.
    """
    return 1 - math.comb(n - c, k) / math.comb(n, k) if 1 <= k <= n else None


def pass_hat_k(n: int, c: int, k: int) -> float | None:
    """pass^k, the chance that all of k trials pass, from c passes in n trials: C(c, k) / C(n, k).

    Unbiased, unlike (c/n)^k. None when k > n (or below 1): so many trials were not seen.
    """
    return math.comb(c, k) / math.comb(n, k) if 1 <= k <= n else None
