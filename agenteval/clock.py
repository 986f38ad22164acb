"""The only clock: monotonic nanoseconds for durations, the wall for stamps, and virtual time for the simulator.

All durations are differences of `Clock.now()`. `VirtualLoop` is an event loop whose clock jumps to the next
wake-up instead of waiting for it: what takes 25 minutes takes as long as its arithmetic, and is identical every
time. Not covered: threads, executors and real sockets inside a virtual loop.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000


class Clock(Protocol):
    """Reads time and sleeps; the two are of one piece, so that virtual time stays consistent."""

    def now(self) -> int:
        """Monotonic nanoseconds; only differences mean anything."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds` of this clock's time."""
        ...


class RealClock:
    """The machine's monotonic clock."""

    now: Callable[[], int] = staticmethod(time.perf_counter_ns)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class LoopClock:
    """The running event loop's time in ns: virtual inside a `VirtualLoop`."""

    def now(self) -> int:
        return round(asyncio.get_running_loop().time() * NS_PER_S)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class _JumpingSelector(selectors.DefaultSelector):
    """Advances `elapsed` (seconds) by the time-out that it was asked to wait, and never waits."""

    elapsed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout:
            self.elapsed += timeout
        elif not ready and timeout is None:
            raise RuntimeError("a virtual event loop has nothing left to wait for")
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in virtual time that starts at 0."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.elapsed


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in virtual time, in an event loop of its own."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


def wall_stamp() -> str:
    """The time of day in UTC, ISO 8601 with milliseconds; for records, never for durations."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def cpu_seconds() -> float:
    """CPU seconds this process has used; for reports about the client itself."""
    return time.process_time()
