"""The HTTP transport against a raw loopback server: bodies, connections, limits, and each fault."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from agenteval.client import HttpTransport
from agenteval.client.address import address_of
from agenteval.client.faults import connect_fault
from agenteval.clock import NS_PER_S, RealClock
from agenteval.errors import UsageError
from agenteval.wire import Exchange, Fault, HttpRequest, Limits, Receiver
from tests.client.server import FAST, LOCALHOST_PEM, Answer, Server, Sink, chunked, head, serving, sized

POST = HttpRequest("POST", "/v1/chat/completions", (("x-one", "1"),), b'{"a":1}')
GET = HttpRequest("GET", "/version")

Talk = Callable[[HttpTransport, Server], Awaitable[None]]


@pytest.fixture(autouse=True, params=["asyncio", "uvloop"])
def event_loop_kind(request: pytest.FixtureRequest) -> None:
    """Everything here holds on asyncio's own loop and on uvloop."""
    Loops.factory = pytest.importorskip("uvloop").new_event_loop if request.param == "uvloop" else None


class Loops:
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None


def run(main: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=Loops.factory) as runner:
        runner.run(main)


def talk(
    scenario: Talk, *scripts: list[Answer], tls: bool = False, url: str | None = None, verify_tls: bool = True
) -> None:
    """Run a scenario against a server with these scripts."""

    async def main() -> None:
        async with serving(*scripts, tls=tls) as server:
            address = (url or server.url).replace(":0/", f":{server.port}/")
            transport = HttpTransport(address, headers=(("authorization", "Bearer k"),), verify_tls=verify_tls)
            try:
                await scenario(transport, server)
            finally:
                await transport.aclose()

    run(main())


def once(answer: Answer, limits: Limits = FAST, request: HttpRequest = POST) -> tuple[Exchange, Sink]:
    """One exchange on a fresh connection."""
    sink, results = Sink(), []

    async def scenario(transport: HttpTransport, server: Server) -> None:
        results.append(await transport.exchange(request, sink, limits))

    talk(scenario, [answer])
    return results[0], sink


def fault_of(exchange: Exchange) -> Fault:
    assert exchange.fault is not None
    return exchange.fault


# --- requests and bodies ------------------------------------------------------------------------------------


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


# --- connections --------------------------------------------------------------------------------------------


def test_a_connection_is_kept_and_used_again() -> None:
    async def scenario(transport: HttpTransport, server: Server) -> None:
        first, second = [await transport.exchange(POST, Sink(), FAST) for _ in range(2)]
        assert (first.fault, second.fault, server.connections) == (None, None, 1)
        assert first.connect_ms is not None
        assert second.connect_ms is None

    talk(scenario, [Answer(chunked(b"a")), Answer((sized(b"b"),))])


def test_a_connection_that_the_server_will_close_is_not_used_again() -> None:
    async def scenario(transport: HttpTransport, server: Server) -> None:
        for _ in range(2):
            assert (await transport.exchange(POST, Sink(), FAST)).fault is None
        assert server.connections == 2

    talk(scenario, [Answer((sized(b"a", "connection: close"),), "close")])


def test_a_connection_that_was_closed_while_idle_is_replaced_unnoticed() -> None:
    async def scenario(transport: HttpTransport, server: Server) -> None:
        await transport.exchange(POST, Sink(), FAST)
        await server.closed.wait()
        sink = Sink()
        exchange = await transport.exchange(POST, sink, FAST)
        assert (exchange.fault, sink.body, server.connections) == (None, b"b", 2)

    talk(scenario, [Answer((sized(b"a"),), "close")], [Answer((sized(b"b"),))])


@pytest.mark.parametrize("then", ["close", "reset"])
def test_a_kept_connection_that_breaks_before_any_byte_is_replaced_once(then: str) -> None:
    """The server takes the second request on the kept connection and goes away, as at the end of its keep-alive."""
    gone = Answer((), "close" if then == "close" else "reset")

    async def scenario(transport: HttpTransport, server: Server) -> None:
        await transport.exchange(POST, Sink(), FAST)
        sink = Sink()
        exchange = await transport.exchange(POST, sink, FAST)
        assert (exchange.fault, sink.body, server.connections) == (None, b"b", 2)
        assert exchange.connect_ms is not None

    talk(scenario, [Answer((sized(b"a"),)), gone], [Answer((sized(b"b"),))])


def test_a_server_that_closes_right_after_each_answer_gets_a_fresh_connection_each_time() -> None:
    """llama.cpp's offers keep-alive and closes after each stream: each request would first be lost."""

    async def scenario(transport: HttpTransport, server: Server) -> None:
        exchanges = [await transport.exchange(POST, Sink(), FAST) for _ in range(4)]
        assert [exchange.resent for exchange in exchanges] == [False, True, False, False]
        assert (server.connections, len(server.requests)) == (4, 5)

    talk(scenario, [Answer((sized(b"a"),)), Answer((), "close")])


def test_a_connection_that_broke_after_a_long_pause_says_nothing_of_the_next() -> None:
    clock, ahead = RealClock(), [0]
    real = clock.now
    clock.now = lambda: real() + ahead[0]

    async def main() -> None:
        answers = [Answer((sized(b"b"),))] * 2
        async with serving([Answer((sized(b"a"),)), Answer((), "close")], answers) as server:
            transport = HttpTransport(server.url, clock=clock)
            await transport.exchange(POST, Sink(), FAST)
            ahead[0] = 60 * NS_PER_S
            assert (await transport.exchange(POST, Sink(), FAST)).resent
            await transport.exchange(POST, Sink(), FAST)
            assert server.connections == 2
            await transport.aclose()

    run(main())


def test_a_fresh_connection_that_breaks_is_not_tried_again() -> None:
    exchange, _ = once(Answer((), "close"))
    assert fault_of(exchange).kind == "cut"
    assert "without an answer" in fault_of(exchange).detail


def test_a_kept_connection_that_breaks_inside_a_reply_is_not_tried_again() -> None:
    async def scenario(transport: HttpTransport, server: Server) -> None:
        await transport.exchange(POST, Sink(), FAST)
        exchange = await transport.exchange(POST, Sink(), FAST)
        assert (fault_of(exchange).kind, server.connections) == ("cut", 1)

    talk(scenario, [Answer((sized(b"a"),)), Answer(chunked(b"a")[:2], "close")], [Answer((sized(b"b"),))])


def test_connections_can_be_opened_beforehand() -> None:
    async def scenario(transport: HttpTransport, server: Server) -> None:
        assert await transport.prepare(3) is None
        exchanges = await asyncio.gather(*(transport.exchange(POST, Sink(), FAST) for _ in range(3)))
        assert [exchange.connect_ms for exchange in exchanges] == [None, None, None]
        assert server.connections == 3

    talk(scenario, [Answer((sized(b"a"),))])


def test_exchanges_beyond_the_bound_wait_their_turn() -> None:
    async def scenario(transport: HttpTransport, server: Server) -> None:
        bounded = HttpTransport(server.url, max_connections=2)
        exchanges = await asyncio.gather(*(bounded.exchange(POST, Sink(), FAST) for _ in range(6)))
        assert [exchange.fault for exchange in exchanges] == [None] * 6
        assert server.connections == 2
        await bounded.aclose()

    talk(scenario, [Answer((sized(b"a"),))] * 6)


def test_cancelling_closes_the_connection() -> None:
    async def scenario(transport: HttpTransport, server: Server) -> None:
        sink = Sink()
        task = asyncio.ensure_future(transport.exchange(POST, sink, FAST))
        while not sink.chunks:
            await transport.clock.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(server.closed.wait(), 5)
        assert (await transport.exchange(POST, Sink(), FAST)).fault is None

    talk(scenario, [Answer(chunked(b"a")[:2], "hang")], [Answer((sized(b"b"),))])


def test_bytes_that_nobody_asked_for_end_a_kept_connection() -> None:
    async def scenario(transport: HttpTransport, server: Server) -> None:
        await transport.exchange(POST, Sink(), FAST)
        sink = Sink()
        exchange = await transport.exchange(POST, sink, FAST)
        assert (exchange.fault, sink.body, server.connections) == (None, b"b", 2)

    talk(scenario, [Answer((sized(b"a") + sized(b"smuggled"),))], [Answer((sized(b"b"),))])


def test_bytes_that_come_while_a_connection_is_idle_close_it() -> None:
    async def scenario(transport: HttpTransport, server: Server) -> None:
        await transport.exchange(POST, Sink(), FAST)
        await server.closed.wait()
        sink = Sink()
        exchange = await transport.exchange(POST, sink, FAST)
        assert (exchange.fault, sink.body, server.connections) == (None, b"b", 2)

    talk(scenario, [Answer((sized(b"a"), sized(b"smuggled")))], [Answer((sized(b"b"),))])


def test_closing_the_transport_ends_what_is_under_way() -> None:
    async def scenario(transport: HttpTransport, server: Server) -> None:
        sink = Sink()
        task = asyncio.ensure_future(transport.exchange(POST, sink, FAST))
        while not sink.chunks:
            await transport.clock.sleep(0)
        await transport.aclose()
        assert fault_of(await task).kind == "cut"

    talk(scenario, [Answer(chunked(b"a")[:2], "hang")])


# --- limits -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "pieces", "kind"),
    [
        (replace(FAST, first_byte_s=0.02), (), "timeout_first_byte"),
        (replace(FAST, first_byte_s=0.02), (head("content-length: 9"),), "timeout_first_byte"),
        (replace(FAST, between_s=0.02), chunked(b"a")[:2], "timeout_between"),
        (replace(FAST, total_s=0.02), chunked(b"a")[:2], "timeout_total"),
    ],
)
def test_each_time_limit(limits: Limits, pieces: tuple[bytes, ...], kind: str) -> None:
    exchange, sink = once(Answer(pieces, "hang"), limits)
    assert fault_of(exchange).kind == kind
    assert "127.0.0.1" in fault_of(exchange).detail
    assert "0.02 s" in fault_of(exchange).detail
    assert 20e6 <= exchange.ended_at - exchange.sent_at < 2e9
    assert sink.body == (b"a" if len(pieces) == 2 else b"")


def test_a_connection_that_is_not_accepted_in_time_is_a_fault() -> None:
    """The backlog of a socket that nobody accepts from is full after a few connections."""

    async def main() -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(0)
            transport = HttpTransport(f"http://127.0.0.1:{listener.getsockname()[1]}")
            assert await transport.prepare(1) is None
            fault = await transport.prepare(8, replace(FAST, connect_s=0.05))
            assert fault is not None
            assert fault.kind == "timeout_connect"
            await transport.aclose()

    run(main())


def test_a_body_beyond_the_bound_is_a_fault_and_is_not_passed_on() -> None:
    exchange, sink = once(Answer(chunked(b"x" * 60, b"y" * 60)), replace(FAST, max_bytes=100))
    assert fault_of(exchange).kind == "too_large"
    assert sink.body == b"x" * 60


# --- faults -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (Answer(chunked(b"abc")[:2], "close"), "cut", "closed the connection after 3 bytes"),
        (Answer((head("content-length: 9"), b"abc"), "close"), "cut", "after 3 bytes"),
        (Answer((b"HTTP/1.1 200 OK\r\ncontent-le",), "close"), "cut", "after 0 bytes"),
        (Answer((head("content-length: 9"), b"abc"), "reset"), "reset|cut", "after 3 bytes"),
        (Answer((b"SSH-2.0-OpenSSH_9.7\r\n",), "close"), "protocol", "is this an https:// endpoint?"),
        (Answer((head("transfer-encoding: chunked"), b"zz\r\n"), "close"), "protocol", "does not speak HTTP/1.1"),
        (
            Answer((head("content-encoding: gzip", "content-length: 1"), b"x")),
            "protocol",
            "compressed its reply (gzip)",
        ),
        (Answer((head("upgrade: h2c", "connection: upgrade", status="101 X"),), "close"), "protocol", "HTTP/1.1"),
        (
            Answer((sized(b"", "location: https://elsewhere/v1", status="307 Temporary Redirect"),)),
            "protocol",
            "redirects (307) to https://elsewhere/v1; give that address as the base URL",
        ),
    ],
)
def test_each_fault_of_a_reply(answer: Answer, kind: str, words: str) -> None:
    exchange, _ = once(answer)
    assert fault_of(exchange).kind in kind.split("|")
    assert words in fault_of(exchange).detail
    assert "127.0.0.1" in fault_of(exchange).detail


def test_a_port_where_nothing_listens_is_a_fault_that_says_so() -> None:
    async def main() -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            port = unused.getsockname()[1]
            exchange = await HttpTransport(f"http://localhost:{port}").exchange(POST, Sink(), FAST)
        assert exchange.fault == Fault(
            "refused", f"nothing listens on localhost:{port}; is the server running, and is this its port?"
        )
        assert exchange.status is None
        assert exchange.sent_at == exchange.ended_at

    run(main())


def test_a_name_that_does_not_resolve_is_a_fault_that_says_so() -> None:
    async def main() -> None:
        exchange = await HttpTransport("http://no-such-host.invalid").exchange(POST, Sink(), FAST)
        assert fault_of(exchange).kind == "dns"
        assert "'no-such-host.invalid' does not resolve" in fault_of(exchange).detail

    run(main())


def test_other_trouble_with_connecting_keeps_the_systems_words() -> None:
    error = OSError(errno.ENETUNREACH, "Network is unreachable")
    fault = connect_fault(error, address_of("http://10.0.0.1:8000"), FAST)
    assert fault == Fault("connect", "no connection to 10.0.0.1:8000: Network is unreachable")


def test_a_bug_in_what_takes_the_bytes_surfaces() -> None:
    class Broken(Sink):
        def data(self, chunk: bytes, at: int) -> None:
            raise ZeroDivisionError

    async def scenario(transport: HttpTransport, server: Server) -> None:
        receiver: Receiver = Broken()
        with pytest.raises(ZeroDivisionError):
            await transport.exchange(POST, receiver, FAST)

    talk(scenario, [Answer((sized(b"a"),))])


# --- TLS ----------------------------------------------------------------------------------------------------


def test_tls_to_a_certificate_that_is_not_trusted_is_a_fault() -> None:
    async def scenario(transport: HttpTransport, server: Server) -> None:
        fault = fault_of(await transport.exchange(POST, Sink(), FAST))
        assert fault.kind == "tls"
        assert "is not trusted: self-signed certificate" in fault.detail

    talk(scenario, [Answer((sized(b"a"),))], tls=True, url="https://127.0.0.1:0/v1")


def test_tls_without_verification() -> None:
    async def scenario(transport: HttpTransport, server: Server) -> None:
        sinks = [Sink(), Sink()]
        exchanges = [await transport.exchange(POST, sink, FAST) for sink in sinks]
        assert [exchange.fault for exchange in exchanges] == [None, None]
        assert [sink.body for sink in sinks] == [b"a", b"bc"]
        assert server.connections == 1

    answers = [Answer((sized(b"a"),)), Answer(chunked(b"b", b"c"))]
    talk(scenario, answers, tls=True, url="https://127.0.0.1:0/v1", verify_tls=False)


def test_tls_to_a_certificate_that_the_system_trusts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(LOCALHOST_PEM))

    async def scenario(transport: HttpTransport, server: Server) -> None:
        assert (await transport.exchange(POST, Sink(), FAST)).fault is None

    talk(scenario, [Answer((sized(b"a"),))], tls=True, url="https://localhost:0/v1")


@pytest.mark.parametrize("greeting", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b""])
def test_tls_to_a_server_without_tls_is_a_fault_that_says_so(greeting: bytes) -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(greeting)
        writer.close()

    async def main() -> None:
        listener = await asyncio.start_server(plain, "127.0.0.1", 0)
        transport = HttpTransport(f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}")
        fault = fault_of(await transport.exchange(POST, Sink(), FAST))
        assert fault.kind == "tls"
        assert "does it speak plain http://?" in fault.detail
        listener.close()

    run(main())


# --- headers ------------------------------------------------------------------------------------------------


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
