"""How a comparison was planned: it stands in a run's manifest before its first request, and is held against later."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agenteval.paired import ALPHA, FEWEST_SCENARIOS
from agenteval.store import StoredRun
from agenteval.summary.contrast import MOST_DETECTABLE
from agenteval.summary.engaged import CONTROL
from agenteval.summary.sides import Axis
from agenteval.summary.versus import MARGIN
from agenteval.summary.workload import differences

ISOLATION = {
    "salt": "Each conversation has a prefix cache of its own: its requests carry a salt of their own (cache_salt).",
    "line": (
        "Each conversation's system prompt begins with a line of its own, of equal length in all, so that "
        "conversations share no more of the prefix cache than what the template puts before it (GLM: the tools)."
    ),
    "own": "Each conversation has an engine of its own, and with it its prefix cache.",
}

SHARED = (
    "Conversations shared the server's prefix cache, so that one may have been faster for another's sake: --isolate "
    "keeps them apart."
)


def protocol(policies: Sequence[str], isolated: str | None) -> Mapping[str, Any]:
    """What is going to be compared, and how, as it is known before anything is seen."""
    return {
        "baseline": CONTROL if CONTROL in policies else policies[0],
        "pairs": "scenario, thinking mode, trial (and with it the seed)",
        "measure": "share of conversations in which every turn is right",
        "test": "exact McNemar, t on scenario means, Bonett and Price; the largest p of them, adjusted by Holm",
        "alpha": ALPHA,
        "margin": MARGIN,
        "fewest_scenarios": FEWEST_SCENARIOS,
        "most_detectable": MOST_DETECTABLE,
        "order": "random, by the seed, all sides interleaved",
        "prefix_cache": isolated,
    }


def planned_otherwise(runs: Sequence[StoredRun], axis: Axis, base: str, margin: float) -> tuple[str, ...]:
    """What of a comparison was not planned so, and how the prefix cache was shared."""
    return tuple(_notes(runs, axis, base, margin))


def _notes(runs: Sequence[StoredRun], axis: Axis, base: str, margin: float) -> Iterator[str]:
    plans = [run.manifest.plan.get("comparison") or {} for run in runs]
    if axis == "run":
        yield "The runs were made one after the other: what changed in between is in the differences, too."
        if others := differences(*(run.manifest for run in runs)):
            yield f"What is not the same in both runs: {'; '.join(others)}."
    planned = plans[0].get("baseline") if axis == "policy" else base, plans[0].get("margin")
    if plans[0] and (base, margin) != planned:
        yield f"Chosen after the run: baseline {base}, margin {margin:g}; planned were {planned[0]}, {planned[1]:g}."
    for way in dict.fromkeys(plan.get("prefix_cache") for plan in plans):
        yield ISOLATION.get(way or "", SHARED)
