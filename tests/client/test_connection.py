"""One connection over a transport and a clock that the test holds: what waits in the inbox counts where it belongs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from agenteval.client.connection import MAX_UNREAD, Connection
from agenteval.client.inbox import Inbox
from agenteval.clock import NS_PER_S, RealClock
from agenteval.wire import Exchange, Limits

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


class Hand:
    """A clock that stands still unless it is moved. So soon after its beginning, every read waits in an inbox."""

    def __init__(self) -> None:
        self.time = 1

    def now(self) -> int:
        return self.time

    async def sleep(self, seconds: float) -> None:
        await RealClock().sleep(seconds)


class Wire(asyncio.Transport):
    """Keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.aborted = False
        self.reading = True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def abort(self) -> None:
        self.aborted = True

    def is_closing(self) -> bool:
        return self.aborted

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


class Deaf:
    def head(self, status: int, headers: tuple[tuple[str, str], ...], at: int) -> None: ...

    def data(self, chunk: bytes, at: int) -> None: ...


@dataclass
class Slow(Deaf):
    """Takes a second for whatever it gets."""

    clock: Hand

    def data(self, chunk: bytes, at: int) -> None:
        self.clock.time += NS_PER_S


def connected() -> tuple[Connection, Wire, Hand]:
    clock, wire = Hand(), Wire()
    connection = Connection(clock, "there", Inbox(clock.now))
    connection.connection_made(wire)
    return connection, wire, clock


def test_what_came_before_a_request_does_not_answer_it() -> None:
    async def main() -> tuple[Exchange, bool, Wire]:
        connection, wire, _ = connected()
        connection.data_received(ANSWER)
        return *await connection.ask(b"request", Deaf(), Limits(), None), wire

    exchange, answered, wire = asyncio.run(main())
    assert (exchange.status, answered, wire.written, wire.aborted) == (None, False, b"", True)


def test_what_came_in_time_is_no_silence() -> None:
    """The loop was busy: the timer comes late, and before the inbox."""

    async def main() -> Exchange:
        connection, _, clock = connected()
        limits = Limits(first_frame_s=0.01)
        asked = asyncio.create_task(connection.ask(b"request", Deaf(), limits, None))
        await clock.sleep(0)
        loop = asyncio.get_running_loop()
        timer = loop.time() + 0.01
        while loop.time() < timer:
            pass
        loop.call_soon(connection.data_received, ANSWER)
        clock.time += 2  # the read's stamp is in time
        loop.call_soon(setattr, clock, "time", NS_PER_S)
        exchange, _ = await asked
        return exchange

    assert asyncio.run(main()).fault is None


OPEN = b"HTTP/1.1 200 OK\r\n\r\n"
"""The head of a body that ends with its connection."""


@pytest.mark.parametrize("lost", [False, True])
def test_a_body_ends_when_its_connection_does_and_not_when_all_work_is_done(lost: bool) -> None:
    async def main() -> Exchange:
        connection, _, clock = connected()
        asked = asyncio.create_task(connection.ask(b"request", Slow(clock), Limits(), None))
        await clock.sleep(0)
        connection.data_received(OPEN + b"{}")
        if lost:
            connection.connection_lost(None)
        else:
            connection.eof_received()
        exchange, _ = await asked
        return exchange

    exchange = asyncio.run(main())
    assert (exchange.fault, exchange.ended_at - exchange.sent_at) == (None, 0)


def test_a_flood_waits_at_the_server_and_not_in_memory() -> None:
    """So many bytes of one connection wait in the inbox, however large a read is; then it is read from again."""

    async def main() -> tuple[int, bool]:
        connection, wire, clock = connected()
        asked = asyncio.create_task(connection.ask(b"request", Deaf(), Limits(), None))
        await clock.sleep(0)
        connection.data_received(OPEN)
        read, piece = 0, b"x" * (256 * 1024 - 1) + b"\n"
        while wire.reading and read < 64 * MAX_UNREAD:
            connection.data_received(piece)
            read += len(piece)
        for _ in range(20):
            await clock.sleep(0)
        connection.connection_lost(None)
        await asked
        return read, wire.reading

    read, reading = asyncio.run(main())
    assert read <= MAX_UNREAD + 256 * 1024
    assert reading, "once it was understood, more is read"
