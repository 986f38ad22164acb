"""The measuring HTTP transport: HTTP/1.1 over pooled, pre-opened connections of our own.

Requests are composed before the clock starts, replies are stamped before anything reads them. Not covered:
HTTP/2, proxies (environment settings are ignored), redirects (refused), compression (not asked for, refused).
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Iterable
from dataclasses import replace

from agenteval import __version__
from agenteval.client.address import address_of
from agenteval.client.connection import Composed, Connection, open_connection
from agenteval.client.inbox import Inbox
from agenteval.clock import NS_PER_MS, NS_PER_S, Clock, RealClock
from agenteval.errors import UsageError
from agenteval.wire import Exchange, Fault, HttpRequest, Limits, Receiver

_LIMITS = Limits()

Headers = Iterable[tuple[str, str]]

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t -~\x80-\xff]*")
_OURS = {"host", "content-length", "transfer-encoding", "connection", "accept-encoding", "expect", "upgrade"}


STALE_WITHIN_S = 0.25
"""A kept connection that fails later than this had a server behind it, which may have worked on the request."""

KEPT_AT_LEAST_S = 1.0
"""A server that closes a connection sooner after its answer does not mean to keep it, whatever its head said."""


class HttpTransport:
    """Carries requests to one base URL. Exchanges beyond `max_connections` wait before their clock starts.

    A kept-alive connection that the server has closed in the meantime is replaced once, unnoticed: the
    exchange that counts is the one on the fresh connection. If that happens right after an answer (llama.cpp offers
    keep-alive and closes after each stream), none is kept from then on. Bound to the event loop that first uses it.
    """

    def __init__(
        self,
        base_url: str,
        *,
        headers: Headers = (),
        verify_tls: bool = True,
        max_connections: int = 256,
        clock: Clock | None = None,
    ) -> None:
        self.clock: Clock = clock or RealClock()
        self._address = address_of(base_url)
        self.base_url = self._address.url
        self._headers = _checked(headers)
        self._tls = _tls_context(verify_tls) if self._address.tls else None
        self._max_connections = max_connections
        self._slots = asyncio.Semaphore(max_connections)
        self._idle: list[Connection] = []
        self._inbox = Inbox(self.clock.now)
        self._keeping = True
        self._all: set[Connection] = set()

    async def prepare(self, n: int, limits: Limits = _LIMITS) -> Fault | None:
        """Open connections until `n` (at most `max_connections`) are idle; the first fault if that fails."""
        self._idle = [connection for connection in self._idle if connection.open]
        missing = min(n, self._max_connections) - len(self._idle)
        results = await asyncio.gather(*(self._open(limits) for _ in range(missing)))
        self._idle += [result for result in results if isinstance(result, Connection)]
        return next((result for result in results if isinstance(result, Fault)), None)

    async def exchange(self, request: HttpRequest, receiver: Receiver, limits: Limits) -> Exchange:
        """Send a request, push its reply into `receiver`, return faults. Cancelling closes the connection."""
        message = self._compose(request)
        async with self._slots:
            kept = self._take_idle()
            if kept is not None:
                idle_since = kept.idle_since
                result, answered = await self._ask(kept, message, receiver, limits, None)
                if answered or not _was_stale(result):
                    return result
                if result.sent_at - idle_since < KEPT_AT_LEAST_S * NS_PER_S:
                    self._keeping = False
                return replace(await self._ask_afresh(message, receiver, limits), resent=True)
            return await self._ask_afresh(message, receiver, limits)

    async def aclose(self) -> None:
        """Close every connection; exchanges under way end as cut."""
        connections = list(self._all)
        for connection in connections:
            connection.close()
        await asyncio.gather(*(connection.lost for connection in connections))

    async def _ask_afresh(self, message: Composed, receiver: Receiver, limits: Limits) -> Exchange:
        began = self.clock.now()
        opened = await self._open(limits)
        now = self.clock.now()
        if isinstance(opened, Fault):
            return Exchange(now, now, None, opened)
        result, _ = await self._ask(opened, message, receiver, limits, (now - began) / NS_PER_MS)
        return result

    async def _ask(
        self,
        connection: Connection,
        message: Composed,
        receiver: Receiver,
        limits: Limits,
        connect_ms: float | None,
    ) -> tuple[Exchange, bool]:
        result = await connection.ask(message, receiver, limits, connect_ms)
        if connection.open and self._keeping:
            self._idle.append(connection)
        else:
            connection.close()
        return result

    async def _open(self, limits: Limits) -> Connection | Fault:
        opened = await open_connection(self._address, self._tls, limits, self._new_connection)
        if isinstance(opened, Connection):
            self._all.add(opened)
            opened.lost.add_done_callback(lambda _: self._all.discard(opened))
        return opened

    def _new_connection(self) -> Connection:
        return Connection(self.clock, self._address, self._inbox)

    def _take_idle(self) -> Connection | None:
        """The connection used last, since it is the likeliest to be alive."""
        while self._idle:
            connection = self._idle.pop()
            if connection.open:
                return connection
        return None

    def _compose(self, request: HttpRequest) -> Composed:
        own = {
            "host": self._address.authority,
            "user-agent": f"agenteval/{__version__}",
            "accept-encoding": "identity",
        }
        if request.method == "POST":
            own |= {"content-type": "application/json", "content-length": str(len(request.body))}
        headers = own | self._headers | _checked(request.headers)
        lines = [f"{request.method} {self._address.target(request.path)} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join((*lines, "", "")).encode("latin-1"), request.body


def _was_stale(result: Exchange) -> bool:
    """Whether a kept connection had been closed before the request came: it fails at once, without an answer."""
    closed = result.fault is not None and result.fault.kind in ("cut", "reset")
    return closed and result.ended_at - result.sent_at < STALE_WITHIN_S * NS_PER_S


def _tls_context(verify: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _checked(headers: Headers) -> dict[str, str]:
    """Headers by lower-case name. Raises UsageError, without the value, for what would break a request."""
    checked: dict[str, str] = {}
    for name, value in headers:
        if not _TOKEN.fullmatch(name):
            raise UsageError(f"{name!r} is no name of an HTTP header")
        if name.lower() in _OURS:
            raise UsageError(f"the header {name} is set by agenteval itself")
        if not _VALUE.fullmatch(value):
            raise UsageError(f"the value of the header {name} holds a line break or other unsendable characters")
        checked[name.lower()] = value.strip()
    return checked
