"""What infrastructure cost a run: requests that failed, by kind. None of it is in any score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agenteval.outcome import StepError, StepRecord


@dataclass(frozen=True, slots=True)
class LossRow:
    """Requests that failed in one way. `given_up`: how many of them were the last try of a step, which has no reply
    therefore (in a run that was interrupted there may have been tries left); the others were repeated. `step`,
    `detail`: the first of them, by its id and in words."""

    kind: str
    requests: int
    given_up: int
    step: str
    detail: str


def loss_rows(records: Sequence[StepRecord]) -> tuple[LossRow, ...]:
    """One row per kind of error, the most frequent first."""
    last = {(r.cell, r.turn, r.step, r.purpose): r.id for r in records}
    kinds: dict[str, list[tuple[StepRecord, StepError]]] = {}
    for record in records:
        if record.error is not None:
            kinds.setdefault(kind_of(record.error), []).append((record, record.error))
    rows = [
        LossRow(
            kind=kind,
            requests=len(failed),
            given_up=sum(
                record.id == last[record.cell, record.turn, record.step, record.purpose] for record, _ in failed
            ),
            step=failed[0][0].id,
            detail=failed[0][1].detail,
        )
        for kind, failed in kinds.items()
    ]
    return tuple(sorted(rows, key=lambda row: -row.requests))


def kind_of(error: StepError) -> str:
    """The kind of an error; of a status that is not 2xx, the status."""
    return f"HTTP {error.status}" if error.kind == "http_status" else error.kind
