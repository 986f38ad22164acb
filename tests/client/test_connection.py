"""One connection over a transport and a clock that the test holds: what waits in the inbox counts where it belongs."""

from __future__ import annotations

import asyncio

from agenteval.client.connection import Connection
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

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def abort(self) -> None:
        self.aborted = True


class Deaf:
    def head(self, status: int, headers: tuple[tuple[str, str], ...], at: int) -> None: ...

    def data(self, chunk: bytes, at: int) -> None: ...


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
