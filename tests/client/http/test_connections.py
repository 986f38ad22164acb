"""Connections: kept, replaced, opened beforehand, bounded, ended."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

from agenteval.client import HttpTransport
from agenteval.client.address import address_of
from agenteval.client.connection import Connection
from agenteval.client.inbox import Inbox
from agenteval.clock import NS_PER_S, RealClock
from tests.client.http.talking import POST, fault_of, once, run, talk
from tests.client.server import FAST, Answer, Server, Sink, chunked, serving, sized


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


class StoppedClock(RealClock):
    """By it every read but the first comes on the heels of another."""

    def __init__(self) -> None:
        self.now = lambda: NS_PER_S


class Wire(asyncio.Transport):
    """Takes what is written, and notes the end."""

    aborted = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        pass

    def abort(self) -> None:
        self.aborted = True

    def is_closing(self) -> bool:
        return self.aborted


def test_what_comes_after_an_answer_closes_the_connection_even_before_it_is_understood() -> None:
    """Else it would be taken for the answer to the next request."""

    async def main() -> None:
        wire, sink = Wire(), Sink()
        clock = StoppedClock()
        connection = Connection(clock, address_of("http://here"), Inbox(clock.now))
        connection.connection_made(wire)

        async def ask() -> bool:
            await connection.ask((b"", b""), sink, FAST, None)
            return connection.open

        asking = asyncio.create_task(ask())
        await RealClock().sleep(0)
        connection.data_received(sized(b"a"))
        connection.data_received(sized(b"nobody asked"))
        assert not await asking
        assert (wire.aborted, sink.body) == (True, b"a")

    run(main())


def test_what_an_exchange_received_is_let_go_without_a_garbage_collection() -> None:
    """Runs put long collections off, so that what holds itself would stay: all the bytes of every reply."""

    async def scenario(transport: HttpTransport, server: Server) -> None:
        sinks = [Sink() for _ in range(3)]
        for sink in sinks:
            await transport.exchange(POST, sink, FAST)
        left = [weakref.ref(sink) for sink in sinks]
        sinks.clear()
        del sink
        assert [ref() for ref in left] == [None] * 3

    gc.disable()
    try:
        talk(scenario, [Answer(chunked(b"a"))] * 3)
    finally:
        gc.enable()
