"""What belongs to one run alone, beside what it found: its name, when it ran, and how its own client did.

Two runs of the same conversations may differ in nothing else; reports keep it in a section of its own, the last.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from agenteval.context import names_code
from agenteval.outcome import StepRecord
from agenteval.store import Manifest


@dataclass(frozen=True, slots=True)
class ThisRun:
    """`status`: complete, interrupted, or running (as a run that was killed stays); `created_at`, `finished_at`: UTC,
    None while it has not ended; `resumed`: how often it was gone on with; `go_on`: how that is done, in words;
    `client`: what the client measured of itself, of several parts the worst; `notes`: what follows from that."""

    run: str
    status: str
    created_at: str
    finished_at: str | None
    resumed: int
    go_on: str
    client: Mapping[str, Any]
    notes: tuple[str, ...]


def how_to_go_on(run: str, manifest: Manifest) -> str:
    """The command that takes a run up again; `run`: its id or its folder."""
    allowed = " --allow-code" if any(map(names_code, manifest.plan.get("policies", ()))) else ""
    return f"Go on with it: agenteval run --resume {run}{allowed}"


def this_run(manifest: Manifest, failing: StepRecord | None) -> ThisRun:
    """`failing`: a failing step that is worth a look."""
    return ThisRun(
        run=manifest.run,
        status=manifest.status,
        created_at=manifest.created_at,
        finished_at=manifest.finished_at,
        resumed=manifest.resumed,
        go_on=how_to_go_on(manifest.run, manifest),
        client=manifest.client,
        notes=(*_client_notes(manifest), *_part_notes(manifest), *_look(manifest, failing)),
    )


def _client_notes(manifest: Manifest) -> list[str]:
    """The stamp on a run whose client was too busy to measure."""
    client, embedded = manifest.client, manifest.endpoint.get("profile") and not manifest.endpoint.get("base_url")
    if not client:
        return ["This client: never late, because the embedded endpoint answers in virtual time."] if embedded else []
    notes = [_client_line(client), *_doubts(client)]
    if client.get("valid") is False:
        late = [
            f"{what} {_above(lag):.1f} ms late at P99 (bound: {bound:.0f} ms)" for what, lag, bound in _past(client)
        ]
        notes.insert(
            0,
            f"LATENCIES INVALID: {', '.join(late)}. Verdicts stand; repeat the run on an idle machine or with less "
            "--concurrency for the times.",
        )
    return notes


def _past(client: Mapping[str, Any]) -> Iterator[tuple[str, float, float]]:
    """What was later than its bound: in words, by how many ms, and the bound."""
    for what, lag, bound in (
        ("this client's event loop woke up", "loop_lag_p99_ms", "bound_p99_ms"),
        ("this client's requests left", "send_lag_p99_ms", "send_bound_p99_ms"),
    ):
        if (client.get(lag) or 0.0) > client.get(bound, math.inf):
            yield what, client[lag], client[bound]


def _client_line(client: Mapping[str, Any]) -> str:
    """How late the client was, and how many chunks it could not tell apart."""

    def lag(name: str) -> str:
        p99, most = client.get(f"{name}_p99_ms"), client.get(f"{name}_max_ms")
        return "unknown" if p99 is None or most is None else f"P99 {p99:.1f} ms, at most {most:.1f} ms"

    merged, chunks = client.get("merged", 0), client.get("chunks", 0)
    return (
        f"This client: event loop late by {lag('loop_lag')}; requests left late by {lag('send_lag')}; "
        f"{merged:,} of {chunks:,} chunks came in one read with another."
    )


def _doubts(client: Mapping[str, Any]) -> list[str]:
    """Requests that the server counts and the journal does not."""
    asked = client.get("small_questions", 0)
    if not asked:
        return []
    times = "One small question was" if asked == 1 else f"{asked:,} small questions were"
    return [f"{times} asked to see whether the endpoint was gone: counted by the server, not in the journal."]


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
