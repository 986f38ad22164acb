"""The openai SDK as a second client: what it makes of every captured stream, beside what ours makes of the same bytes,
and that both send the same."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from agenteval.client import HttpTransport, ReplayTransport, SdkChat, chat
from agenteval.errors import UsageError
from tests.client.beside import BODY, NEVER_TOLD, WHOLE, both, in_one, shape, streamed, without
from tests.client.server import FAST, Answer, Server, serving, sized
from tests.stream.frames import DONE, ROLE, call, counted, event, final, frame

STREAMS = Path(__file__).parents[2] / "fixtures" / "streams"
CAPTURES = sorted(path.relative_to(STREAMS).as_posix() for path in STREAMS.rglob("*.sse"))

LOST: Mapping[str, tuple[str, ...]] = {
    # The error is the first event; the SDK raises there, and the chunk behind it, with model and id, is never seen.
    "sglang/error_in_200_stream_bad_grammar.sse": ("model", "id"),
}
"""Capture → the fields of the reply that the SDK loses."""


@pytest.mark.parametrize("name", CAPTURES)
def test_a_capture_is_the_same_reply_through_both(name: str) -> None:
    data = (STREAMS / name).read_bytes()
    ours, theirs, _ = both(streamed(data))
    lost = LOST.get(name, ())
    assert theirs.reply == without(ours.reply, *NEVER_TOLD, *lost)
    assert all(getattr(ours.reply, field) for field in lost), "what is called lost had been there"
    assert theirs.failure == ours.failure
    assert shape(theirs.timeline) == shape(ours.timeline)
    assert ours.recording.request == theirs.recording.request


@pytest.mark.parametrize("name", CAPTURES)
def test_what_the_sdk_yielded_is_recorded_and_can_be_heard_again(name: str) -> None:
    _, theirs, _ = both(streamed((STREAMS / name).read_bytes()))
    assert [after for after, _ in theirs.recording.chunks] == sorted(after for after, _ in theirs.recording.chunks)
    again = asyncio.run(chat(ReplayTransport("a cell", [(None, theirs.recording)]), BODY, limits=FAST))
    assert without(again.reply, "defects") == theirs.reply
    assert shape(again.timeline) == shape(theirs.timeline)
    assert again.failure == theirs.failure


def test_stamps_are_taken_as_chunks_come_and_not_at_the_end() -> None:
    _, theirs, _ = both(streamed(ROLE, frame({"content": "a"}), frame({"content": "b"}), frame({}, "stop"), DONE))
    times = theirs.timeline
    assert times.first_event_at is not None
    assert times.first_token_at is not None
    assert times.sent_at < times.first_event_at < times.first_token_at < times.chunk_times[1] < times.ended_at
    assert (theirs.exchange.connect_ms, theirs.exchange.reads) == (None, 4)


MESSAGE = {
    "role": "assistant",
    "content": "hi",
    "reasoning": "so",
    "tool_calls": [
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}},
        {"id": "b", "type": "function", "function": {"name": "g", "arguments": {"y": 2}}},
    ],
}


@pytest.mark.parametrize(
    "answer",
    [
        in_one(MESSAGE, usage=counted(4)),
        in_one({"content": None}, "stop", timings={"predicted_n": 4, "prompt_n": 3, "cache_n": 2}),
        in_one({"content": "cut"}, "length", usage={**counted(9), "reasoning_tokens": 5}),
        Answer((sized(b'{"error": {"message": "no room"}}'),), "close"),
    ],
)
def test_a_whole_reply_is_the_same_through_both(answer: Answer) -> None:
    ours, theirs, _ = both(answer, WHOLE)
    assert theirs.reply == without(ours.reply, *NEVER_TOLD)
    assert theirs.failure == ours.failure
    assert not theirs.timeline.streamed
    assert shape(theirs.timeline) == shape(ours.timeline)
    again = asyncio.run(chat(ReplayTransport("a cell", [(None, theirs.recording)]), WHOLE, limits=FAST))
    assert without(again.reply, "defects") == theirs.reply


COUNTED = frame({"content": "a"}, usage=counted(1))
ALIKE: Mapping[str, tuple[bytes, ...]] = {
    "a repeated name": (frame(call(0, "{", "f", "c1")), frame(call(0, "}", "f", "c1"))),
    "another name and id": (frame(call(0, "{", "f", "c1")), frame(call(0, "}", "g", "c2"))),
    "calls interleaved": (frame(call(1, "{", "g", "c2")), frame(call(0, "[", "f", "c1")), frame(call(1, "}"))),
    "a second choice": (
        frame({"content": "a"}),
        event({"choices": [{"index": 1, "delta": {"content": "b"}, "finish_reason": "length"}]}),
    ),
    "counts before the end": (COUNTED, final(3), frame({"content": "b"})),
    "counts, and then an error": (COUNTED, event({"error": "boom"})),
    "reasoning in both fields": (frame({"reasoning_content": "so", "reasoning": "so"}),),
    "token ids before text": (frame({}, token_ids=[1, 2]), frame({"content": "a"})),
}
"""What a client can get wrong when it puts a reply together."""


@pytest.mark.parametrize("name", ALIKE)
def test_a_reply_is_put_together_alike(name: str) -> None:
    ours, theirs, _ = both(streamed(*ALIKE[name], frame({}, "tool_calls"), DONE))
    assert theirs.reply == without(ours.reply, *NEVER_TOLD, *(("finish_reason",) if ours.reply.error else ()))
    assert shape(replace(theirs.timeline, finish_at=None)) == shape(replace(ours.timeline, finish_at=None))


def test_both_send_the_same_request(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("API_KEY", "ORG_ID", "PROJECT_ID", "BASE_URL"):
        monkeypatch.setenv(f"OPENAI_{name}", "http://from-the-environment")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    for body in (BODY, WHOLE):
        answer = streamed(frame({"content": "a"}, "stop"), DONE) if "stream" in body else in_one({"content": "a"})
        _, theirs, server = both(answer, body)
        (ours_head, ours_body), (sdk_head, sdk_body) = (request.split(b"\r\n\r\n") for request in server.requests)
        assert json.loads(ours_body) == json.loads(sdk_body) == theirs.recording.request
        assert ours_head.split(b"\r\n")[0] == sdk_head.split(b"\r\n")[0]
        assert b"authorization" not in sdk_head.lower(), "no key was given"
        assert b"from-the-environment" not in sdk_head


def test_key_and_headers_are_ours_and_nothing_is_tried_twice() -> None:
    async def ask() -> Server:
        async with serving([Answer((sized(b"busy", status="503 Busy"),), "close")]) as server:
            sdk = SdkChat(server.url, headers=(("x-one", "1"), ("authorization", "Bearer k"), ("user-agent", "me")))
            await sdk(HttpTransport(server.url), BODY, limits=FAST)
            await sdk.aclose()
            return server

    (request,) = asyncio.run(ask()).requests
    lines = request.lower().split(b"\r\n")
    for line in (b"x-one: 1", b"authorization: bearer k", b"user-agent: me", b"accept-encoding: identity"):
        assert lines.count(line) == 1
    assert sum(line.startswith(b"authorization:") for line in lines) == 1


def test_a_resumed_conversation_is_heard_again_before_the_sdk_asks() -> None:
    async def ask() -> tuple[list[str | None], list[bytes]]:
        async with serving([streamed(frame({"content": "live"}, "stop"), DONE)]) as server:
            live, sdk = HttpTransport(server.url), SdkChat(server.url)
            kept = (await chat(live, BODY, limits=FAST)).recording
            chunks = tuple((at, chunk.replace(b"live", b"kept")) for at, chunk in kept.chunks)
            transport = ReplayTransport("a cell", [(None, replace(kept, chunks=chunks))], live)
            said = [(await sdk(transport, BODY, limits=FAST)).reply.content for _ in range(2)]
            await transport.aclose()
            await sdk.aclose()
            return said, server.requests

    said, (_, asked) = asyncio.run(ask())
    assert said == ["kept", "live"]
    assert b"x-stainless-lang" in asked.lower(), "the SDK has asked"


def test_without_the_sdk_a_sentence_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(UsageError, match=r"pip install openai"):
        SdkChat("http://127.0.0.1:1/v1")
