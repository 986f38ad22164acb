"""The client watches itself: how late its event loop wakes up while it measures others."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from types import TracebackType

from agenteval.clock import NS_PER_MS, RealClock
from agenteval.stats import percentiles

INTERVAL_S = 0.02

LAG_BOUND_MS = 20.0
"""P99 of the loop's lag past which a run's latencies are not to be trusted."""


@dataclass(frozen=True, slots=True)
class SelfReport:
    """Lag of the event loop in ms: by how much a wake-up every 20 ms came late."""

    samples: int
    loop_lag_p50_ms: float | None
    loop_lag_p99_ms: float | None
    loop_lag_max_ms: float | None

    @property
    def valid(self) -> bool | None:
        """Whether the lag stayed within the bound; None if it was not seen."""
        return None if self.loop_lag_p99_ms is None else self.loop_lag_p99_ms <= LAG_BOUND_MS


class LoopWatch:
    """Samples the lag of the running loop between `async with` and its end. Not for virtual time."""

    def __init__(self) -> None:
        self._clock = RealClock()
        self._lags: list[float] = []

    async def __aenter__(self) -> LoopWatch:
        self._task = asyncio.create_task(self._sample())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def report(self) -> SelfReport:
        found = percentiles(self._lags)
        return SelfReport(found.n, found.p50, found.p99, max(self._lags, default=None))

    async def _sample(self) -> None:
        while True:
            before = self._clock.now()
            await self._clock.sleep(INTERVAL_S)
            late = (self._clock.now() - before) / NS_PER_MS - INTERVAL_S * 1000
            self._lags.append(max(late, 0.0))
