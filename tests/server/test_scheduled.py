"""The scheduled server in its process: what it sends, what it records, and that neither depends on the reader."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any, TypeVar

import msgspec

from agenteval.client import Attempt, HttpTransport, chat, fetch_json
from agenteval.clock import NS_PER_MS, RealClock
from agenteval.server.process import Started, scheduled_server
from agenteval.server.schedule import STREAM_HEADER, Schedule, Sent

T = TypeVar("T")
ASKING: dict[str, Any] = {"messages": [], "stream": True, "stream_options": {"include_usage": True}}


def served(test: Callable[[Started, HttpTransport], Awaitable[T]]) -> T:
    async def main() -> T:
        async with scheduled_server(60) as server, aclosing(HttpTransport(server.url)) as transport:
            return await test(server, transport)

    return asyncio.run(main())


async def records(transport: HttpTransport, *, forget: bool = False) -> list[Sent]:
    told = await fetch_json(transport, "/records", {} if forget else None)
    return msgspec.convert(told.value, list[Sent])


def number(attempt: Attempt) -> int:
    return int(dict(attempt.exchange.headers)[STREAM_HEADER])


def test_what_is_recorded_is_what_was_sent_and_when() -> None:
    schedule = Schedule(first=20, gap=3, chunks=12, role=2, kind="thought", align=30)

    async def test(_: Started, transport: HttpTransport) -> tuple[list[Attempt], list[Sent], list[Sent]]:
        body = {"model": schedule.model, **ASKING}
        attempts = [await chat(transport, body), *await asyncio.gather(*(chat(transport, body) for _ in range(5)))]
        return attempts, await records(transport, forget=True), await records(transport)

    attempts, sent, after = served(test)
    assert after == [], "they were forgotten"
    by_number = {record.stream: record for record in sent}
    assert sorted(map(number, attempts)) == sorted(by_number)
    for attempt in attempts:
        record, timeline = by_number[number(attempt)], attempt.timeline
        assert attempt.failure is None
        assert record.began_at % (30 * NS_PER_MS) == 0
        assert timeline.sent_at < record.first_read_at <= record.request_at <= record.began_at
        assert min(record.late) >= 0
        assert record.sent == sorted(record.sent)
        assert len(timeline.chunk_times) == len(record.chunks) == schedule.chunks
        assert all(seen > at for seen, at in zip(timeline.chunk_times, record.chunks, strict=True)), (
            "one clock for both"
        )


def test_large_requests_and_whole_replies() -> None:
    schedule = Schedule(first=1, gap=1, chunks=4, kind="tool")
    long = [{"role": "user", "content": 'a "model": "scheduled-chunks-9" in a text, and "stream": true. ' * 20_000}]

    async def test(_: Started, transport: HttpTransport) -> tuple[Attempt, Attempt, list[Sent]]:
        streamed = await chat(transport, {"messages": long, "model": schedule.model, "stream": True})
        whole = await chat(transport, {"messages": long, "model": schedule.model})
        return streamed, whole, await records(transport)

    streamed, whole, sent = served(test)
    assert streamed.timeline.streamed
    assert not whole.timeline.streamed
    assert streamed.reply.tool_calls == whole.reply.tool_calls != ()
    assert [record.request_bytes > 1_000_000 for record in sent] == [True, True]
    assert streamed.reply.usage is None, "usage was not asked for"


def test_what_it_cannot_answer_is_told() -> None:
    async def test(_: Started, transport: HttpTransport) -> tuple[Attempt, Any, Any]:
        wrong = await chat(transport, {"model": "glm-4.7", **ASKING})
        models = await fetch_json(transport, "/v1/models")
        return wrong, models.value, await fetch_json(transport, "/v1/embeddings", {})

    wrong, models, other = served(test)
    assert wrong.failure is not None
    assert "tells no schedule; for example" in wrong.failure.detail
    assert models["data"][0]["id"] == "scheduled"
    assert other.status == 404


def test_a_reader_that_does_not_read_gets_everything_later() -> None:
    schedule = Schedule(first=0, gap=0, chunks=40_000)
    body = msgspec.json.encode({"model": schedule.model, **ASKING})

    async def test(server: Started, transport: HttpTransport) -> tuple[bytes, Attempt]:
        port = int(server.url.rpartition(":")[2].partition("/")[0])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        while not any(len(record.sent) > schedule.chunks for record in await records(transport)):
            await RealClock().sleep(0)
        other = await chat(transport, {"model": Schedule(first=1, chunks=2).model, **ASKING})
        came = await _until_done(reader)
        writer.close()
        return came, other

    came, other = served(test)
    assert other.failure is None, "one slow reader does not hold up the others"
    assert came.count(b'"content":" word"') == schedule.chunks
    assert came.endswith(b"0\r\n\r\n")


async def _until_done(reader: asyncio.StreamReader) -> bytes:
    came = bytearray()
    while not came.endswith(b"\r\n0\r\n\r\n"):
        came += await reader.read(1 << 20)
    return bytes(came)


def test_a_client_that_goes_away_costs_nothing_but_its_stream() -> None:
    async def test(server: Started, transport: HttpTransport) -> Attempt:
        gone = HttpTransport(server.url)
        asking = asyncio.create_task(chat(gone, {"model": Schedule(first=1, gap=5, chunks=1000).model, **ASKING}))
        while not await records(transport):
            await RealClock().sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await gone.aclose()
        return await chat(transport, {"model": Schedule(first=30, chunks=2).model, **ASKING})

    assert served(test).failure is None


def test_the_process_ends_with_the_block() -> None:
    async def test(server: Started, _: HttpTransport) -> int:
        os.kill(server.pid, 0)
        return server.pid

    pid = served(test)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return
    raise AssertionError("the server is still there")
