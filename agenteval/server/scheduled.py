"""The scheduled server: streams that keep to a time schedule as exactly as Python can, and a record of when it really
sent what.

One thread, its own loop over ready sockets, which sleeps until the next frame is due (to the microsecond, as no event
loop does). Frames are made before they are due; each is one write, stamped just before. The stamps are those of the
machine's monotonic clock, which all its processes share: a client on the same machine is late by its own stamp less
this one, whether the server kept its schedule or not.

What it answers: chat completions (see `schedule` for the model's name), streamed or whole; `GET /v1/models`;
`GET /records`, the streams so far, and `POST /records`, which also forgets them. Not covered: TLS, pipelining, request
bodies sent in HTTP chunks. Any path may have a prefix.
"""

from __future__ import annotations

import gc
import heapq
import json
import os
import re
import select
import selectors
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from agenteval.clock import NS_PER_MS, NS_PER_S, RealClock
from agenteval.errors import UsageError
from agenteval.server.response import JSON, SSE, error_body
from agenteval.server.schedule import PREFIX, STREAM_HEADER, Schedule, Sent, due_frames, parse_schedule, whole_reply

MAX_REQUEST = 64 * 1024 * 1024
RECEIVE = 256 * 1024
LOOK_UP_S = 1.0
"""How often it looks whether it is still wanted."""

# Fields of the request's JSON, found without reading all of it; inside a text their quotes would be escaped.
_MODEL = re.compile(rb'"model"\s*:\s*"([^"\\]{1,300})"')
_STREAM = re.compile(rb'"stream"\s*:\s*true')
_INCLUDE_USAGE = re.compile(rb'"include_usage"\s*:\s*true')
_LENGTH = re.compile(rb"\r\ncontent-length:\s*(\d{1,12})\r\n", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Play:
    """What is written when: `offsets` in ns after `began_at`."""

    offsets: tuple[int, ...]
    pieces: tuple[bytes, ...]


@lru_cache(maxsize=64)
def _play(schedule: Schedule, usage_asked: bool) -> _Play:
    due = list(due_frames(schedule, usage_asked=usage_asked))
    pieces = [b"%x\r\n%s\r\n" % (len(frame), frame) for _, frame in due]
    pieces[-1] += b"0\r\n\r\n"
    return _Play(tuple(offset for offset, _ in due), tuple(pieces))


def run_scheduled(listener: socket.socket, max_seconds: float) -> None:
    """Serve until the time is over, or the process that started this one is gone."""
    gc.collect()
    gc.freeze()
    gc.disable()
    ScheduledServer(listener).run(max_seconds)


class ScheduledServer:
    """All connections and what is due on them."""

    def __init__(self, listener: socket.socket, now: Callable[[], int] = RealClock.now) -> None:
        listener.setblocking(False)
        self.records: list[Sent] = []
        self._now = now
        self._listener = listener
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ, self._accept)
        self._due: list[tuple[int, int, _Connection, _Play, Sent]] = []
        self._streams = 0

    def run(self, max_seconds: float) -> None:
        """Returns when the time is over, or the parent process has changed."""
        parent, over = os.getppid(), self._now() + round(max_seconds * NS_PER_S)
        look_up = 0
        while (now := self._now()) < over:
            if self._due and self._due[0][0] <= now:
                self._send_due(now)
            self._handle_ready(self._patience())
            if now > look_up:
                look_up = now + round(LOOK_UP_S * NS_PER_S)
                if os.getppid() != parent:
                    break
        self.close()

    def close(self) -> None:
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]  # all of them are sockets
        self._selector.close()

    def schedule(self, connection: _Connection, play: _Play, record: Sent) -> None:
        """From now on the pieces of a stream are sent when they are due."""
        self.records.append(record)
        heapq.heappush(self._due, (record.began_at + play.offsets[0], record.stream, connection, play, record))

    def next_stream(self) -> int:
        self._streams += 1
        return self._streams

    def watch(self, connection: _Connection, events: int) -> None:
        self._selector.modify(connection.sock, events, connection.ready)

    def forget(self, connection: _Connection) -> None:
        self._selector.unregister(connection.sock)

    def _patience(self) -> float:
        """Seconds until the next piece is due."""
        left = (self._due[0][0] - self._now()) / NS_PER_S if self._due else LOOK_UP_S
        return min(max(left, 0.0), LOOK_UP_S)

    def _handle_ready(self, patience: float) -> None:
        """Wait for sockets, and serve those that are ready.

        An epoll or kqueue waits in whole milliseconds; `select` on it in microseconds.
        """
        ready, _, _ = select.select([self._selector], [], [], patience)
        if ready:
            for key, events in self._selector.select(0):
                key.data(events)

    def _send_due(self, until: int) -> None:
        """Send every piece that was due by then, in the order of their times."""
        due, now = self._due, self._now
        while due and due[0][0] <= until:
            _, stream, connection, play, record = due[0]
            sent = record.sent
            piece = play.pieces[len(sent)]
            sent.append(now())
            connection.send(piece)
            if connection.closed or len(sent) == len(play.pieces):
                heapq.heappop(due)
            else:
                heapq.heapreplace(due, (record.began_at + play.offsets[len(sent)], stream, connection, play, record))

    def _accept(self, _: int) -> None:
        with suppress(BlockingIOError, ConnectionError):
            while True:
                sock, _address = self._listener.accept()
                sock.setblocking(False)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection = _Connection(sock, self, self._now)
                self._selector.register(sock, selectors.EVENT_READ, connection.ready)


class _Connection:
    """One client's socket: requests in, one at a time, and bytes out that may have to wait."""

    __slots__ = ("_first_read_at", "_missing", "_now", "_parts", "_server", "_unsent", "closed", "sock")

    def __init__(self, sock: socket.socket, server: ScheduledServer, now: Callable[[], int]) -> None:
        self.sock = sock
        self.closed = False
        self._server = server
        self._now = now
        self._parts: list[bytes] = []
        self._missing = 0  # bytes of the body that are known to be still to come
        self._first_read_at = 0
        self._unsent = bytearray()

    def ready(self, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            self._send_rest()
        if events & selectors.EVENT_READ and not self.closed:
            self._receive()

    def send(self, data: bytes) -> None:
        """Write now; what the socket does not take is written as soon as it does."""
        if self.closed:
            return
        if self._unsent:
            self._unsent += data
            return
        try:
            taken = self.sock.send(data)
        except BlockingIOError:
            taken = 0
        except OSError:
            self._close()
            return
        if taken < len(data):
            self._unsent += data[taken:]
            self._server.watch(self, selectors.EVENT_READ | selectors.EVENT_WRITE)

    def _send_rest(self) -> None:
        data = bytes(self._unsent)
        self._unsent.clear()
        self._server.watch(self, selectors.EVENT_READ)
        self.send(data)

    def _close(self) -> None:
        self.closed = True
        self._server.forget(self)
        self.sock.close()

    def _receive(self) -> None:
        try:
            data = self.sock.recv(RECEIVE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._close()
            return
        if not self._parts:
            self._first_read_at = self._now()
        self._parts.append(data)
        self._missing -= len(data)
        if self._missing <= 0:
            self._look(b"".join(self._parts))

    def _look(self, request: bytes) -> None:
        """Answer the request if it has come whole; else learn how much is missing."""
        head, found, body = request.partition(b"\r\n\r\n")
        length = _LENGTH.search(head + b"\r\n") if found else None
        size = int(length[1]) if length else 0
        if max(size, len(request)) > MAX_REQUEST:
            self._answer(413, error_body(413, f"requests may have {MAX_REQUEST:,} bytes", None))
            self._close()
        elif found and size <= len(body):
            self._parts.clear()
            self._missing = 0
            self._respond(head, body)
        else:
            self._parts = [request]
            self._missing = size - len(body) if found else 0

    def _respond(self, head: bytes, body: bytes) -> None:
        method, _, rest = head.partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        if path.endswith(b"/chat/completions") and method == b"POST":
            self._chat(body)
        elif path.endswith(b"/models"):
            self._answer(200, _json({"object": "list", "data": [{"id": PREFIX, "object": "model"}]}))
        elif path.endswith(b"/records"):
            self._answer(200, _json([_told(record) for record in self._server.records]))
            if method == b"POST":
                self._server.records.clear()
        else:
            self._answer(404, error_body(404, "there are /v1/chat/completions, /v1/models and /records", None))

    def _chat(self, body: bytes) -> None:
        named = _MODEL.search(body)
        model = named[1].decode("latin-1") if named else ""
        try:
            schedule = parse_schedule(model)
        except UsageError as error:
            self._answer(400, error_body(400, str(error), "model"))
            return
        streamed = _STREAM.search(body) is not None
        now, number = self._now(), self._server.next_stream()
        began = -(-now // (pace := round(schedule.align * NS_PER_MS))) * pace if schedule.align else now
        record = Sent(number, model, len(body), self._first_read_at, now, began)
        if streamed:
            play = _play(schedule, _INCLUDE_USAGE.search(body) is not None)
            self.send(_head(200, SSE, (STREAM_HEADER, str(number)), ("transfer-encoding", "chunked")))
        else:
            reply = whole_reply(schedule)
            head = _head(200, JSON, (STREAM_HEADER, str(number)), ("content-length", str(len(reply))))
            play = _Play(schedule.chunk_offsets[-1:], (head + reply,))
        self._server.schedule(self, play, record)

    def _answer(self, status: int, body: bytes) -> None:
        self.send(_head(status, JSON, ("content-length", str(len(body)))) + body)


_REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 413: "Content Too Large"}


def _head(status: int, kind: str, *headers: tuple[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} {_REASONS[status]}", f"content-type: {kind}", *(f"{k}: {v}" for k, v in headers)]
    return "\r\n".join((*lines, "", "")).encode()


def _told(record: Sent) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__slots__}


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
