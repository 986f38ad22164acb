"""The simulator as an HTTP server in real time, for any client. The paths are those of `routes`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypedDict, Unpack

from agenteval.clock import Clock, RealClock
from agenteval.server import listen
from agenteval.simulator.engine import Engine
from agenteval.simulator.library import Library
from agenteval.simulator.profiles import Profile
from agenteval.simulator.routes import respond


@dataclass(frozen=True, slots=True)
class Hurried:
    """A clock whose time passes `speed` times as fast as another's."""

    clock: Clock
    speed: float

    def now(self) -> int:
        return round(self.clock.now() * self.speed)

    async def sleep(self, seconds: float) -> None:
        await self.clock.sleep(seconds / self.speed)


class Timing(TypedDict, total=False):
    """`speed`: how many times as fast as the profile; `max_seconds` (real ones): when the server stops by itself."""

    speed: float
    max_seconds: float | None


async def serve(
    profile: Profile,
    library: Library,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    ready: Callable[[int], None],
    **timing: Unpack[Timing],
) -> None:
    """Serve a deployment until interrupted or out of time. `ready` is told the port; 0 takes a free one."""
    engine = Engine(profile, library, Hurried(RealClock(), timing.get("speed", 1.0)))
    await serve_engine(engine, host, port, ready=ready, max_seconds=timing.get("max_seconds"))


async def serve_engine(
    engine: Engine, host: str, port: int, *, ready: Callable[[int], None], max_seconds: float | None = None
) -> None:
    """Serve an engine in the time of its own clock. Raises UsageError if it cannot listen there."""
    await listen.serve(partial(respond, engine), host, port, ready=ready, max_seconds=max_seconds)
