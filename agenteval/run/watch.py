"""The client watches itself: how late its loop wakes up, and how late requests leave, while it measures others."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType

from agenteval.clock import NS_PER_MS, RealClock
from agenteval.outcome import Transfer
from agenteval.stats import percentiles

INTERVAL_S = 0.02

LAG_BOUND_MS = 20.0
"""P99 of the loop's lag past which a run's latencies are not to be trusted."""

SEND_BOUND_MS = 20.0
"""P99 of the requests' send lag past which they are not, either."""


@dataclass(frozen=True, slots=True)
class SelfReport:
    """What a client saw of itself; None where it saw nothing.

    `loop_lag_*`: by how many ms a wake-up every 20 ms came late, over `samples`. `send_lag_*`: by how many ms a request
    left late after it was due, over `requests`. `chunks` came, `merged` of them in one read with another.
    """

    samples: int = 0
    loop_lag_p50_ms: float | None = None
    loop_lag_p99_ms: float | None = None
    loop_lag_max_ms: float | None = None
    requests: int = 0
    send_lag_p50_ms: float | None = None
    send_lag_p99_ms: float | None = None
    send_lag_max_ms: float | None = None
    chunks: int = 0
    merged: int = 0

    @property
    def valid(self) -> bool | None:
        """Whether both lags stayed within their bounds; None if the loop was not watched."""
        if self.loop_lag_p99_ms is None:
            return None
        return self.loop_lag_p99_ms <= LAG_BOUND_MS and (self.send_lag_p99_ms or 0.0) <= SEND_BOUND_MS


class LoopWatch:
    """Samples the lag of the running loop between `async with` and its end, and keeps long garbage collections out of
    that time. Not for virtual time."""

    def __init__(self) -> None:
        self._clock = RealClock()
        self._lags: list[float] = []
        self._calm = no_long_collections()

    async def __aenter__(self) -> LoopWatch:
        self._calm.__enter__()
        self._task = asyncio.create_task(self._sample())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._calm.__exit__(None, None, None)

    def report(self, transfers: Iterable[tuple[Transfer, int]] = ()) -> SelfReport:
        """What was seen so far; `transfers`: how each request went, and how many chunks it brought."""
        went = list(transfers)
        sent = [transfer.send_lag_ms for transfer, _ in went if transfer.send_lag_ms is not None]
        loop, send = percentiles(self._lags), percentiles(sent)
        return SelfReport(
            *(loop.n, loop.p50, loop.p99, max(self._lags, default=None)),
            *(send.n, send.p50, send.p99, max(sent, default=None)),
            chunks=sum(chunks for _, chunks in went),
            merged=sum(transfer.merged or 0 for transfer, _ in went),
        )

    async def _sample(self) -> None:
        while True:
            before = self._clock.now()
            await self._clock.sleep(INTERVAL_S)
            late = (self._clock.now() - before) / NS_PER_MS - INTERVAL_S * 1000
            self._lags.append(max(late, 0.0))


@contextmanager
def no_long_collections() -> Iterator[None]:
    """Python's garbage collector leaves old objects alone: looking through them stops everything for 10 to 80 ms.

    Young ones are collected as ever. What the client keeps of an exchange holds no cycles, and goes without it.
    """
    thresholds = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(thresholds[0], thresholds[1], 1_000_000)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
