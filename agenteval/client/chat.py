"""One timed chat completion: serialised before the clock starts, folded while it arrives, recorded as it
came."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

import msgspec

from agenteval.client.faults import quoted
from agenteval.clock import NS_PER_MS
from agenteval.outcome import StepError
from agenteval.stream import Defect, Fold, Reply, error_of, fold_whole
from agenteval.timing import Timeline
from agenteval.wire import SLOW, Exchange, Fault, HttpRequest, Limits, Recording, Transport, request_bytes

SERVER_GAVE_UP = frozenset({"abort", "error"})
"""Finish reasons by which vLLM and SGLang say that they, not the model, ended a reply."""

CHAT_PATH = "/v1/chat/completions"
MAX_EXCERPT = 100

_LIMITS = Limits()

Pairs = tuple[tuple[str, str], ...]

_SECRET_HEADER = re.compile(r"cookie|authorization|authenticate|api-?key|secret|token$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request and all that came of it.

    `error`: the server's message for a status that is not 2xx (the status stands in `exchange`). An error
    inside a 200 stream is `reply.error`. `retry_after_s`: how long the server asks to wait, None if it does
    not. `send_lag_ms`: from when this client was asked for the request to its first byte, serialising included and
    connecting not; None where that is not known.
    """

    exchange: Exchange
    reply: Reply
    timeline: Timeline
    recording: Recording
    error: str | None = None
    retry_after_s: float | None = None
    send_lag_ms: float | None = None

    @property
    def failure(self) -> StepError | None:
        """Why this attempt says nothing about the model; None if it can be judged.

        Infrastructure are a fault of the exchange (but for one that costs nothing of the reply), a status that is not
        2xx, an error inside the stream, a reply that the server says it aborted, a stream without a finish reason
        (gateways write `[DONE]` behind a part of a reply, too), and a 200 with no reply.
        """
        status, fault = self.exchange.status, self.exchange.fault
        if fault is not None and not costs_nothing(fault, self.reply):
            return StepError(fault.kind, fault.detail, status)
        if self.error is not None:
            return StepError("http_status", f"HTTP {status}: {self.error}", status)
        if self.reply.error is not None:
            return StepError("error_in_stream", quoted(self.reply.error), status)
        if self.reply.finish_reason in SERVER_GAVE_UP:
            said = f"the server ended the reply with finish_reason {self.reply.finish_reason!r}"
            return StepError("aborted", said, status)
        return self._unfinished()

    def _unfinished(self) -> StepError | None:
        reply, status = self.reply, self.exchange.status
        if reply.finish_reason is not None:
            return None
        if not (reply.content or reply.reasoning or reply.tool_calls):
            return StepError("no_reply", f"HTTP {status}, but {self._no_completion()}", status)
        if self.timeline.streamed:
            ending = (
                "[DONE] came, but no finish reason" if reply.done else "it stopped without a finish reason and [DONE]"
            )
            return StepError("cut", f"the stream does not say that the reply is whole: {ending}", status)
        return None

    def _no_completion(self) -> str:
        body = b"".join(chunk for _, chunk in self.recording.chunks).strip()
        excerpt = f": {http_error(body)[:MAX_EXCERPT]}" if body else ""
        kind = dict(self.exchange.headers).get("content-type", "no content type")
        return f"the body is no chat completion ({quoted(kind)}){excerpt}"


def costs_nothing(fault: Fault, reply: Reply) -> bool:
    """Whether all of a reply had come before the fault. A server that only stays silent after its finish reason has
    said all; one that breaks off has only after `[DONE]`."""
    whole = reply.finish_reason is not None
    return whole and (fault.kind in SLOW or (reply.done and fault.kind in ("cut", "reset")))


class Chat(Protocol):
    """A way to ask for one chat completion: `chat` below, or another client (see `sdk`)."""

    async def __call__(self, transport: Transport, body: Mapping[str, Any], *, limits: Limits) -> Attempt: ...


class _Listener:
    """Records body bytes, and folds them while they come when the reply is called a stream."""

    def __init__(self) -> None:
        self.chunks: list[tuple[int, bytes]] = []
        self.content_type = ""
        self.fold: Fold | None = None

    def head(self, status: int, headers: Pairs, at: int) -> None:
        self.content_type = dict(headers).get("content-type", "").lower()
        if status < 300 and "event-stream" in self.content_type:
            self.fold = Fold()

    def data(self, chunk: bytes, at: int) -> None:
        self.chunks.append((at, chunk))
        if self.fold is not None:
            self.fold.feed(chunk, at)

    @property
    def body(self) -> bytes:
        return b"".join(chunk for _, chunk in self.chunks)


async def chat(
    transport: Transport,
    body: Mapping[str, Any],
    *,
    headers: Pairs = (),
    limits: Limits = _LIMITS,
) -> Attempt:
    """Send one request and take its reply, streamed or whole. Never raises for what a server does."""
    accept = (("accept", "text/event-stream, application/json"),)
    ready_at = transport.clock.now()
    listener = _Listener()
    request = HttpRequest("POST", CHAT_PATH, accept + headers, request_bytes(body))
    exchange = await transport.exchange(request, listener, limits)
    attempt = _attempt(exchange, listener, asked_for_stream=body.get("stream") is True)
    lag = _send_lag_ms(exchange, ready_at)
    return replace(attempt, recording=replace(attempt.recording, request=body), send_lag_ms=lag)


def _send_lag_ms(exchange: Exchange, ready_at: int) -> float | None:
    """Unknown where no answer shows that the request left, or that it left at the first try."""
    if exchange.status is None or exchange.resent or exchange.replayed:
        return None
    return (exchange.sent_at - ready_at) / NS_PER_MS - (exchange.connect_ms or 0.0)


def _attempt(exchange: Exchange, listener: _Listener, *, asked_for_stream: bool) -> Attempt:
    sent_at, status = exchange.sent_at, exchange.status
    chunks = tuple((at - sent_at, chunk) for at, chunk in listener.chunks)
    headers = without_secrets(exchange.headers)
    recording = Recording(status, headers, chunks, exchange.ended_at - sent_at, exchange.fault)
    if status is None or not 200 <= status < 300:
        error = None if exchange.fault else http_error(listener.body)
        timeline = Timeline(sent_at, exchange.ended_at, streamed=False)
        return Attempt(exchange, Reply(), timeline, recording, error, retry_after_s(exchange.headers))
    reply, timeline = _folded(exchange, listener, asked_for_stream)
    if exchange.fault is not None and exchange.fault.kind in SLOW and costs_nothing(exchange.fault, reply):
        reply, timeline = _left_open(reply, timeline, listener.chunks)
    return Attempt(exchange, reply, timeline, recording)


def _left_open(reply: Reply, timeline: Timeline, chunks: Sequence[tuple[int, bytes]]) -> tuple[Reply, Timeline]:
    """A whole reply whose end never came: it took until its last word, the wait after that is no part of it."""
    ended_at = next((at for at, chunk in reversed(chunks) if not _keeps_alive(chunk)), timeline.ended_at)
    finish_at = timeline.finish_at if timeline.streamed else ended_at
    defect = Defect("left_open", "the reply was whole, and was then left open")
    return (
        replace(reply, defects=(*reply.defects, defect)),
        replace(timeline, ended_at=ended_at, finish_at=finish_at),
    )


def _keeps_alive(chunk: bytes) -> bool:
    return all(line.startswith(b":") for line in chunk.splitlines() if line.strip())


def _folded(exchange: Exchange, listener: _Listener, asked_for_stream: bool) -> tuple[Reply, Timeline]:
    """By content type; where that names no stream, by how the body begins."""
    sent_at, ended_at = exchange.sent_at, exchange.ended_at
    if listener.fold is not None:
        return listener.fold.finish(sent_at, ended_at)
    body = listener.body
    if body.lstrip()[:1] not in (b"{", b"[", b""):
        fold = Fold()
        for at, chunk in listener.chunks:
            fold.feed(chunk, at)
        reply, timeline = fold.finish(sent_at, ended_at)
        defect = Defect("content_type", f"a stream came as {listener.content_type or 'nothing in particular'}")
        return replace(reply, defects=(*reply.defects, defect)), timeline
    reply, timeline = fold_whole(body, sent_at=sent_at, ended_at=ended_at)
    if asked_for_stream and body.strip():
        defect = Defect("not_streamed", f"a stream was asked for, and {listener.content_type or 'JSON'} came")
        reply = replace(reply, defects=(*reply.defects, defect))
    return reply, timeline


def http_error(body: bytes) -> str:
    """The message in an error body: OpenAI's, SGLang's flat and FastAPI's shape, plain text, or a proxy's HTML page. As
    it may be `quoted`."""
    text = body[:20_000].decode("utf-8", "replace").strip()
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        value = None
    title = re.search(r"<title>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
    message = (isinstance(value, dict) and error_of(value)) or (title.group(1).strip() if title else text)
    return quoted(message) or "no message in an empty body"


def retry_after_s(headers: Pairs) -> float | None:
    """Seconds to wait, by `retry-after-ms` or `retry-after` (a number, or a date against the server's)."""
    values = dict(headers)
    milliseconds, after = values.get("retry-after-ms", ""), values.get("retry-after", "")
    if re.fullmatch(r"\d{1,12}(\.\d{1,9})?", milliseconds):
        return float(milliseconds) / 1000
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", after):
        return float(after)
    until, now = _http_date(after), _http_date(values.get("date", ""))
    return None if until is None or now is None else max(0.0, (until - now).total_seconds())


def _http_date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text) if text.endswith("GMT") else None
    except (ValueError, TypeError):
        return None


def without_secrets(headers: Pairs) -> Pairs:
    """Headers that may be recorded."""
    return tuple((name, value) for name, value in headers if not _SECRET_HEADER.search(name))
