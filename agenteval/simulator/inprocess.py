"""The simulator behind the transport seam: no socket, no thread, the clock of the running event loop.

Inside a `clock.VirtualLoop` a reply of minutes takes as long as its arithmetic. Limits hold in virtual time too.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from agenteval.clock import NS_PER_S, Clock
from agenteval.simulator.engine import Engine
from agenteval.simulator.routes import respond
from agenteval.wire import Exchange, Fault, FaultKind, HttpRequest, Limits, Receiver


class SimulatedTransport:
    """Carries requests to an engine in the same process."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.clock: Clock = engine.clock

    async def exchange(self, request: HttpRequest, receiver: Receiver, limits: Limits) -> Exchange:
        """Send, push the reply into `receiver`, return when it has ended or failed."""
        sent_at = self.clock.now()
        response = respond(self._engine, request.method, request.path.partition("?")[0], request.body)
        receiver.head(response.status, response.headers, sent_at)
        pump = _Pump(receiver, limits, self.clock, sent_at)
        async with aclosing(response.body) as body:
            fault = await pump.run(body)
        return Exchange(
            sent_at=sent_at,
            ended_at=self.clock.now(),
            status=response.status,
            fault=fault,
            headers=response.headers,
            reads=pump.reads,
        )

    async def aclose(self) -> None:
        """Nothing is open."""


class _Pump:
    """Pushes one body into a receiver, within limits. Its one timer looks whether the body is late and, where that has
    sent meanwhile, is set anew: one for every frame would cost as much as the frame."""

    def __init__(self, receiver: Receiver, limits: Limits, clock: Clock, sent_at: int) -> None:
        self._receiver = receiver
        self._limits = limits
        self._clock = clock
        self._sent_at = sent_at
        self._last_at = sent_at
        self._bytes = 0
        self.reads = 0

    async def run(self, body: AsyncGenerator[bytes, None]) -> Fault | None:
        try:
            async with asyncio.timeout(None) as patience:
                self._wait(patience)
                async for chunk in body:
                    self.reads += 1
                    self._bytes += len(chunk)
                    if self._bytes > self._limits.max_bytes:
                        return Fault("too_large", f"more than {self._limits.max_bytes} bytes")
                    self._last_at = self._clock.now()
                    self._receiver.data(chunk, self._last_at)
                    if self.reads == 1:  # from here on another limit holds, which may be shorter
                        self._timer.cancel()
                        self._wait(patience)
        except TimeoutError:
            seconds, kind = self._patience()
            return Fault(kind, f"nothing came for {seconds:g} s")
        finally:
            self._timer.cancel()
        return None

    def _wait(self, patience: asyncio.Timeout) -> None:
        due = self._last_at + round(self._patience()[0] * NS_PER_S)
        seconds = (due - self._clock.now()) / NS_PER_S
        self._timer = asyncio.get_running_loop().call_later(seconds, self._look, patience, due)

    def _look(self, patience: asyncio.Timeout, due: int) -> None:
        if self._last_at + round(self._patience()[0] * NS_PER_S) > due:
            self._wait(patience)
        else:
            patience.reschedule(0.0)  # long past

    def _patience(self) -> tuple[float, FaultKind]:
        """How long after the last read the next one may come, and what it is called when it comes later."""
        left = self._limits.total_s - (self._last_at - self._sent_at) / NS_PER_S
        kind: FaultKind = "timeout_between" if self.reads else "timeout_first_frame"
        seconds = self._limits.between_s if self.reads else self._limits.first_frame_s
        return (left, "timeout_total") if left < seconds else (seconds, kind)
