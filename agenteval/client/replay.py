"""A recording as an endpoint: the transport that answers with what was once received, byte for byte and in its time."""

from __future__ import annotations

from collections.abc import Iterable

from agenteval.clock import NS_PER_S, Clock
from agenteval.errors import EndpointError
from agenteval.wire import Exchange, HttpRequest, Limits, Receiver, Recording


class ReplayTransport:
    """Answers the n-th request with the n-th recording, whatever was asked; at the recorded pace of `clock`'s time.

    Not covered: connect times, and whether the requests are those of the recording. Raises EndpointError when it is
    asked more often than was recorded.
    """

    def __init__(self, recordings: Iterable[Recording], clock: Clock) -> None:
        self._left = iter(recordings)
        self.clock = clock

    async def exchange(self, request: HttpRequest, receiver: Receiver, limits: Limits) -> Exchange:
        """Push the next recording into the receiver. Recorded faults come back as they were."""
        recording = next(self._left, None)
        if recording is None:
            raise EndpointError("the recording has no reply left for this request")
        sent_at = self.clock.now()
        if recording.status is not None:
            receiver.head(recording.status, recording.headers, sent_at)
        for after, chunk in recording.chunks:
            await self._until(sent_at + after)
            receiver.data(chunk, self.clock.now())
        await self._until(sent_at + recording.ended)
        return Exchange(
            sent_at=sent_at,
            ended_at=self.clock.now(),
            status=recording.status,
            fault=recording.fault,
            headers=recording.headers,
            reads=len(recording.chunks),
        )

    async def aclose(self) -> None:
        pass

    async def _until(self, at: int) -> None:
        left = at - self.clock.now()
        if left > 0:
            await self.clock.sleep(left / NS_PER_S)
