"""What is sent, and every kind of body that comes back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agenteval.client import HttpTransport
from agenteval.errors import UsageError
from tests.client.http.talking import GET, POST, once, talk
from tests.client.server import FAST, Answer, Server, Sink, chunked, head, sized


def test_the_request_is_written_as_it_should_be() -> None:
    async def scenario(transport: HttpTransport, server: Server) -> None:
        await transport.exchange(POST, Sink(), FAST)
        await transport.exchange(GET, Sink(), FAST)
        post, get = server.requests
        lines = post.partition(b"\r\n\r\n")[0].decode().split("\r\n")
        assert lines[0] == "POST /v1/chat/completions HTTP/1.1"
        assert {f"host: 127.0.0.1:{server.port}", "accept-encoding: identity", "content-length: 7"} <= set(lines)
        assert {"x-one: 1", "authorization: Bearer k", "content-type: application/json"} <= set(lines)
        assert post.endswith(b'\r\n\r\n{"a":1}')
        assert get.startswith(b"GET /version HTTP/1.1\r\n")
        assert b"content-length" not in get

    talk(scenario, [Answer((sized(b"{}"),)), Answer((sized(b"{}"),))])


def test_a_header_of_the_request_replaces_one_of_the_transport() -> None:
    async def scenario(transport: HttpTransport, server: Server) -> None:
        await transport.exchange(replace(POST, headers=(("Authorization", "Bearer other"),)), Sink(), FAST)
        assert server.requests[0].lower().count(b"authorization:") == 1
        assert b"Bearer other" in server.requests[0]

    talk(scenario, [Answer((sized(b"{}"),))])


def test_a_chunked_body_arrives_stamped_piece_by_piece() -> None:
    exchange, sink = once(Answer(chunked(b"one", b"two", b"three")))
    assert (exchange.status, exchange.fault, sink.body) == (200, None, b"onetwothree")
    assert sink.headers["content-type"] == "text/event-stream"
    assert dict(exchange.headers) == sink.headers
    stamps = [at for at, _ in sink.chunks]
    assert exchange.sent_at < stamps[0] < stamps[1] < stamps[2] <= exchange.ended_at
    assert exchange.reads == 3
    assert exchange.connect_ms is not None


def test_a_body_is_the_same_wherever_the_network_cuts_it() -> None:
    data = b"".join(chunked(b"data: a\n\n", "żółw".encode(), b"x" * 20))

    async def scenario(transport: HttpTransport, server: Server) -> None:
        for cut in range(len(data)):
            sink = Sink()
            exchange = await transport.exchange(POST, sink, FAST)
            assert (exchange.fault, sink.body) == (None, b"data: a\n\n" + "żółw".encode() + b"x" * 20), cut
        assert server.connections == 1

    talk(scenario, [Answer((data[:cut], data[cut:])) for cut in range(len(data))])


@pytest.mark.parametrize(
    "answer",
    [
        Answer((sized(b"body"),)),
        Answer((head(), b"bo", b"dy"), "close"),
        Answer((b"HTTP/1.0 200 OK\r\n\r\n", b"body"), "close"),
        Answer((head("connection: close", "content-length: 4"), b"body"), "close"),
        Answer((head(status="100 Continue"), b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n", sized(b"body"))),
        Answer((head("transfer-encoding: chunked"), b"4;ext=1\r\nbody\r\n0\r\ntrailer: x\r\n\r\n")),
    ],
)
def test_every_kind_of_body_is_read_to_its_end(answer: Answer) -> None:
    exchange, sink = once(answer)
    assert (exchange.status, exchange.fault, sink.body) == (200, None, b"body")
    assert "link" not in sink.headers


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_a_reply_without_a_body_ends_with_its_head(status: str) -> None:
    exchange, sink = once(Answer((head(status=status),)))
    assert (exchange.status, exchange.fault, sink.body) == (int(status[:3]), None, b"")


@pytest.mark.parametrize("status", [401, 404, 500])
def test_an_error_status_is_a_reply_and_no_fault(status: int) -> None:
    exchange, sink = once(Answer((sized(b'{"error": "x"}', status=f"{status} X"),)))
    assert (exchange.status, exchange.fault, sink.body) == (status, None, b'{"error": "x"}')


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("x one", "1", "is no name"),
        ("", "1", "is no name"),
        ("x", "s3cret\r\ny: z", "line break"),
        ("x", "s3cret\u20ac", "unsendable"),
        ("Host", "s3cret", "set by agenteval itself"),
        ("Accept-Encoding", "s3cret", "set by agenteval itself"),
    ],
)
def test_headers_that_would_break_the_request_are_refused_without_their_value(
    name: str, value: str, problem: str
) -> None:
    with pytest.raises(UsageError, match=problem) as caught:
        HttpTransport("http://localhost:1", headers=((name, value),))
    assert "s3cret" not in str(caught.value)
