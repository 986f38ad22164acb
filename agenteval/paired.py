"""Statistics of pairs: two sides that were given the same work, unit by unit. Pure; what cannot be said is None.

Sources: exact McNemar (McNemar 1947, two-sided binomial test on the discordant pairs); Holm 1979; for the interval of a
paired risk difference t on the means of scenarios, each a cluster (Miller 2024, arXiv 2411.00640), to which two
imaginary ones are added that differ by a trial in either direction (after Bonett and Price 2012), so that what was seen
in no scenario is not taken for impossible. How often the intervals cover and the gate errs: `make test-statistics`.
Needs the extra `agenteval[stats]`.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agenteval.errors import UsageError

ALPHA = 0.05
POWER = 0.8
DISCORDANT = 0.3
"""Share of pairs that differ, assumed by a power note where too few pairs have been seen to tell."""
FEWEST_SCENARIOS = 20
"""Below so many clusters an interval is not trusted."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and its 95 % interval."""

    estimate: float
    low: float
    high: float


def _special() -> Any:
    """Late, because it is an extra, and large."""
    try:
        from scipy import special  # noqa: PLC0415
    except ImportError:
        raise UsageError(
            "statistics of pairs need scipy, which is not installed: python3 -m pip install 'agenteval[stats]'"
        ) from None
    return special


def mcnemar(repaired: int, broke: int) -> float:
    """Two-sided p of the exact McNemar test: the chance of so uneven a split of the discordant pairs, were both sides
    alike. 1 without discordant pairs."""
    n, fewer = repaired + broke, min(repaired, broke)
    tail = sum(math.comb(n, k) for k in range(fewer + 1))
    return float(min(1.0, 2 * tail / 2**n))


def holm(ps: Sequence[float]) -> tuple[float, ...]:
    """Holm's step-down adjustment for that many tests, in the given order."""
    order = sorted(range(len(ps)), key=ps.__getitem__)
    adjusted, least = [1.0] * len(ps), 0.0
    for rank, at in enumerate(order):
        least = max(least, min(1.0, (len(ps) - rank) * ps[at]))
        adjusted[at] = least
    return tuple(adjusted)


def clustered_p(clusters: Mapping[str, Sequence[float]]) -> float:
    """Two-sided p that the mean difference is 0, by t on scenario means; 1 for fewer than two scenarios."""
    means = _with_imaginary(clusters)
    if len(means) < 4:
        return 1.0
    centre, error = _mean(means), _standard_error(means)
    return float(2 * _special().stdtr(len(means) - 1, -abs(centre) / error))


def split(differences: Iterable[float]) -> tuple[int, int]:
    """How many pairs are better in new, and how many in base."""
    values = tuple(differences)
    return sum(value > 0 for value in values), sum(value < 0 for value in values)


def risk_difference(clusters: Mapping[str, Sequence[float]], alpha: float = ALPHA) -> Interval | None:
    """Mean over scenarios of their mean difference, each difference from -1 to 1, and its interval, which is centred on
    the mean with the imaginary scenarios. `clusters`: scenario → the differences of its pairs. None for fewer than two
    scenarios."""
    means = _with_imaginary(clusters)
    if len(means) < 4:
        return None
    centre, spread = _mean(means), _half_width(means, alpha)
    return Interval(_mean(means[:-2]), max(-1.0, centre - spread), min(1.0, centre + spread))


def _with_imaginary(clusters: Mapping[str, Sequence[float]]) -> list[float]:
    """The means of scenarios, and two imaginary ones. Trials that nowhere differ within a scenario count as one."""
    seen = [values for values in clusters.values() if values]
    varied = any(len(set(values)) > 1 for values in seen)
    step = len(seen) / sum(map(len, seen)) if varied else 1.0
    return [*map(_mean, seen), step, -step]


def mean_ratio(clusters: Mapping[str, Sequence[float]]) -> Interval | None:
    """Geometric mean over scenarios of ratios new / base, and its interval, by t on the scenarios' mean logarithms.
    None for fewer than two scenarios."""
    means = [sum(map(math.log, ratios)) / len(ratios) for ratios in clusters.values() if ratios]
    if len(means) < 2:
        return None
    centre, spread = _mean(means), _half_width(means, ALPHA)
    return Interval(math.exp(centre), math.exp(centre - spread), math.exp(centre + spread))


def _half_width(means: Sequence[float], alpha: float) -> float:
    """Half the interval of a mean by Student's t."""
    return float(_special().stdtrit(len(means) - 1, 1 - alpha / 2)) * _standard_error(means)


def _standard_error(means: Sequence[float]) -> float:
    n, centre = len(means), _mean(means)
    return math.sqrt(sum((value - centre) ** 2 for value in means) / (n - 1) / n)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def power(pairs: int, discordant: float, difference: float) -> float:
    """Chance that exact McNemar at 5 % finds a risk difference of at most `discordant`, with so many pairs of which
    this share differs. Exact."""
    repaired = (discordant + difference) / (2 * discordant) if discordant else 0.5
    return sum(_chance(n, pairs, discordant) * _seen(n, repaired) for n in range(pairs + 1))


def _chance(k: int, n: int, p: float) -> float:
    """Of k successes in n trials."""
    return float(math.comb(n, k) * p**k * (1 - p) ** (n - k))


def _seen(n: int, share: float) -> float:
    """Chance of a significant split of n discordant pairs, of which this share goes one way."""
    most = _uneven(n)
    if most is None:
        return 0.0
    special = _special()
    return float(special.bdtr(most, n, share) + special.bdtrc(n - most - 1, n, share))


def _uneven(n: int) -> int | None:
    """The largest smaller part of n discordant pairs that is significant; None if not even none is."""
    tail, most = 0, None
    for fewer in range(n // 2 + 1):
        tail += math.comb(n, fewer)
        if 2 * tail > ALPHA * 2**n:
            break
        most = fewer
    return most


def detectable(pairs: int, discordant: float = DISCORDANT) -> float | None:
    """The smallest risk difference, in whole points, that so many pairs find four times out of five; None if not even
    the largest that this share of discordant pairs allows is found."""
    points = range(1, math.floor(discordant * 100) + 1)
    at = bisect_left(points, True, key=lambda point: power(pairs, discordant, point / 100) >= POWER)
    return points[at] / 100 if at < len(points) else None
