"""A conversation taken up again: what was recorded is heard again at once, then the endpoint is asked."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from agenteval.clock import Clock
from agenteval.wire import Exchange, HttpRequest, Limits, Receiver, Recording, Transport


class ResumingTransport:
    """Answers the first requests of one cell from its recordings, in order and without waiting; the others live.

    It is its own clock, because nobody has to wait between requests that are not sent.
    """

    def __init__(self, recordings: Iterable[Recording], live: Transport) -> None:
        self._left = deque(recordings)
        self._live = live

    @property
    def clock(self) -> Clock:
        return self

    @property
    def hears_again(self) -> bool:
        """Whether the next request is answered from a recording."""
        return bool(self._left)

    def now(self) -> int:
        return self._live.clock.now()

    async def sleep(self, seconds: float) -> None:
        if not self._left:
            await self._live.clock.sleep(seconds)

    async def exchange(self, request: HttpRequest, receiver: Receiver, limits: Limits) -> Exchange:
        """The next recording with the times that it had, as if it had begun now; or the endpoint's answer."""
        if not self._left:
            return await self._live.exchange(request, receiver, limits)
        recording, began = self._left.popleft(), self.now()
        if recording.status is not None:
            receiver.head(recording.status, recording.headers, began)
        for after, chunk in recording.chunks:
            receiver.data(chunk, began + after)
        return Exchange(
            sent_at=began,
            ended_at=began + recording.ended,
            status=recording.status,
            fault=recording.fault,
            headers=recording.headers,
            reads=len(recording.chunks),
            replayed=True,
        )

    async def aclose(self) -> None:
        await self._live.aclose()
