"""A transport that plays a script in time that the script tells; the seam makes mocks unnecessary."""

from __future__ import annotations

from collections.abc import Sequence

from agenteval.clock import NS_PER_MS, Clock, RealClock
from agenteval.wire import Exchange, Fault, HttpRequest, Limits, Receiver

SENT = 1_000 * NS_PER_MS


class Scripted:
    """Answers every request with the same status, headers and body pieces, each at its ms after sending."""

    def __init__(
        self,
        pieces: Sequence[tuple[float, bytes]] = (),
        *,
        status: int | None = 200,
        headers: tuple[tuple[str, str], ...] = (("content-type", "text/event-stream"),),
        fault: Fault | None = None,
    ) -> None:
        self.clock: Clock = RealClock()
        self.requests: list[HttpRequest] = []
        self.limits: list[Limits] = []
        self._pieces = pieces
        self._status = status
        self._headers = headers
        self._fault = fault

    async def exchange(self, request: HttpRequest, receiver: Receiver, limits: Limits) -> Exchange:
        self.requests.append(request)
        self.limits.append(limits)
        at = SENT
        if self._status is not None:
            receiver.head(self._status, self._headers, at)
        for ms, piece in self._pieces:
            at = SENT + round(ms * NS_PER_MS)
            receiver.data(piece, at)
        return Exchange(SENT, at, self._status, self._fault, None, self._headers, len(self._pieces))

    async def aclose(self) -> None:
        """Nothing is open."""
