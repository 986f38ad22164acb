"""What belongs to one run alone, beside what it found: its name, when it ran, and how its own client did.

Two runs of the same conversations may differ in nothing else; reports keep it in a section of its own, the last.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agenteval.outcome import StepRecord
from agenteval.store import Manifest


@dataclass(frozen=True, slots=True)
class ThisRun:
    """`created_at`, `finished_at`: UTC, None while it has not ended; `resumed`: how often it was gone on with;
    `client`: what the client measured of itself, of several parts the worst; `notes`: what follows from that."""

    run: str
    created_at: str
    finished_at: str | None
    resumed: int
    client: Mapping[str, Any]
    notes: tuple[str, ...]


def this_run(manifest: Manifest, failing: StepRecord | None) -> ThisRun:
    """`failing`: a failing step that is worth a look."""
    return ThisRun(
        run=manifest.run,
        created_at=manifest.created_at,
        finished_at=manifest.finished_at,
        resumed=manifest.resumed,
        client=manifest.client,
        notes=(*_client_notes(manifest.client), *_part_notes(manifest), *_look(manifest, failing)),
    )


def _client_notes(client: Mapping[str, Any]) -> list[str]:
    """The stamp on a run whose client was too busy to measure."""
    if client.get("valid") is not False:
        return []
    lag, bound = _above(client["loop_lag_p99_ms"]), client["bound_p99_ms"]
    return [
        f"LATENCIES INVALID: this client's event loop woke up {lag:.1f} ms late at P99 (bound: {bound:.0f} ms). "
        "Verdicts stand; repeat the run on an idle machine or with less --concurrency for the times."
    ]


def _part_notes(manifest: Manifest) -> list[str]:
    changes = (f"{name} {then} → {now}" for part in manifest.changes for name, (then, now) in part.items())
    notes = [f"Gone on with in another way: {', '.join(changes)}."] if manifest.changes else []
    if manifest.resumed and manifest.client:
        notes.append(
            "The client watched itself in each part of the run anew; of parts that were killed nothing is known."
        )
    return notes


def _look(manifest: Manifest, failing: StepRecord | None) -> list[str]:
    if failing is None:
        return []
    command = f"agenteval report {manifest.run} --step {failing.id}"
    return [f"A failing step whole, with a curl that asks it again: {command}"]


def _above(value: float) -> float:
    """A number above a bound, rounded so that it still shows to be above it."""
    return math.ceil(value * 10) / 10
