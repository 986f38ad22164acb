"""`make test-statistics`: how often the gate errs on two equal sides, and how often the 95 % intervals hold the truth.

Scenarios differ in how hard they are (success of a trial drawn from a beta distribution per scenario), trials of one
scenario resemble each other therefore, and an effect differs from scenario to scenario. The truth of an interval is the
mean effect over the population of scenarios. Seeded; not part of `make test`.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

from tabulate import tabulate

from agenteval.paired import ALPHA, clustered_p, holm, mcnemar, mean_ratio, risk_difference, split

WORST_GATE = 0.05
COVERAGE = (0.93, 0.97)
FEW = 6
"""Where fewer pairs differ than this (of scenarios whose trials are alike: scenarios), no test of whole pairs can say
anything at 5 %, and the chance of each single count is so large that no interval covers evenly: more than 97 % is no
fault there. Less than 93 % is one everywhere."""


@dataclass(frozen=True, slots=True)
class World:
    """`hard`: parameters of the beta distribution of success; `effect`: mean change of success and its spread from
    scenario to scenario."""

    name: str
    hard: tuple[float, float]
    effect: tuple[float, float]

    def scenario(self, rng: random.Random) -> tuple[float, float]:
        """Success of both sides in a scenario."""
        base = rng.betavariate(*self.hard)
        changed = base + rng.gauss(*self.effect) * base * (1 - base) * 4
        return base, min(1.0, max(0.0, changed))


WORLDS = (
    World("alike, easy and hard", (1.0, 1.0), (0.0, 0.0)),
    World("alike, mostly solved", (8.0, 2.0), (0.0, 0.0)),
    World("alike, nearly all solved", (19.0, 1.0), (0.0, 0.0)),
    World("alike on average, not in each", (1.0, 1.0), (0.0, 0.3)),
    World("better by a little", (4.0, 2.0), (0.1, 0.1)),
    World("better by much, unevenly", (2.0, 2.0), (0.3, 0.3)),
    World("worse in some", (5.0, 1.5), (-0.2, 0.3)),
)
SIZES = ((20, 1), (20, 3), (22, 1), (24, 1), (24, 5), (24, 20), (30, 1), (40, 1), (60, 3))
"""Scenarios, trials."""


def pairs(world: World, scenarios: int, trials: int, rng: random.Random) -> dict[str, list[float]]:
    """Differences new - base by scenario."""
    found = {}
    for number in range(scenarios):
        base, new = world.scenario(rng)
        found[str(number)] = [float((rng.random() < new) - (rng.random() < base)) for _ in range(trials)]
    return found


def worst_p(differences: dict[str, list[float]]) -> float:
    """As `summary.contrast` has it."""
    both = split(value for values in differences.values() for value in values)
    return max(mcnemar(*both), clustered_p(differences))


def truth(world: World) -> float:
    rng = random.Random(1)
    return sum(new - base for base, new in (world.scenario(rng) for _ in range(200_000))) / 200_000


def covered(coverage: float, differing: float) -> str:
    """Whether an interval covers as it should, where so many pairs differ on average."""
    return "met" if COVERAGE[0] <= coverage <= (COVERAGE[1] if differing >= FEW else 1.0) else "MISSED"


def errs(wrong: int, times: int) -> str:
    """Whether a gate errs as seldom as it should, as far as so many simulations can tell (two standard errors)."""
    return "met" if wrong / times <= WORST_GATE + 2 * (WORST_GATE * (1 - WORST_GATE) / times) ** 0.5 else "MISSED"


def row(times: int, case: tuple[World, tuple[int, int]]) -> dict[str, object]:
    world, (scenarios, trials) = case
    rng, true = random.Random(f"{world.name} {scenarios} {trials}"), truth(world)
    held = wrong = differing = 0
    for _ in range(times):
        differences = pairs(world, scenarios, trials, rng)
        interval = risk_difference(differences)
        assert interval is not None
        held += interval.low <= true <= interval.high
        repaired, broke = split(value for values in differences.values() for value in values)
        wrong += worst_p(differences) < ALPHA
        differing += repaired + broke
    alike = world.effect[0] == 0.0
    coverage, share = held / times, differing / times / scenarios / trials
    return {
        "pairs": world.name,
        "scenarios": scenarios,
        "trials": trials,
        "that differ": f"{share:.0%}: {share * scenarios * trials:.1f}",
        "coverage": round(coverage, 3),
        "93-97 %": covered(coverage, share * scenarios * trials),
        "said to differ": round(wrong / times, 4),
        "at most 5 %": errs(wrong, times) if alike else "-",
    }


def several(times: int, case: tuple[int, int, int]) -> dict[str, object]:
    """How often any of several arms is told apart from a baseline that all equal on average, not in each scenario."""
    arms, scenarios, trials = case
    rng, wrong = random.Random(f"several {case}"), 0
    world = next(world for world in WORLDS if world.name == "alike on average, not in each")
    for _ in range(times):
        wrong += min(holm([worst_p(pairs(world, scenarios, trials, rng)) for _ in range(arms)])) < ALPHA
    return {
        "pairs": f"{arms} arms, {world.name}",
        "scenarios": scenarios,
        "trials": trials,
        "that differ": None,
        "coverage": None,
        "93-97 %": "-",
        "said to differ": round(wrong / times, 4),
        "at most 5 %": errs(wrong, times),
    }


def breaking(times: int, case: tuple[float, int]) -> dict[str, object]:
    """Coverage where a share of scenarios breaks every time and none is repaired."""
    share, scenarios = case
    rng, held = random.Random(f"breaking {case}"), 0
    for _ in range(times):
        interval = risk_difference({str(n): [-float(rng.random() < share)] * 3 for n in range(scenarios)})
        assert interval is not None
        held += interval.low <= -share <= interval.high
    coverage = held / times
    return {
        "pairs": f"{share:.0%} of scenarios break for good",
        "scenarios": scenarios,
        "trials": 3,
        "that differ": f"{share:.0%}: {share * scenarios:.1f}",
        "coverage": round(coverage, 3),
        "93-97 %": covered(coverage, share * scenarios),
        "said to differ": None,
        "at most 5 %": "-",
    }


def ratios(times: int, size: tuple[int, int]) -> dict[str, object]:
    """The same of latencies: log-normal, with an effect that differs by scenario."""
    scenarios, trials = size
    rng, held = random.Random(f"ratios {size}"), 0
    for _ in range(times):
        clusters = {}
        for number in range(scenarios):
            shift = rng.gauss(0.2, 0.15)
            clusters[str(number)] = [2.718281828 ** rng.gauss(shift, 0.3) for _ in range(trials)]
        interval = mean_ratio(clusters)
        assert interval is not None
        held += interval.low <= 2.718281828**0.2 <= interval.high
    coverage = held / times
    return {
        "pairs": "latencies, ratio",
        "scenarios": scenarios,
        "trials": trials,
        "that differ": None,
        "coverage": round(coverage, 3),
        "93-97 %": "met" if COVERAGE[0] <= coverage <= COVERAGE[1] else "MISSED",
        "said to differ": None,
        "at most 5 %": "-",
    }


def rows(times: int) -> Iterator[dict[str, object]]:
    with ProcessPoolExecutor() as pool:
        yield from pool.map(partial(row, times), [(world, size) for world in WORLDS for size in SIZES])
        yield from pool.map(partial(several, times), [(arms, *size) for arms in (4, 8) for size in ((24, 5), (24, 20))])
        yield from pool.map(partial(breaking, times), [(p, n) for p in (0.04, 0.08, 0.15, 0.25) for n in (20, 40)])
        yield from pool.map(partial(ratios, times), SIZES)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=10_000, help="simulated comparisons per row")
    found = list(rows(parser.parse_args().times))
    sys.stdout.write(tabulate(found, headers="keys") + "\n")
    sys.exit(any("MISSED" in line.values() for line in found))
