"""Each limit and each fault, and what is said about it."""

from __future__ import annotations

import errno
import socket
from dataclasses import replace

import pytest

from agenteval.client import HttpTransport
from agenteval.client.address import address_of
from agenteval.client.faults import connect_fault
from agenteval.wire import Fault, Limits, Receiver
from tests.client.http.talking import POST, fault_of, once, run, talk
from tests.client.server import FAST, Answer, Server, Sink, chunked, head, sized


@pytest.mark.parametrize(
    ("limits", "pieces", "kind"),
    [
        (replace(FAST, first_frame_s=0.02), (), "timeout_first_frame"),
        (replace(FAST, first_frame_s=0.02), (head("content-length: 9"),), "timeout_first_frame"),
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
