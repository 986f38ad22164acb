"""Many cells: concurrently over a real endpoint, or one after the other in virtual time over simulated ones."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from agenteval.clock import run_virtual
from agenteval.run.breaker import Breaker
from agenteval.run.desk import Desk
from agenteval.run.plan import Cell
from agenteval.run.session import CellEnd, run_cell


@dataclass(frozen=True, slots=True)
class BatchEnd:
    """Cells that ended, in order of ending; `stopped` says why the rest is not finished."""

    ends: tuple[CellEnd, ...]
    stopped: str | None = None


async def run_batch(
    cells: Sequence[Cell], desk_of: Callable[[Cell], Desk], concurrency: int, breaker: Breaker | None = None
) -> BatchEnd:
    """Run cells in their order, at most `concurrency` at a time, until the breaker stops them."""
    breaker = breaker or Breaker()
    waiting = list(reversed(cells))
    ends: list[CellEnd] = []

    async def work() -> None:
        while waiting and breaker.stopped is None:
            cell = waiting.pop()
            ends.append(await run_cell(cell, replace(desk_of(cell), breaker=breaker)))

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(concurrency, len(cells))):
                group.create_task(work())
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from failed
    if breaker.stopped is None:
        return BatchEnd(tuple(ends))
    left = len(cells) - sum(end.error is None for end in ends)
    said = f"{left} of {len(cells)} conversations are not finished, because {breaker.stopped}"
    return BatchEnd(tuple(ends), said)


def run_simulated(cells: Sequence[Cell], desk_of: Callable[[Cell], Desk]) -> BatchEnd:
    """Run cells one by one, each with a desk, an engine and a virtual clock of its own."""
    return BatchEnd(tuple(run_virtual(run_cell(cell, desk_of(cell))) for cell in cells))
