"""One connection, one exchange at a time: bytes are stamped first thing, time-outs cost nothing per read."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import ExitStack
from itertools import cycle
from typing import Any, TypeAlias, cast

from agenteval.client.address import Address
from agenteval.client.answer import Answer
from agenteval.client.faults import connect_fault, timeout_fault
from agenteval.client.inbox import Inbox
from agenteval.clock import NS_PER_S, Clock
from agenteval.wire import Exchange, Fault, FaultKind, Limits, Receiver

Place: TypeAlias = tuple[Any, ...]
"""A socket address of any family."""

Composed: TypeAlias = tuple[bytes, bytes]
"""A request as it is sent: its head, and its body, which may be long and is not copied for that."""

MAX_UNREAD = 1024 * 1024
"""Bytes of one connection that may wait to be understood before no more is read from it."""

READ_AT_ONCE = 16
"""So many events of a stream are kept before they are understood: one by one, each would find the processor's caches
cold."""

EVENT_END = b"\n\n\r\n"
"""The end of an event in a chunk of its own: such a read never ends an answer, and may wait."""

_TURNS = cycle(range(READ_AT_ONCE))
"""When a stream is understood for the first time: those that begin together are not to be worked on together."""


class Connection(asyncio.Protocol):
    """An open connection. `ask` carries one exchange; an answer that nobody asked for closes it.

    `idle_since`: when it was opened, or its last exchange ended.
    """

    def __init__(self, clock: Clock, address: Address, inbox: Inbox) -> None:
        self.open = False
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._now = clock.now
        self.idle_since = self._now()
        self._address = address
        self._inbox = inbox
        self._reads: list[tuple[bytes, int]] = []  # what is still to be understood, with its stamps
        self._unread = 0  # bytes of that
        self._due = 1
        self._paused = False
        self._answer: Answer | None = None
        self._transport: asyncio.Transport | None = None

    async def ask(
        self, message: Composed, receiver: Receiver, limits: Limits, connect_ms: float | None
    ) -> tuple[Exchange, bool]:
        """Send a request and take its answer; and whether any byte of an answer came.

        Afterwards `open` tells whether the connection can be used again. Cancelling closes it.
        """
        assert self._transport is not None
        self._take()  # what came before anybody asked is no part of this answer: it closes the connection
        answer = self._answer = Answer(receiver, limits, self._address)
        self._due = 1 + next(_TURNS)
        sent_at = self._now()
        if self.open and not self._transport.is_closing():
            self._transport.writelines([part for part in message if part])
        else:
            answer.closed(None, sent_at)
        watch = _Watch(answer, limits, self._now, sent_at, self._take)
        try:
            await answer.ended
        finally:
            watch.stop()
            self._answer = None
            self.idle_since = self._now()
            answer.release()
            if self._unread or not answer.reusable:
                self.close()
        return answer.exchange(sent_at, connect_ms), answer.touched

    def close(self) -> None:
        """Close at once; nothing is waited for."""
        self.open = False
        if self._transport is not None:
            self._transport.abort()

    def _take(self) -> None:
        """Understand all that was read."""
        reads, self._reads, self._unread = self._reads, [], 0
        if self._paused:
            self._read_on(True)
        for data, at in reads:
            if self._answer is None:
                self.close()
            else:
                self._answer.feed(data, at)

    def _may_wait(self, data: bytes) -> bool:
        """Whether nothing can depend on this read that the next ones do not tell as well."""
        if len(self._reads) >= self._due or self._unread > MAX_UNREAD // 2 or data[-4:] != EVENT_END:
            return False
        return self._answer is not None and self._answer.chunked

    def _read_on(self, on: bool) -> None:
        self._paused = not on
        if self._transport is not None and not self._transport.is_closing():
            (self._transport.resume_reading if on else self._transport.pause_reading)()

    # Callbacks of the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.open = True

    def data_received(self, data: bytes) -> None:
        at = self._now()
        self._unread += len(data)
        self._reads.append((data, at))
        if self._may_wait(data):
            return
        self._due = READ_AT_ONCE
        self._inbox.put(self._take, at)
        if self._unread > MAX_UNREAD and not self._paused:
            self._read_on(False)  # a flood waits at the server; the times of what it sends tell nothing anyway

    def eof_received(self) -> None:
        at = self._now()
        self.open = False
        self._take()
        if self._answer is not None:
            self._answer.closed(None, at)

    def connection_lost(self, error: Exception | None) -> None:
        at = self._now()
        self.open = False
        self._take()
        if self._answer is not None:
            self._answer.closed(error, at)
        if not self.lost.done():
            self.lost.set_result(None)


class _Watch:
    """Ends an answer that passes a limit, with one timer that reads never touch."""

    def __init__(
        self, answer: Answer, limits: Limits, now: Callable[[], int], sent_at: int, take: Callable[[], None]
    ) -> None:
        self._answer = answer
        self._limits = limits
        self._now = now
        self._take = take
        self._sent_at = sent_at
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._check()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _check(self) -> None:
        now = self._now()
        self._take()  # what came in time may still wait
        due, kind = min(self._deadlines())
        if now >= due:
            self._answer.end(self._fault(kind), now)
        else:
            # What comes next may bring the deadline closer: never sleep longer than it then allows.
            delay = min((due - now) / NS_PER_S, self._limits.between_s, self._limits.after_done_s)
            self._timer = self._loop.call_later(delay, self._check)

    def _fault(self, kind: FaultKind) -> Fault:
        answer = self._answer
        if kind == "timeout_between" and answer.done_at is not None:
            said = f"{answer.where} did not end its reply within {self._limits.after_done_s:g} s of [DONE]"
            return Fault(kind, said)
        return timeout_fault(kind, answer.where, self._limits, answer.came)

    def _deadlines(self) -> tuple[tuple[int, FaultKind], ...]:
        limits, answer = self._limits, self._answer
        total = self._sent_at + round(limits.total_s * NS_PER_S)
        if answer.last_body_at is None or not answer.spoken:
            first = self._sent_at + round(limits.first_frame_s * NS_PER_S)
            return (total, "timeout_total"), (first, "timeout_first_frame")
        between = answer.last_body_at + round(limits.between_s * NS_PER_S)
        if answer.done_at is not None:
            between = min(between, answer.done_at + round(limits.after_done_s * NS_PER_S))
        return (total, "timeout_total"), (between, "timeout_between")


async def open_connection(
    address: Address, tls: ssl.SSLContext | None, limits: Limits, connection: Callable[[], Connection]
) -> Connection | Fault:
    """Resolve, connect and shake hands, within `connect_s`; the fault if that fails."""
    try:
        async with asyncio.timeout(limits.connect_s):
            sock = await _connected_socket(address)
            return await _wrapped(sock, address, tls, connection)
    except OSError as error:
        return connect_fault(error, address, limits)


async def _wrapped(
    sock: socket.socket, address: Address, tls: ssl.SSLContext | None, connection: Callable[[], Connection]
) -> Connection:
    """The loop owns the socket from here on, and closes it if the handshake fails."""
    _, opened = await asyncio.get_running_loop().create_connection(
        connection, sock=sock, ssl=tls, server_hostname=address.host if tls else None
    )
    return opened


async def _connected_socket(address: Address) -> socket.socket:
    """A socket to the first of the host's addresses that accepts; the first failure if none does."""
    failures: list[OSError] = []
    for family, place in await _resolve(address):
        try:
            return await _connect(family, place)
        except OSError as error:
            failures.append(error)
    raise failures[0]


async def _connect(family: int, place: Place) -> socket.socket:
    with ExitStack() as undo:
        sock = undo.enter_context(socket.socket(family, socket.SOCK_STREAM))
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(sock, place)
        undo.pop_all()
        return sock


async def _resolve(address: Address) -> list[tuple[int, Place]]:
    """Addresses of the host. A literal one is not sent through the loop's thread pool."""
    host, port, tcp = address.host, address.port, socket.SOCK_STREAM
    try:
        found = socket.getaddrinfo(host, port, type=tcp, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=tcp)
    return [(family, place) for family, _, _, _, place in found]
