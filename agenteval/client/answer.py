"""One HTTP/1.1 response while it arrives: stamped bytes in, head and body out to a receiver, and how it
ended."""

from __future__ import annotations

import asyncio

import httptools

from agenteval.client.address import Address
from agenteval.client.faults import closed_fault, redirect_fault
from agenteval.client.keepalive import FirstWord
from agenteval.wire import Exchange, Fault, Limits, Receiver

_BODILESS = {204, 304}

_DONE = tuple(b"data:%s[DONE]%s" % (blank, end * 2) for blank in (b" ", b"") for end in (b"\n", b"\r\n"))
"""Last bytes of a stream that has said all, if it sends them in one piece."""

MAX_BESIDE_BODY = 1024 * 1024
"""Bytes that may come without any of the body among them: heads, trailers, the spelling of chunks."""


class Answer:
    """Parses a response and ends exactly once, well or with a fault; then `ended` is resolved.

    Chunked, counted and read-until-close bodies are understood; interim (1xx) responses are skipped;
    redirects and compressed bodies are faults, because neither was asked for.
    """

    __slots__ = (
        *("chunked", "done_at", "ended", "ended_at", "fault", "first_word", "last_body_at", "reads", "reusable"),
        *("size", "spoken", "status", "touched", "where", "_asked", "_at", "_beside", "_head_done", "_headers"),
        *("_interim", "_line", "_max_bytes", "_max_line", "_parser", "_receiver", "_until_close"),
    )

    def __init__(self, receiver: Receiver, limits: Limits, asked: Address) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.ended_at = 0
        self.fault: Fault | None = None
        self.status: int | None = None
        self.chunked = False  # whether the head has come, and said so
        self.size = 0
        self.reads = 0
        self.last_body_at: int | None = None
        self.done_at: int | None = None  # when it said `[DONE]`
        self.spoken = False  # whether the body said anything yet that is no keep-alive
        self.first_word = FirstWord()
        self.touched = False  # whether any byte came
        self.reusable = False  # whether the connection may carry another exchange
        self.where = asked.where
        self._asked = asked
        self._receiver = receiver
        self._max_bytes = limits.max_bytes
        self._max_line = limits.max_line
        self._line = 0
        self._parser = httptools.HttpResponseParser(self)
        self._headers: list[tuple[str, str]] = []
        self._head_done = False
        self._interim = False
        self._until_close = False
        self._beside = 0
        self._at = 0

    def feed(self, data: bytes, at: int) -> None:
        """Take in bytes of the connection that arrived at `at`."""
        self._at = at
        self.touched = True
        before = self.size
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError as error:
            self._crash(error.__context__ or error)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._not_http(data, error)
        if self.size != before:
            self.reads += 1
            self.last_body_at = at
            self._beside = 0
        else:
            self._count_beside(len(data))

    def closed(self, error: Exception | None, at: int) -> None:
        """The connection has ended."""
        complete = self._head_done and self._until_close and error is None
        answered = self.touched
        self.end(None if complete else closed_fault(error, self.where, self.size, answered=answered), at)

    def release(self) -> None:
        """Nothing more is fed. The parser and this object hold each other, and both hold the recorded bytes."""
        del self._parser

    def end(self, fault: Fault | None, at: int) -> None:
        """End with a fault or without; the first end counts."""
        if not self.ended.done():
            self.fault = fault
            self.ended_at = at
            self.ended.set_result(None)

    @property
    def came(self) -> str:
        """What there is of a reply before its first frame."""
        if self.first_word.keep_alives:
            return "nothing but keep-alives"
        return "nothing of a reply" if self.status is None else "nothing but headers"

    def exchange(self, sent_at: int, connect_ms: float | None) -> Exchange:
        """How it went, as a value."""
        headers = tuple(self._headers)
        return Exchange(sent_at, self.ended_at, self.status, self.fault, connect_ms, headers, self.reads)

    def _crash(self, error: BaseException) -> None:
        """A bug in what takes the bytes is no fault of the server: it surfaces at the awaited exchange."""
        if not self.ended.done():
            self.ended.set_exception(error)

    def _count_beside(self, count: int) -> None:
        self._beside += count
        if self._beside > MAX_BESIDE_BODY:
            said = f"{self.where} sent {self._beside} bytes of HTTP headers and framing without any of a body"
            self.end(Fault("protocol", said), self._at)

    def _not_http(self, data: bytes, error: Exception) -> None:
        start = repr(data[:40].decode("latin-1"))
        hint = "" if self._head_done else "; is this an https:// endpoint?"
        self.end(Fault("protocol", f"{self.where} does not speak HTTP/1.1 ({error}) at {start}{hint}"), self._at)

    # Callbacks of the parser.

    def on_message_begin(self) -> None:
        if self.ended.done():
            self.reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._head_done:
            self._headers.append((name.decode("latin-1").lower(), value.decode("latin-1").strip()))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        self._interim = 100 <= status < 200
        if self._interim or self.ended.done():
            return
        self.status = status
        self._head_done = True
        headers = dict(self._headers)
        self.chunked = "transfer-encoding" in headers
        self._until_close = not (headers.keys() & {"content-length", "transfer-encoding"} or status in _BODILESS)
        self._receiver.head(status, tuple(self._headers), self._at)
        self._refuse(status, headers)

    def _refuse(self, status: int, headers: dict[str, str]) -> None:
        encoding = headers.get("content-encoding", "identity")
        if 300 <= status < 400 and "location" in headers:
            self.end(redirect_fault(status, headers["location"], self._asked), self._at)
        elif encoding.lower() not in ("", "identity"):
            self.end(Fault("protocol", f"{self.where} compressed its reply ({encoding}) unasked"), self._at)

    def on_body(self, body: bytes) -> None:
        self.size += len(body)
        line_end = body.rfind(b"\n")
        self._line = self._line + len(body) if line_end < 0 else len(body) - line_end - 1
        if self.size > self._max_bytes:
            self._too_large("the reply", self._max_bytes)
        elif self._line > self._max_line:
            self._too_large("a line in the reply", self._max_line)
        elif not self.ended.done():
            self.spoken = self.spoken or self.first_word.stands_in(body)
            if self.done_at is None and body.endswith(_DONE):
                self.done_at = self._at
            self._receiver.data(body, self._at)

    def _too_large(self, what: str, limit: int) -> None:
        self.end(Fault("too_large", f"{what} of {self.where} is longer than {limit:,} bytes"), self._at)

    def on_message_complete(self) -> None:
        if self._interim:
            self._headers.clear()
        elif not self.ended.done():
            self.reusable = self._parser.should_keep_alive()
            self.end(None, self._at)
