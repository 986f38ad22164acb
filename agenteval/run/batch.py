"""Many cells: concurrently over a real endpoint, or one after the other in virtual time over simulated ones."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agenteval.clock import run_virtual
from agenteval.run.desk import Desk
from agenteval.run.plan import Cell
from agenteval.run.session import CellEnd, run_cell

MAX_LOST_IN_A_ROW = 3
"""So many cells lost one after the other, because nobody answered or the server failed, mean a dead endpoint: the rest
is not tried. A request that the server refuses (HTTP 4xx) does not count: it is alive."""


@dataclass(frozen=True, slots=True)
class BatchEnd:
    """Cells that ended, in order of ending; `stopped` says why the rest was not tried."""

    ends: tuple[CellEnd, ...]
    stopped: str | None = None


async def run_batch(cells: Sequence[Cell], desk_of: Callable[[Cell], Desk], concurrency: int) -> BatchEnd:
    """Run cells in their order, at most `concurrency` at a time."""
    waiting = list(reversed(cells))
    ends: list[CellEnd] = []

    async def work() -> None:
        while waiting and not _dead(ends):
            cell = waiting.pop()
            ends.append(await run_cell(cell, desk_of(cell)))

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(concurrency, len(cells))):
                group.create_task(work())
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from failed
    return _batch_end(ends, len(cells))


def run_simulated(cells: Sequence[Cell], desk_of: Callable[[Cell], Desk]) -> BatchEnd:
    """Run cells one by one, each with a desk, an engine and a virtual clock of its own."""
    ends: list[CellEnd] = []
    for cell in cells:
        if _dead(ends):
            break
        ends.append(run_virtual(run_cell(cell, desk_of(cell))))
    return _batch_end(ends, len(cells))


def _dead(ends: Sequence[CellEnd]) -> bool:
    last = ends[-MAX_LOST_IN_A_ROW:]
    return len(last) == MAX_LOST_IN_A_ROW and all(_nobody_there(end) for end in last)


def _nobody_there(end: CellEnd) -> bool:
    return end.error is not None and (end.error.status is None or end.error.status >= 500)


def _batch_end(ends: Sequence[CellEnd], planned: int) -> BatchEnd:
    left = planned - len(ends)
    stopped = f"{MAX_LOST_IN_A_ROW} cells were lost in a row, {left} were not tried" if left else None
    return BatchEnd(tuple(ends), stopped)
