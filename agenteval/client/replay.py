"""A conversation heard again from its recording: byte for byte and with the times that it had, but at once. Where the
recording ends, the endpoint goes on, if there is one."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from agenteval.clock import Clock
from agenteval.errors import DivergedError, EndpointError
from agenteval.masked import alike, holds_mask
from agenteval.wire import Exchange, HttpRequest, Limits, Receiver, Recording, Transport

Told = tuple[Mapping[str, Any] | None, Recording]
"""A request's body as it was recorded (None: not kept) and what came back."""


_MASKED = "a secret that is masked in the recording stands in this conversation, or agenteval or a policy has changed"


class RecordingOverError(EndpointError):
    """More is asked than was recorded, and there is no endpoint to ask."""


class ReplayTransport:
    """Answers the n-th request of one cell with the n-th reply that was recorded, the later ones by `live`.

    It is its own clock, because nobody has to wait between requests that are not sent. A request with other messages or
    tools than the recorded one had raises DivergedError; one too many without `live` RecordingOverError. A mask
    in a recorded request may stand for any text. Not covered: connect times; where a reply held a secret, the
    conversation goes on with asterisks in its place.
    """

    def __init__(self, cell: str, told: Iterable[Told], live: Transport | None = None) -> None:
        self._cell = cell
        self._left = deque(told)
        self._live = live
        self._heard = 0
        self._now = 0

    @property
    def clock(self) -> Clock:
        return self

    @property
    def hears_again(self) -> bool:
        """Whether the next request is answered from the recording."""
        return bool(self._left)

    def now(self) -> int:
        return self._live.clock.now() if self._live else self._now

    async def sleep(self, seconds: float) -> None:
        if self._live and not self._left:
            await self._live.clock.sleep(seconds)

    async def exchange(self, request: HttpRequest, receiver: Receiver, limits: Limits) -> Exchange:
        """The next reply with the times that it had, as if it had begun now; or the endpoint's answer."""
        if not self._left:
            return await self._ask(request, receiver, limits)
        self._heard += 1
        body, recording = self._left.popleft()
        self._check(request, body)
        began = self.now()
        if recording.status is not None:
            receiver.head(recording.status, recording.headers, began)
        for after, chunk in recording.chunks:
            receiver.data(chunk, began + after)
        self._now += recording.ended
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
        if self._live:
            await self._live.aclose()

    async def _ask(self, request: HttpRequest, receiver: Receiver, limits: Limits) -> Exchange:
        if self._live is None:
            raise RecordingOverError(f"{self._cell}: the recording holds {self._heard} replies, and one more is needed")
        return await self._live.exchange(request, receiver, limits)

    def _check(self, request: HttpRequest, recorded: Mapping[str, Any] | None) -> None:
        if recorded is None:
            return
        asked = msgspec.json.decode(request.body)
        for part in ("messages", "tools"):
            now, then = asked.get(part), recorded.get(part)
            if now != then and not alike(then, now):
                why = _MASKED if holds_mask(then) else "agenteval or a policy has changed since"
                raise DivergedError(
                    f"{self._cell}: request {self._heard} has other {part} than when it was recorded; {why}, and only "
                    "a new run can go on"
                )
