"""One chat completion: what is sent, what is folded, what is recorded, and how failures look."""

from __future__ import annotations

import asyncio
import json
from types import MappingProxyType
from typing import Any

import pytest

from agenteval.client import Attempt, HttpTransport, chat
from agenteval.clock import NS_PER_MS
from agenteval.stream import Reply, Usage
from agenteval.timing import measure
from agenteval.wire import Fault, FaultKind, Limits
from tests.client.scripted import SENT, Scripted
from tests.client.server import Answer, chunked, serving, sized
from tests.stream.frames import DONE, ROLE, call, event, final, frame

HELLO = [(5.0, ROLE), (100.0, frame({"content": "hi"})), (110.0, frame({}, "stop") + final(2) + DONE)]
JSON = (("content-type", "application/json; charset=utf-8"),)
BODY = {"model": "m", "messages": [], "stream": True}


def attempt(transport: Scripted, body: Any = None, **options: Any) -> Attempt:
    return asyncio.run(chat(transport, BODY if body is None else body, **options))


def whole(**message: Any) -> bytes:
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return json.dumps({"id": "c", "choices": [choice], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}).encode()


def test_the_body_is_sent_as_json_in_the_order_of_its_keys() -> None:
    transport = Scripted(HELLO)
    body = MappingProxyType({"z": 1, "messages": ({"content": "é"},), "tools": MappingProxyType({"a": None})})
    limits = Limits(total_s=1)
    attempt(transport, body, headers=(("x-one", "1"),), limits=limits)
    (request,) = transport.requests
    assert (request.method, request.path) == ("POST", "/v1/chat/completions")
    assert request.body == '{"z":1,"messages":[{"content":"é"}],"tools":{"a":null}}'.encode()
    assert ("x-one", "1") in request.headers
    assert transport.limits == [limits]


def test_a_stream_is_folded_timed_and_recorded() -> None:
    found = attempt(Scripted(HELLO))
    assert (found.reply.content, found.reply.finish_reason, found.reply.usage) == ("hi", "stop", Usage(10, 2))
    assert found.timeline.first_token_at == SENT + 100 * NS_PER_MS
    assert found.recording.chunks == tuple((round(ms * NS_PER_MS), data) for ms, data in HELLO)
    assert (found.recording.status, why(found), found.error) == (200, None, None)


def test_a_recording_holds_no_secret_headers() -> None:
    headers = (("content-type", "text/event-stream"), ("set-cookie", "s"), ("x-api-key", "s"), ("x-request-id", "7"))
    found = attempt(Scripted(HELLO, headers=(*headers, ("www-authenticate", "s"), ("authorization", "s"))))
    assert found.recording.headers == (("content-type", "text/event-stream"), ("x-request-id", "7"))


def test_a_reply_in_one_piece_is_read_by_its_content_type() -> None:
    body = whole(content="hi", tool_calls=[{"id": "x", "function": {"name": "f", "arguments": "{}"}}])
    found = attempt(Scripted([(90, body[:20]), (95, body[20:])], headers=JSON), {"stream": False})
    assert (found.reply.content, found.reply.tool_calls[0].name, found.reply.defects) == ("hi", "f", ())
    timing = measure(found.timeline, 2, estimated=False, calls_valid=True, hides_markup=False)
    assert (timing.total_ms, timing.dispatch_ms, timing.ttft_ms) == (95, 95, None)


def test_json_where_a_stream_was_asked_for_is_read_and_is_a_defect() -> None:
    found = attempt(Scripted([(90, whole(content="hi"))], headers=JSON))
    assert (found.reply.content, [defect.kind for defect in found.reply.defects]) == ("hi", ["not_streamed"])


@pytest.mark.parametrize("headers", [(), (("content-type", "text/plain"),)])
def test_without_a_content_type_the_body_tells_what_it_is(headers: tuple[tuple[str, str], ...]) -> None:
    streamed = attempt(Scripted(HELLO, headers=headers))
    in_one = attempt(Scripted([(90, b"\n" + whole(content="hi"))], headers=headers), {})
    assert (streamed.reply.content, in_one.reply.content) == ("hi", "hi")
    assert streamed.timeline.first_token_at == SENT + 100 * NS_PER_MS
    assert not in_one.timeline.streamed


def why(found: Attempt) -> str | None:
    """Why an attempt cannot be judged, in words."""
    return found.failure.detail if found.failure else None


# --- failures -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"error": {"message": "boom", "type": "x", "code": 404}}', "boom"),
        (b'{"object": "error", "message": "boom", "type": "BadRequest", "code": 400}', "boom"),
        (b'{"error": {"code": 500, "message": "boom", "type": "server_error"}}', "boom"),
        (b'{"detail": "boom"}', "boom"),
        (b'{"detail": [{"loc": ["body"], "msg": "boom"}]}', "boom"),
        (b'{"error": "boom"}', "boom"),
        (b"boom\n", "boom"),
        (b"<html><head><TITLE> 502 Bad Gateway </TITLE></head>", "502 Bad Gateway"),
        (b"", "no message in an empty body"),
        (b'{"odd": 1}', '{"odd": 1}'),
        (b"\xff", "\ufffd"),
        (b"x" * 9000, "x" * 500),
        (
            b'{"error": {"message": "Incorrect API key provided: sk-abcdefgh12345."}}',
            "Incorrect API key provided: sk-…",
        ),
    ],
)
def test_the_message_of_an_error_status(body: bytes, message: str) -> None:
    found = attempt(Scripted([(9, body)] if body else [], status=404, headers=JSON))
    assert found.error == message
    assert why(found) == f"HTTP 404: {message}"
    assert (found.exchange.status, found.reply) == (404, Reply())
    assert found.recording.chunks == (((9 * NS_PER_MS, body),) if body else ())


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ((), None),
        ((("retry-after", "7"),), 7),
        ((("retry-after", "0.5"),), 0.5),
        ((("retry-after-ms", "250"), ("retry-after", "7")), 0.25),
        ((("retry-after", "Fri, 20 Nov 2026 10:00:30 GMT"), ("date", "Fri, 20 Nov 2026 10:00:00 GMT")), 30),
        ((("retry-after", "Fri, 20 Nov 2026 10:00:00 GMT"), ("date", "Fri, 20 Nov 2026 10:00:30 GMT")), 0),
        ((("retry-after", "Fri, 20 Nov 2026 10:00:30 GMT"),), None),
        ((("retry-after", "soon"),), None),
        ((("retry-after", "99 Foo 2026 99:99:99 GMT"), ("date", "Fri, 20 Nov 2026 10:00:00 GMT")), None),
        ((("retry-after", "-5"),), None),
        ((("retry-after", "9" * 400),), None),
    ],
)
def test_how_long_the_server_asks_to_wait(headers: tuple[tuple[str, str], ...], seconds: float | None) -> None:
    assert attempt(Scripted(status=429, headers=headers)).retry_after_s == seconds


def test_an_error_inside_a_200_stream_is_a_failure() -> None:
    found = attempt(Scripted([(5, ROLE), (9, event({"error": "boom"}) + final(1) + DONE)]))
    assert (why(found), found.error, found.reply.usage) == ("boom", None, None)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b""),
        ("text/event-stream", b""),
        ("text/event-stream", b": ping\n\n"),
        ("text/html", b"<html><title>Log in</title></html>"),
        ("application/json", b"[1, 2]"),
    ],
)
def test_a_200_without_a_reply_is_a_failure(kind: str, body: bytes) -> None:
    found = attempt(Scripted([(5, body)] if body else [], headers=(("content-type", kind),)))
    assert found.failure is not None
    assert (found.failure.kind, found.failure.status) == ("no_reply", 200)
    assert kind in found.failure.detail


def test_a_stream_that_just_stops_is_a_failure() -> None:
    assert attempt(Scripted([(5, ROLE), (9, frame({"content": "hi"}))])).failure is not None
    closed = attempt(Scripted([(5, ROLE), (9, frame({"content": "hi"})), (11, DONE)]))
    assert "[DONE] came, but no finish reason" in (why(closed) or ""), "a gateway closes what its upstream broke off"


@pytest.mark.parametrize("reason", ["abort", "error"])
def test_a_reply_that_the_server_gave_up_is_a_failure(reason: str) -> None:
    given_up = event({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
    found = attempt(Scripted([(5, ROLE), (9, frame({"content": "hi"})), (11, given_up + DONE)]))
    assert found.failure is not None
    assert found.failure.kind == "aborted"


def test_a_fault_keeps_what_had_come() -> None:
    fault = Fault("cut", "the box closed the connection")
    found = attempt(Scripted(HELLO[:2], fault=fault))
    assert (why(found), found.reply.content) == ("the box closed the connection", "hi")
    assert found.exchange.fault == fault
    assert len(found.recording.chunks) == 2


KEEP_ALIVE = (120_110.0, b": ping\n\n")


@pytest.mark.parametrize("kind", ["timeout_between", "timeout_total"])
def test_a_whole_reply_that_is_left_open_is_kept_and_took_no_longer_for_it(kind: FaultKind) -> None:
    found = attempt(Scripted([*HELLO, KEEP_ALIVE], fault=Fault(kind, "too slow")))
    assert found.failure is None
    assert found.exchange.ended_at - SENT == 120_110 * NS_PER_MS
    assert found.timeline == attempt(Scripted(HELLO)).timeline
    assert [defect.kind for defect in found.reply.defects] == ["left_open"]


def test_a_whole_body_of_json_that_is_left_open_is_kept() -> None:
    pieces = [(50.0, whole(content="hi")), (120_050.0, b"\n")]
    found = attempt(Scripted(pieces, headers=JSON, fault=Fault("timeout_between", "too slow")), {"model": "m"})
    assert (found.failure, found.reply.content) == (None, "hi")
    assert found.timeline == attempt(Scripted(pieces[:1], headers=JSON), {"model": "m"}).timeline


@pytest.mark.parametrize(("kind", "pieces"), [("timeout_between", HELLO[:2]), ("cut", [(5.0, frame({}, "stop"))])])
def test_what_may_still_have_come_is_missed(kind: FaultKind, pieces: list[tuple[float, bytes]]) -> None:
    """Silence before the finish reason, a broken connection before [DONE]."""
    found = attempt(Scripted(pieces, fault=Fault(kind, "gone")))
    assert why(found) == "gone"


def test_a_fault_before_any_reply() -> None:
    found = attempt(Scripted(status=None, headers=(), fault=Fault("refused", "nothing listens")))
    assert (why(found), found.error, found.reply, found.recording.status) == ("nothing listens", None, Reply(), None)


def test_a_value_that_cannot_be_sent_is_a_bug_of_ours() -> None:
    with pytest.raises(TypeError, match="object cannot be sent as JSON"):
        attempt(Scripted(HELLO), {"messages": object()})


# --- over a socket ------------------------------------------------------------------------------------------


def test_a_tool_call_over_a_socket() -> None:
    named = frame(call(0, "", "read_file", "call_1"))
    pieces = chunked(ROLE, named, frame(call(0, '{"path": "ż'))[:-60], frame(call(0, '{"path": "ż'))[-60:])
    pieces = (*pieces[:-1], *chunked(frame(call(0, '"}')), frame({}, "tool_calls"), final(9), DONE)[1:])

    async def main() -> Attempt:
        async with serving([Answer(pieces)]) as server:
            transport = HttpTransport(server.url)
            found = await chat(transport, BODY)
            await transport.aclose()
            return found

    found = asyncio.run(main())
    assert found.failure is None
    assert found.reply.tool_calls[0].arguments_text == '{"path": "ż"}'
    assert b"".join(chunk for _, chunk in found.recording.chunks).endswith(DONE)
    timeline = found.timeline
    assert timeline.first_event_at is not None
    assert timeline.first_tool_name_at is not None
    assert timeline.last_argument_at is not None
    assert timeline.sent_at < timeline.first_event_at < timeline.first_tool_name_at < timeline.last_argument_at


def test_an_error_status_over_a_socket() -> None:
    async def main() -> Attempt:
        body = b'{"error": {"message": "no such model"}}'
        async with serving([Answer((sized(body, "retry-after: 3", status="503 Busy"),))]) as server:
            transport = HttpTransport(server.url)
            found = await chat(transport, BODY)
            await transport.aclose()
            return found

    found = asyncio.run(main())
    assert (why(found), found.retry_after_s) == ("HTTP 503: no such model", 3)
