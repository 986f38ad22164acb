"""One connection over a transport and a clock that the test holds: what waits to be understood counts where it
belongs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenteval.client.address import address_of
from agenteval.client.answer import Answer
from agenteval.client.connection import MAX_UNREAD, READ_AT_ONCE, Connection
from agenteval.client.inbox import Inbox
from agenteval.clock import NS_PER_S, RealClock
from agenteval.wire import Exchange, Limits

REQUEST = (b"head ", b"body")
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
        assert data, "empty ones stay in the buffers of some loops for ever"
        self.written += data

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        for data in list_of_data:
            self.write(data)

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
    connection = Connection(clock, address_of("http://there"), Inbox(clock.now))
    connection.connection_made(wire)
    return connection, wire, clock


def test_what_came_before_a_request_does_not_answer_it() -> None:
    async def main() -> tuple[Exchange, bool, Wire]:
        connection, wire, _ = connected()
        connection.data_received(ANSWER)
        return *await connection.ask(REQUEST, Deaf(), Limits(), None), wire

    exchange, answered, wire = asyncio.run(main())
    assert (exchange.status, answered, wire.written, wire.aborted) == (None, False, b"", True)


def test_what_came_in_time_is_no_silence() -> None:
    """The loop was busy: the timer comes late, and before the inbox."""

    async def main() -> Exchange:
        connection, _, clock = connected()
        limits = Limits(first_frame_s=0.01)
        asked = asyncio.create_task(connection.ask(REQUEST, Deaf(), limits, None))
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


def test_a_connection_that_is_about_to_close_takes_no_request() -> None:
    """The loop knows of a reset, and has not said so yet."""

    async def main() -> tuple[Exchange, Wire]:
        connection, wire, _ = connected()
        wire.aborted = True
        exchange, _ = await connection.ask(REQUEST, Deaf(), Limits(), None)
        return exchange, wire

    exchange, wire = asyncio.run(main())
    assert exchange.fault
    assert (exchange.fault.kind, wire.written) == ("cut", b"")


def test_a_request_without_a_body_is_its_head_alone() -> None:
    async def main() -> bytes:
        connection, wire, clock = connected()
        asked = asyncio.create_task(connection.ask((b"head", b""), Deaf(), Limits(), None))
        await clock.sleep(0)
        connection.connection_lost(None)
        await asked
        return wire.written

    assert asyncio.run(main()) == b"head"


def test_a_stream_that_said_all_and_stays_open_is_called_that() -> None:
    async def main() -> Exchange:
        connection, _, clock = connected()
        limits = Limits(after_done_s=0.01)
        asked = asyncio.create_task(connection.ask(REQUEST, Deaf(), limits, None))
        await clock.sleep(0)
        connection.data_received(CHUNKED + chunk(b"data: {}\n\n") + chunk(b"data: [DONE]\n\n"))
        clock.time += NS_PER_S
        exchange, _ = await asked
        return exchange

    fault = asyncio.run(main()).fault
    assert fault
    assert fault.detail == "there:80 did not end its reply within 0.01 s of [DONE]"


OPEN = b"HTTP/1.1 200 OK\r\n\r\n"
"""The head of a body that ends with its connection."""


@pytest.mark.parametrize("lost", [False, True])
def test_a_body_ends_when_its_connection_does_and_not_when_all_work_is_done(lost: bool) -> None:
    async def main() -> Exchange:
        connection, _, clock = connected()
        asked = asyncio.create_task(connection.ask(REQUEST, Slow(clock), Limits(), None))
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
        asked = asyncio.create_task(connection.ask(REQUEST, Deaf(), Limits(), None))
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


@dataclass
class Chunks(Deaf):
    """What came, with its stamps."""

    came: list[tuple[int, bytes]] = field(default_factory=list)

    def data(self, chunk: bytes, at: int) -> None:
        self.came.append((at, chunk))


CHUNKED = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def chunk(body: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(body), body)


def cut(text: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(text) + 1) for place in places} | {len(text)})
    return [text[start:end] for start, end in pairwise([0, *ends]) if end > start]


async def read(connection: Connection, clock: Hand, reads: list[bytes]) -> tuple[Exchange, Chunks]:
    """All reads, one per tick; nothing comes after them."""
    chunks = Chunks()
    asked = asyncio.create_task(connection.ask(REQUEST, chunks, Limits(), None))
    await clock.sleep(0)
    for data in reads:
        clock.time += 1
        connection.data_received(data)
    exchange, _ = await asyncio.wait_for(asked, 5)
    return exchange, chunks


@given(
    st.lists(st.sampled_from([b"data: {}\n\n", b": ping\n\n", b"data: {\n\n\r\n", b"x"]), max_size=2 * READ_AT_ONCE),
    st.sampled_from([b"0\r\n\r\n", b"0\r\nx-trailer: 1\r\n\r\n"]),
    st.lists(st.integers(0, 2_000), max_size=60),
)
def test_a_stream_ends_with_its_last_byte_and_keeps_each_stamp(
    bodies: list[bytes], end: bytes, places: list[int]
) -> None:
    """Though events wait for each other: however cut, it is what an answer that waits for nothing makes of it."""

    async def main() -> None:
        connection, wire, clock = connected()
        whole = [CHUNKED, *map(chunk, bodies), end]
        reads = [part for text in whole for part in cut(text, places)]
        exchange, chunks = await read(connection, clock, reads)

        plain = Chunks()
        answer = Answer(plain, Limits(), address_of("http://there"))
        for at, data in enumerate(reads, exchange.sent_at + 1):
            answer.feed(data, at)
        assert (wire.written, wire.aborted) == (b"head body", False)
        assert chunks.came == plain.came
        assert exchange == answer.exchange(exchange.sent_at, None)

    asyncio.run(main())


@pytest.mark.parametrize("framing", [b"content-length: 10000", b"x-nothing: 1"])
def test_only_a_chunked_body_waits_since_another_may_end_with_any_byte(framing: bytes) -> None:
    async def main() -> Chunks:
        connection, _, clock = connected()
        chunks = Chunks()
        asked = asyncio.create_task(connection.ask(REQUEST, chunks, Limits(), None))
        await clock.sleep(0)
        connection.data_received(b"HTTP/1.1 200 OK\r\n%s\r\n\r\ndata: {}\n\n\r\n" % framing)
        for _ in range(3):
            await clock.sleep(0)
        connection.connection_lost(None)
        await asked
        return chunks

    assert asyncio.run(main()).came
