"""Statistics of pairs: two sides that were given the same work, unit by unit. Pure; what cannot be said is None.

Sources: exact McNemar (McNemar 1947, two-sided binomial test on the discordant pairs); Holm 1979; for a paired risk
difference t on the means of scenarios, each a cluster (Miller 2024, arXiv 2411.00640), beside the normal interval of
Bonett and Price 2012, who add two imaginary pairs that differ in either direction, so that what was seen in no scenario
is not taken for impossible: what one of the two allows is not excluded. How often the intervals cover and the gate
errs: `make test-statistics`.
Needs the extra `agenteval[stats]`.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agenteval.errors import UsageError

ALPHA = 0.05
POWER = 0.8
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


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to an interval of a mean; `freedom`: degrees of it, None where errors are taken for normal."""

    centre: float
    error: float
    freedom: int | None

    def p(self) -> float:
        """Two-sided, that the mean is 0. 0 where all scenarios have the same mean: this way sees no chance there."""
        if not self.error:
            return 0.0
        special, size = _special(), -abs(self.centre) / self.error
        return float(2 * (special.ndtr(size) if self.freedom is None else special.stdtr(self.freedom, size)))

    def ends(self, alpha: float) -> tuple[float, float]:
        special, part = _special(), 1 - alpha / 2
        size = special.ndtri(part) if self.freedom is None else special.stdtrit(self.freedom, part)
        return self.centre - float(size) * self.error, self.centre + float(size) * self.error


def _student(means: Sequence[float]) -> _Way:
    return _Way(_mean(means), _standard_error(means), len(means) - 1)


def _imagining(clusters: Sequence[Sequence[float]]) -> _Way:
    """Bonett and Price's: two imaginary scenarios differ by a trial in either direction. Trials that nowhere differ
    within a scenario count as one."""
    varied = any(len(set(values)) > 1 for values in clusters)
    step = len(clusters) / sum(map(len, clusters)) if varied else 1.0
    means = [*map(_mean, clusters), step, -step]
    shrunk = math.sqrt((len(means) - 1) / len(means))  # their variance is that of all, not of a sample
    return _Way(_mean(means), _standard_error(means) * shrunk, None)


def _ways(clusters: Mapping[str, Sequence[float]]) -> tuple[_Way, ...]:
    """None for fewer than two scenarios."""
    seen = [values for values in clusters.values() if values]
    return (_student(list(map(_mean, seen))), _imagining(seen)) if len(seen) > 1 else ()


def clustered_p(clusters: Mapping[str, Sequence[float]]) -> float:
    """Two-sided p that the mean difference is 0, the larger of both ways (t on scenario means, Bonett and Price); 1 for
    fewer than two scenarios."""
    return max((way.p() for way in _ways(clusters)), default=1.0)


def split(differences: Iterable[float]) -> tuple[int, int]:
    """How many pairs are better in new, and how many in base."""
    values = tuple(differences)
    return sum(value > 0 for value in values), sum(value < 0 for value in values)


def risk_difference(clusters: Mapping[str, Sequence[float]], alpha: float = ALPHA) -> Interval | None:
    """Mean over scenarios of their mean difference, each difference from -1 to 1, and its interval: all that t on
    scenario means or Bonett and Price allow. `clusters`: scenario → the differences of its pairs. None for fewer than
    two scenarios."""
    ends = [way.ends(alpha) for way in _ways(clusters)]
    if not ends:
        return None
    centre = _mean([_mean(values) for values in clusters.values() if values])
    return Interval(centre, max(-1.0, min(low for low, _ in ends)), min(1.0, max(high for _, high in ends)))


def mean_ratio(clusters: Mapping[str, Sequence[float]]) -> Interval | None:
    """Geometric mean over scenarios of ratios new / base, and its interval, by t on the scenarios' mean logarithms.
    None for fewer than two scenarios."""
    means = [sum(map(math.log, ratios)) / len(ratios) for ratios in clusters.values() if ratios]
    if len(means) < 2:
        return None
    low, high = _student(means).ends(ALPHA)
    return Interval(math.exp(_mean(means)), math.exp(low), math.exp(high))


def _standard_error(means: Sequence[float]) -> float:
    n, centre = len(means), _mean(means)
    return math.sqrt(sum((value - centre) ** 2 for value in means) / (n - 1) / n)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def power(pairs: int, discordant: float, difference: float, alpha: float = ALPHA) -> float:
    """Chance that exact McNemar at `alpha` finds a risk difference of at most `discordant`, with so many independent
    pairs of which this share differs. Exact."""
    repaired = (discordant + difference) / (2 * discordant) if discordant else 0.5
    return sum(_chance(n, pairs, discordant) * _seen(n, repaired, alpha) for n in range(pairs + 1))


def _chance(k: int, n: int, p: float) -> float:
    """Of k successes in n trials."""
    special = _special()
    ways = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return math.exp(ways + float(special.xlogy(k, p)) + float(special.xlog1py(n - k, -p)))


def _seen(n: int, share: float, alpha: float) -> float:
    """Chance of a significant split of n discordant pairs, of which this share goes one way."""
    special = _special()
    most = bisect_right(range(n // 2), alpha / 2, key=lambda fewer: float(special.bdtr(fewer, n, 0.5))) - 1
    return float(special.bdtr(most, n, share) + special.bdtrc(n - most - 1, n, share)) if most >= 0 else 0.0


def detectable(pairs: int, discordant: float, alpha: float = ALPHA) -> float | None:
    """The smallest risk difference, in whole points, that exact McNemar at `alpha` finds four times out of five with so
    many independent pairs, of which this share differs (or as many as the difference itself needs, where that is more).
    None if not even one that all pairs show is found."""
    points = range(1, 101)
    at = bisect_left(
        points, True, key=lambda point: power(pairs, max(discordant, point / 100), point / 100, alpha) >= POWER
    )
    return points[at] / 100 if at < len(points) else None


def detectable_between(clusters: Mapping[str, Sequence[float]], alpha: float = ALPHA) -> float | None:
    """The smallest risk difference that t on scenario means finds so often where scenarios spread like these, two
    imaginary ones included (minimum detectable effect, Bloom 1995). None for fewer than two scenarios."""
    ways = _ways(clusters)
    if not ways:
        return None
    special, freedom = _special(), ways[0].freedom
    return float(special.stdtrit(freedom, 1 - alpha / 2) + special.stdtrit(freedom, POWER)) * max(
        way.error for way in ways
    )
