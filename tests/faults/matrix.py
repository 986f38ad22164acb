"""The fault matrix: what a server does, and what agenteval makes of it. One row per fault; `play` plays it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from agenteval.wire import Limits
from tests.client.server import head, sized
from tests.faults.server import Answer, streamed
from tests.stream.frames import DONE, ROLE, counted, event, frame

RETRIES = 2
"""Of the runs that are played here; a request is recorded three times if it is repeated each time."""

Place = Literal["served", "vanishes", "self-signed", "https to http", "unknown name", "not listening", "not accepting"]
"""Where the endpoint is: a server that lists its model and then answers each chat as the row says; the same, but it
stops listening once it has listed its model; or one of the places that cannot be reached at all."""

SANE = Limits()


@dataclass(frozen=True)
class Row:
    """A fault and its outcome in a run of one conversation. `says`: part of what is read on stderr or in the report.
    `kind`: of the error, in the client and in the journal; None, and the `findings`, of a step that is judged.
    `attempts`: the requests in the journal. `takeoff`: part of what is read when the fault hits the first request of
    all, before the run; None if the run begins all the same."""

    answer: Answer
    says: str
    kind: str | None = None
    findings: tuple[str, ...] = ()
    attempts: int = 1
    exit: int = 0
    takeoff: str | None = None
    limits: Limits = SANE
    place: Place = "served"


TOLD = ("stream_protocol",)
NEVER = Answer()


def unreachable(kind: str, place: Place, says: str, limits: Limits = SANE) -> Row:
    """Nothing can be asked: no run is begun."""
    return Row(NEVER, says, kind, attempts=0, exit=3, takeoff=says, place=place, limits=limits)


def lost(kind: str, says: str, answer: Answer, *, takeoff: str = "", attempts: int = RETRIES + 1) -> Row:
    """Infrastructure: repeated where that may help, in no score."""
    return Row(answer, says, kind, attempts=attempts, exit=3, takeoff=takeoff or says)


def slow(kind: str, says: str, answer: Answer, limits: Limits) -> Row:
    """A time-out: asked once more; it does not keep a run from taking off."""
    return Row(answer, says, kind, attempts=2, exit=3, limits=limits)


def fails(answer: Answer, findings: tuple[str, ...] = TOLD, limits: Limits = SANE) -> Row:
    """Judged, and found wrong."""
    return Row(answer, f"FAIL {findings[0]}", findings=findings, exit=1, limits=limits)


def fine(
    answer: Answer, findings: tuple[str, ...] = TOLD, says: str = "Turns ok: 1 of 1 judged", limits: Limits = SANE
) -> Row:
    """Judged by what was said; the breach, if it is one, is told and costs nothing."""
    return Row(answer, says, findings=findings, limits=limits)


def refusal(status: str, message: str, *headers: str) -> Answer:
    return Answer((sized(json.dumps({"error": {"message": message}}).encode(), *headers, status=status),))


def page(status: str, title: str) -> Answer:
    body = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>".encode()
    return Answer((sized(body, status=status, content_type="text/html"),))


SAID = frame({"content": "The answer is "})
HALF_CALL = frame({"tool_calls": [{"index": 0, "id": "c1", "function": {"name": "read_file", "arguments": '{"pa'}}]})
REST = frame({"content": "42."})
STOP = frame({}, "stop")
GOOD = (ROLE, SAID, REST, STOP, event({"choices": [], "usage": counted(6)}), DONE)
OK = streamed(*GOOD)


def with_frame(raw: bytes) -> Answer:
    """The good reply, with one more frame in its middle."""
    return streamed(ROLE, SAID, raw, *GOOD[2:])


def with_usage(usage: Any) -> Answer:
    """The good reply, with another usage."""
    return streamed(ROLE, SAID, REST, STOP, event({"choices": [], "usage": usage}), DONE)


def error(raw: bytes) -> Answer:
    """A beginning, an error, then usage that was made up, and [DONE] as if all were well."""
    return streamed(ROLE, SAID, raw, event({"choices": [], "usage": counted(0, 0)}), DONE)


REACHING: Mapping[str, Row] = {
    "nobody listens": unreachable("refused", "not listening", "nothing listens on 127.0.0.1"),
    "nobody accepts": unreachable(
        "timeout_connect",
        "not accepting",
        "accepted no connection within 0.05 s; --timeout-connect allows more",
        Limits(connect_s=0.05),
    ),
    "the name does not resolve": unreachable("dns", "unknown name", "the name 'no-such-host.invalid' does not resolve"),
    "https to a server without TLS": unreachable("tls", "https to http", "does it speak plain http://?"),
    "a self-signed certificate": unreachable("tls", "self-signed", "--insecure accepts it"),
    "the server goes away in mid-run": Row(
        NEVER,
        "Stopped: 1 of 1 conversations are not finished, because the endpoint has not answered",
        "refused",
        exit=3,
        place="vanishes",
        takeoff="nothing listens on",
    ),
}

SLOW_DOWN = "HTTP 429: slow down"
DATE = "Fri, 20 Nov 2026 10:00:00 GMT"

STATUS: Mapping[str, Row] = {
    "400": lost(
        "http_status",
        "HTTP 400: too long",
        refusal("400 Bad Request", "too long"),
        takeoff="refuses our request (HTTP 400: too long); is --dialect",
        attempts=1,
    ),
    "401": lost(
        "http_status",
        "HTTP 401: bad key",
        refusal("401 Unauthorized", "bad key"),
        takeoff="refuses the key (HTTP 401: bad key); give the right one with --api-key",
        attempts=1,
    ),
    "404": lost(
        "http_status",
        "HTTP 404: no such model",
        refusal("404 Not Found", "no such model"),
        takeoff="does not know the model 'tiny-model' (HTTP 404: no such model); choose another with --model",
        attempts=1,
    ),
    "413": lost("http_status", "HTTP 413: Too Large", page("413 Payload Too Large", "Too Large"), attempts=1),
    "422": lost(
        "http_status",
        "HTTP 422: bad field",
        Answer((sized(b'{"detail": [{"loc": ["body"], "msg": "bad field"}]}', status="422 Unprocessable"),)),
        attempts=1,
    ),
    "408": lost("http_status", "HTTP 408: waited", refusal("408 Request Timeout", "waited")),
    "429": lost("http_status", SLOW_DOWN, refusal("429 Too Many", "slow down")),
    "429, Retry-After in seconds": lost(
        "http_status", SLOW_DOWN, refusal("429 Too Many", "slow down", "retry-after: 0")
    ),
    "429, Retry-After as a date": lost(
        "http_status", SLOW_DOWN, refusal("429 Too Many", "slow down", f"retry-after: {DATE}", f"date: {DATE}")
    ),
    "429, retry-after-ms": lost("http_status", SLOW_DOWN, refusal("429 Too Many", "slow down", "retry-after-ms: 5")),
    "500": lost("http_status", "HTTP 500: boom", refusal("500 Internal Server Error", "boom")),
    "502, a page of HTML": lost("http_status", "HTTP 502: Bad Gateway", page("502 Bad Gateway", "Bad Gateway")),
    "503": lost("http_status", "HTTP 503: loading", refusal("503 Service Unavailable", "loading")),
    "a redirect": lost(
        "protocol",
        "redirects (307) to http://elsewhere/v1; give that address as the base URL",
        Answer((sized(b"", "location: http://elsewhere/v1", status="307 Temporary Redirect"),)),
        attempts=1,
    ),
}

SLOW: Mapping[str, Row] = {
    "headers one byte at a time": slow(
        "timeout_first_frame",
        "sent nothing of a reply within 0.1 s; --timeout allows more",
        Answer((b"HTTP/1.1 200 OK\r\n", b"x"), "drip"),
        Limits(first_frame_s=0.1),
    ),
    "headers, and no frame": slow(
        "timeout_first_frame",
        "sent nothing but headers within 0.05 s; --timeout allows more",
        streamed(then="hang"),
        Limits(first_frame_s=0.05),
    ),
    "keep-alives, and no frame": slow(
        "timeout_first_frame",
        "sent nothing but keep-alives within 0.1 s; --timeout allows more",
        streamed(b": ping\n\n", then="drip"),
        Limits(first_frame_s=0.1),
    ),
    "silence in mid-stream": slow(
        "timeout_between",
        "fell silent for 0.05 s inside its reply; --timeout-between allows more",
        streamed(ROLE, SAID, then="hang"),
        Limits(between_s=0.05),
    ),
    "hang after [DONE]": fine(streamed(*GOOD, then="hang"), limits=Limits(after_done_s=0.05)),
    "hang after [DONE], without a finish reason": slow(
        "timeout_between",
        "did not end its reply within 1 s of [DONE]",
        streamed(ROLE, SAID, DONE, then="hang"),
        Limits(),
    ),
    "hang after the finish reason": fine(streamed(*GOOD[:-1], then="hang"), TOLD * 2, limits=Limits(between_s=0.05)),
    "keep-alives without end after [DONE]": fine(
        streamed(*GOOD, b": ping\n\n", then="drip"), limits=Limits(after_done_s=0.1)
    ),
    "a stream without end": slow(
        "timeout_total",
        "took longer than 0.1 s; --timeout-total allows more",
        streamed(ROLE, SAID, then="drip"),
        Limits(total_s=0.1),
    ),
    "keep-alives between frames": fine(streamed(ROLE, SAID, b": ping\n\n", b": ping\n\n", *GOOD[2:]), ()),
}

LENGTH: Mapping[str, Row] = {
    "a frame of 100 MB": lost(
        "too_large",
        "a line in the reply of 127.0.0.1",
        Answer((head("content-type: text/event-stream"), b"data: ", *[b"x" * 100_000] * 1000), "close"),
        attempts=1,
    ),
    "headers without end": lost(
        "protocol",
        "bytes of HTTP headers and framing without any of a body",
        Answer((b"HTTP/1.1 200 OK\r\n", b"x: " + b"y" * 65_000 + b"\r\n"), "flood"),
        attempts=1,
    ),
}

BROKEN: Mapping[str, Row] = {
    "no answer, closed": lost("cut", "closed the connection without an answer", Answer((), "close")),
    "no answer, reset": lost("reset", "broke the connection", Answer((), "reset")),
    "cut inside the headers": lost("cut", "after 0 bytes of", Answer((b"HTTP/1.1 200 OK\r\ncontent-ty",), "close")),
    "cut after a frame": lost("cut", "closed the connection after", streamed(ROLE, SAID, then="close")),
    "cut after [DONE]": fine(streamed(*GOOD, then="close"), ()),
    "reset after a frame": lost("reset", "broke the connection", streamed(ROLE, SAID, then="reset")),
    "ended without finish reason and [DONE]": lost(
        "cut", "it stopped without a finish reason and [DONE]", streamed(ROLE, SAID)
    ),
    "[DONE] without a finish reason": lost("cut", "[DONE] came, but no finish reason", streamed(ROLE, SAID, DONE)),
    "a call that a gateway cut and closed with [DONE]": lost(
        "cut", "[DONE] came, but no finish reason", streamed(ROLE, HALF_CALL, DONE)
    ),
    "an upstream's plain text in mid-stream, then [DONE]": lost(
        "cut", "[DONE] came, but no finish reason", streamed(ROLE, SAID, b"data: Internal Server Error\n\n", DONE)
    ),
    "no HTTP": lost(
        "protocol", "is this an https:// endpoint?", Answer((b"SSH-2.0-OpenSSH_9.7\r\n",), "close"), attempts=1
    ),
    "compressed unasked": lost(
        "protocol", "compressed its reply (gzip) unasked", Answer((sized(b"x", "content-encoding: gzip"),)), attempts=1
    ),
}

NO_COMPLETION = "the body is no chat completion"

BODIES: Mapping[str, Row] = {
    "an empty body": lost("no_reply", NO_COMPLETION, Answer((sized(b"", content_type="text/event-stream"),))),
    "nothing but [DONE]": lost("no_reply", NO_COMPLETION, streamed(DONE)),
    "a page of HTML, and 200": lost("no_reply", f"{NO_COMPLETION} (text/html): Log in", page("200 OK", "Log in")),
    "JSON that is no completion": lost("no_reply", NO_COMPLETION, Answer((sized(b'{"status": "ok"}'),))),
    "a stream that calls itself JSON": fine(streamed(*GOOD, kind="application/json")),
    "a stream that calls itself HTML": fine(streamed(*GOOD, kind="text/html")),
}

FRAMES: Mapping[str, Row] = {
    "a line that is no field": fails(with_frame(b"oops\n\n")),
    "no blank line between two frames": fails(with_frame(b'data: {"choices": []}\n'), (*TOLD, "wrong_answer")),
    "invalid JSON in a frame": fails(with_frame(b'data: {"choices": [\n\n')),
    "invalid UTF-8 in a frame": fails(with_frame(b'data: {"choices": [{"delta": {"content": "\xff"}}]}\n\n')),
    "a frame of the wrong shape": fails(with_frame(event({"choices": [7]}))),
    "[DONE] twice": fine(streamed(*GOOD, DONE)),
    "no [DONE]": fine(streamed(*GOOD[:-1])),
}

OUT_OF_MEMORY = "out of memory"

ERRORS: Mapping[str, Row] = {
    "an error in mid-stream: an object": lost(
        "error_in_stream", OUT_OF_MEMORY, error(event({"error": {"message": OUT_OF_MEMORY, "code": 500}}))
    ),
    "an error in mid-stream: a string": lost("error_in_stream", OUT_OF_MEMORY, error(event({"error": OUT_OF_MEMORY}))),
    "an error in mid-stream: nested": lost(
        "error_in_stream", OUT_OF_MEMORY, error(event({"error": {"error": {"message": OUT_OF_MEMORY}}}))
    ),
    "an error in mid-stream: an event of type error": lost(
        "error_in_stream", OUT_OF_MEMORY, error(b'event: error\ndata: {"detail": "out of memory"}\n\n')
    ),
    "an error in mid-stream: bare JSON": lost(
        "error_in_stream", OUT_OF_MEMORY, error(b'{"object": "error", "message": "out of memory"}\n\n')
    ),
    "finish_reason abort": lost(
        "aborted", "the server ended the reply with finish_reason 'abort'", error(frame({}, "abort"))
    ),
}

USAGE: Mapping[str, Row] = {
    "no usage": fine(streamed(*GOOD[:4], DONE), (), "the server gave no usage: speeds are estimates"),
    "usage: null": fine(with_usage(None), ()),
    "usage with null counts": fine(with_usage({"prompt_tokens": None, "completion_tokens": None}), ()),
    "usage of negative counts": fine(with_usage(counted(-6))),
    "usage of huge counts": fine(with_usage(counted(10**12))),
    "more completion tokens than max_tokens": fine(with_usage(counted(900_000))),
    "usage of texts": fine(with_usage({"prompt_tokens": "10", "completion_tokens": "6"})),
    "usage of fractions": fine(with_usage({"prompt_tokens": 10, "completion_tokens": 6.5})),
    "0 completion tokens beside a text": fine(with_usage(counted(0))),
    "more cached than prompt tokens": fine(with_usage(counted(6) | {"prompt_tokens_details": {"cached_tokens": 99}})),
    "more reasoning than completion tokens": fine(
        with_usage(counted(6) | {"completion_tokens_details": {"reasoning_tokens": 7}})
    ),
    "usage that is no object": fine(with_usage("6")),
}

GROUPS: Mapping[str, Mapping[str, Row]] = {
    "Reaching the server": REACHING,
    "Refusals": STATUS,
    "Slowness": SLOW,
    "Length": LENGTH,
    "Broken connections": BROKEN,
    "Bodies": BODIES,
    "Frames": FRAMES,
    "Errors inside a reply": ERRORS,
    "Usage": USAGE,
}
MATRIX: Mapping[str, Row] = {name: row for rows in GROUPS.values() for name, row in rows.items()}
