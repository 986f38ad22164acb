"""Servers that fail, through the openai SDK and through our own client: called alike, but for the differences in a
table, each with its reason; and nothing that a server sends raises."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import pytest

from agenteval.client import Attempt, HttpTransport, ReplayTransport, SdkChat, chat
from agenteval.wire import Limits
from tests.client.beside import BODY, both, in_one, streamed
from tests.client.server import FAST, Answer, chunked, serving, sized
from tests.stream.frames import DONE, ROLE, call, event, frame

QUICK = Limits(connect_s=5, first_frame_s=0.2, between_s=0.2, total_s=5)
OPEN = chunked(ROLE, frame({"content": "a"}))[:-1]
HTML = sized(b"<html><title>Gone</title></html>", status="502 Bad Gateway", content_type="text/html")

FAILURES: Mapping[str, tuple[Answer, Limits, str, str]] = {
    "an error in JSON": (
        Answer((sized(b'{"error": {"message": "no tools"}}', status="400 Bad Request"),), "close"),
        FAST,
        "http_status",
        "HTTP 400: no tools",
    ),
    "an error in HTML": (Answer((HTML,), "close"), FAST, "http_status", "HTTP 502: Gone"),
    "try later": (
        Answer((sized(b'{"detail": "slow down"}', "retry-after: 7", status="429 Too Many"),), "close"),
        FAST,
        "http_status",
        "HTTP 429: slow down",
    ),
    "elsewhere": (
        Answer((sized(b"", "location: http://else/", status="307 Temporary"),), "close"),
        FAST,
        "protocol",
        "redirects (307) to http://else/",
    ),
    "no answer": (Answer((), "hang"), QUICK, "timeout_first_frame", "sent nothing of a reply within 0.2 s"),
    "silence inside": (Answer(OPEN, "hang"), QUICK, "timeout_between", "fell silent for 0.2 s"),
    "too long": (Answer(OPEN, "hang"), replace(FAST, total_s=0.2), "timeout_total", "took longer than 0.2 s"),
    "closed inside": (Answer(OPEN, "close"), FAST, "cut", "closed the connection after"),
    "closed at once": (Answer((), "close"), FAST, "cut", "closed the connection without an answer"),
    "another protocol": (Answer((b"hello there\r\n\r\n",), "close"), FAST, "protocol", ""),
    "no finish, no [DONE]": (streamed(frame({"content": "a"})), FAST, "cut", "without a finish reason"),
    "no finish, but [DONE]": (streamed(frame({"content": "a"}), DONE), FAST, "cut", "finish reason"),
    "a log-in page": (
        Answer((sized(b"<html>", content_type="text/html"),), "close"),
        FAST,
        "no_reply",
        "no chat completion (text/html)",
    ),
    "an error of another shape": (
        streamed(event({"object": "error", "message": "boom"})),
        FAST,
        "error_in_stream",
        "boom",
    ),
}
"""Name → what the server does, the limits, and how both clients call it."""


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_is_the_same_through_both(name: str) -> None:
    answer, limits, kind, says = FAILURES[name]
    for attempt in both(answer, BODY, limits)[:2]:
        assert attempt.failure is not None
        assert attempt.failure.kind == kind
        assert says in attempt.failure.detail
    ours, theirs, _ = both(answer, BODY, limits)
    assert (ours.exchange.status, ours.retry_after_s) == (theirs.exchange.status, theirs.retry_after_s)
    assert ours.reply.content == theirs.reply.content


async def _unreachable(url: str) -> list[Attempt]:
    transport, sdk = HttpTransport(url), SdkChat(url)
    found = [await chat(transport, BODY, limits=FAST), await sdk(transport, BODY, limits=FAST)]
    await transport.aclose()
    await sdk.aclose()
    return found


@pytest.mark.parametrize(
    ("url", "kind"), [("http://127.0.0.1:1/v1", "refused"), ("http://no-such-name.invalid/v1", "dns")]
)
def test_an_endpoint_that_is_not_there_is_named_alike(url: str, kind: str) -> None:
    ours, theirs = asyncio.run(_unreachable(url))
    assert ours.failure == theirs.failure
    assert theirs.failure is not None
    assert theirs.failure.kind == kind


def test_a_certificate_is_checked_and_may_be_accepted() -> None:
    async def ask() -> list[Attempt]:
        async with serving([streamed(frame({"content": "a"}, "stop"), DONE)], tls=True) as server:
            url, found = server.url.replace("http:", "https:"), []
            for verify in (True, False):
                sdk = SdkChat(url, verify_tls=verify)
                found.append(await sdk(HttpTransport(url), BODY, limits=FAST))
                await sdk.aclose()
            return found

    refused, accepted = asyncio.run(ask())
    assert refused.failure is not None
    assert refused.failure.kind == "tls"
    assert "--insecure" in refused.failure.detail
    assert accepted.reply.content == "a"


STOP = frame({}, "stop")
APART: Mapping[str, tuple[Answer, str | None, str | None]] = {
    # A careful client drops the event and tells; the SDK's user gets a JSONDecodeError and no more of the reply.
    "an event that is no JSON": (streamed(frame({"content": "a"}), b"data: {oops\n\n", STOP, DONE), None, "protocol"),
    # Likewise with a UnicodeDecodeError.
    "an event that is no UTF-8": (
        streamed(frame({"content": "a"}), b'data: {"choices": [], "x": "\xff"}\n\n', STOP, DONE),
        None,
        "protocol",
    ),
    # The SDK looks for events in whatever comes, and finds none.
    "JSON where a stream was asked for": (in_one({"content": "a"}, "stop"), None, "no_reply"),
}
"""What the server sends, and what our client and the SDK call it (None: a reply that can be judged)."""


@pytest.mark.parametrize("name", APART)
def test_where_a_user_of_the_sdk_gets_less(name: str) -> None:
    answer, *kinds = APART[name]
    found = both(answer)[:2]
    assert [attempt.failure and attempt.failure.kind for attempt in found] == kinds
    assert found[0].reply.content == "a"


HOSTILE = [
    (b"data: 5\n\n", b"data: [1]\n\n", b'data: "x"\n\n', STOP),
    (event({"choices": [5, {"delta": 7}, {}], "usage": 3, "timings": []}), STOP),
    (frame({"content": 4, "reasoning": [], "tool_calls": [3, {"function": "x"}, {"id": 1}]}), STOP),
    (frame(call(index="q", arguments={"a": 1}, name="f")), frame(call(index=None, arguments="b")), STOP),
    (frame({"content": "a\ud83d"}), STOP),
    (event({"choices": "no"}), event({"choices": [], "usage": {"completion_tokens": -1}}), STOP),
    (event({"error": {"message": 5}}),),
    (event({"error": ["a", {"b": None}]}),),
    (b"data: {" + b'"a": {' * 5000 + b"\n\n",),
]


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_nothing_that_a_server_sends_makes_it_raise(number: int) -> None:
    _, theirs, _ = both(streamed(*HOSTILE[number]))
    (theirs.reply.content or "").encode()
    again = asyncio.run(chat(ReplayTransport("a cell", [(None, theirs.recording)]), BODY, limits=FAST))
    assert again.reply.finish_reason == theirs.reply.finish_reason
