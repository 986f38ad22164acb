"""`python -m tests.bench.peers CLIENT SECONDS`: one client, in a process of its own, against the scheduled server; what
was found as JSON on stdout.

A client takes a request and gives back the number of its stream and a stamp for each chunk with content, taken when
its user could see that. All clients run on the same event loop (uvloop), with the garbage collector set as in a run of
agenteval, and read the same clock as the server.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from statistics import fmean, median
from typing import Any, Protocol, cast
from urllib.request import Request, urlopen

import httpx2
import msgspec
import openai
import uvloop

from agenteval.client import HttpTransport, chat
from agenteval.client.address import address_of
from agenteval.clock import NS_PER_MS, NS_PER_S, RealClock, cpu_seconds
from agenteval.run import no_long_collections
from agenteval.selftest.plan import Case, History, Starts, request
from agenteval.selftest.priority import real_time
from agenteval.server.process import scheduled_server
from agenteval.server.schedule import STREAM_HEADER, Schedule, Sent
from agenteval.stats import percentiles

STREAMS = (1, 32, 128)
MANY = 128
RATES = (2_500, 5_000, 10_000, 20_000, 30_000, 40_000, 50_000, 60_000)
KEPT = 0.02
"""A rate is kept when neither the server nor the client took so much longer than the schedule."""

now = RealClock.now


class Client(Protocol):
    async def stream(self, body: dict[str, Any]) -> tuple[int, list[int]]:
        """Take one stream to its end."""
        ...

    async def close(self) -> None: ...


class Ours:
    """As a run uses it, recording on."""

    def __init__(self, url: str) -> None:
        self._transport = HttpTransport(url)

    async def stream(self, body: dict[str, Any]) -> tuple[int, list[int]]:
        attempt = await chat(self._transport, body)
        assert attempt.failure is None, attempt.failure
        return int(dict(attempt.exchange.headers)[STREAM_HEADER]), list(attempt.timeline.chunk_times)

    async def close(self) -> None:
        await self._transport.aclose()


class OpenaiSdk:
    """As its documentation shows it."""

    def __init__(self, url: str) -> None:
        self._client = openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0, timeout=120)

    async def stream(self, body: dict[str, Any]) -> tuple[int, list[int]]:
        raw = await self._client.chat.completions.with_raw_response.create(**body)
        stamps = [now() async for chunk in raw.parse() if chunk.choices and chunk.choices[0].delta.content]
        return int(raw.headers[STREAM_HEADER]), stamps

    async def close(self) -> None:
        await self._client.close()


class Httpx:
    """Lines and `json`."""

    def __init__(self, url: str) -> None:
        limits = httpx2.Limits(max_connections=None)
        self._url = f"{url}/chat/completions"
        self._client = httpx2.AsyncClient(timeout=60, limits=limits)

    async def stream(self, body: dict[str, Any]) -> tuple[int, list[int]]:
        stamps = []
        async with self._client.stream("POST", self._url, json=body) as response:
            async for line in response.aiter_lines():
                if line.startswith("data: {"):
                    choices = json.loads(line[6:])["choices"]
                    if choices and choices[0]["delta"].get("content"):
                        stamps.append(now())
            return int(response.headers[STREAM_HEADER]), stamps

    async def close(self) -> None:
        await self._client.aclose()


class Bare:
    """The floor: stamps and keeps what it reads. What stands in that is looked for when the stream is over."""

    def __init__(self, url: str) -> None:
        self._address = address_of(url)
        self._idle: list[_Reads] = []

    async def stream(self, body: dict[str, Any]) -> tuple[int, list[int]]:
        data = msgspec.json.encode(body)
        host = f"{self._address.host}:{self._address.port}"
        head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: {host}\r\ncontent-length: {len(data)}\r\n\r\n"
        connection = self._idle.pop() if self._idle else await self._open()
        reads = await connection.ask(head.encode() + data)
        self._idle.append(connection)
        stamps = [at for at, read in reads for _ in range(read.count(b'{"content":" '))]
        answered = reads[0][1].partition(f"{STREAM_HEADER}: ".encode())[2]
        return int(answered.partition(b"\r")[0]), stamps

    async def _open(self) -> _Reads:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(_Reads, self._address.host, self._address.port)
        return connection

    async def close(self) -> None:
        for connection in self._idle:
            connection.transport.close()


class _Reads(asyncio.Protocol):
    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    async def ask(self, message: bytes) -> list[tuple[int, bytes]]:
        self._reads: list[tuple[int, bytes]] = []
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.transport.write(message)
        await self._over
        return self._reads

    def data_received(self, data: bytes) -> None:
        self._reads.append((now(), data))
        if data.endswith(b"0\r\n\r\n"):
            self._over.set_result(None)


CLIENTS: dict[str, Callable[[str], Client]] = {
    "agenteval": Ours,
    "openai SDK": OpenaiSdk,
    "httpx": Httpx,
    "bare asyncio": Bare,
}


class Measuring:
    """One client and the records of its server."""

    def __init__(self, client: Client, url: str) -> None:
        self._client = client
        self._url = url

    async def streams(self, starts: Sequence[float], body: dict[str, Any]) -> list[tuple[list[int], Sent, int, int]]:
        """(stamps, what was really sent, called at, returned at) of streams that start at these seconds."""
        asked = await asyncio.gather(*(self._late(start, body) for start in starts))
        told = await asyncio.to_thread(records, self._url)
        sent = {record.stream: record for record in msgspec.json.decode(told, type=list[Sent])}
        found = [(stamps, sent[number], called, returned) for number, stamps, called, returned in asked]
        assert all(len(stamps) == len(record.chunks) for stamps, record, *_ in found), "a chunk was not seen"
        return found

    async def _late(self, start: float, body: dict[str, Any]) -> tuple[int, list[int], int, int]:
        await asyncio.sleep(start)
        called = now()
        number, stamps = await self._client.stream(body)
        return number, stamps, called, now()

    async def errors(self, case: Case, seconds: float) -> dict[str, float]:
        """Errors against the server's record in ms, and of the time between two chunks in percent."""
        body = request(case.schedule(seconds), case.history)
        found = []
        for _ in range(case.rounds):
            found += await self.streams([n * case.interval_s for n in range(case.streams)], body)
        ttft = [(stamps[0] - sent.chunks[0]) / NS_PER_MS for stamps, sent, *_ in found]
        spans = [(stamps[-1] - stamps[0]) / (sent.chunks[-1] - sent.chunks[0]) for stamps, sent, *_ in found]
        p99 = percentiles(ttft).p99
        return {"mean": fmean(ttft), "p99": p99 or 0.0, "inter": fmean(abs(span - 1) * 100 for span in spans)}

    async def cpu_s_per_10k(self, starts: Starts) -> float:
        """The median of three times what more chunks cost more, so that beginning and ending a stream is not in it."""
        return median([await self._more_chunks(starts) for _ in range(3)])

    async def _more_chunks(self, starts: Starts) -> float:
        case, spent = Case(MANY, starts, "tiny"), []
        for seconds in (1.0, 3.0):
            schedule = case.schedule(seconds)
            before = cpu_seconds()
            await self.streams([n * case.interval_s for n in range(MANY)], request(schedule, "tiny"))
            spent.append((cpu_seconds() - before, schedule.chunks))
        (short, few), (long, many) = spent
        return (long - short) / ((many - few) * MANY) * 10_000

    async def overhead_ms(self) -> float:
        """What a call costs beside the server's own work: median of 50, one after the other."""
        body = request(Schedule(first=1, chunks=1), "tiny")
        calls = [call for _ in range(50) for call in await self.streams([0.0], body)]
        return median((back - out - (sent.sent[-1] - sent.request_at)) / NS_PER_MS for _, sent, out, back in calls)

    async def chunks_per_s(self) -> int:
        """The highest rate that the server offered and the client took in its time; 0 if none."""
        best = 0
        for rate in RATES:
            gap = MANY / rate * 1000
            schedule = Schedule(first=300, gap=gap, chunks=round(1000 / gap) + 1)
            found = await self.streams([n * gap / MANY / 1000 for n in range(MANY)], request(schedule, "tiny"))
            planned = (schedule.chunk_offsets[-1] - schedule.chunk_offsets[0]) / NS_PER_S
            server = fmean((sent.chunks[-1] - sent.chunks[0]) / NS_PER_S for _, sent, *_ in found)
            client = fmean((stamps[-1] - stamps[0]) / NS_PER_S for stamps, *_ in found)
            if max(server, client) > planned * (1 + KEPT):
                break
            best = rate
        return best


def records(url: str) -> bytes:
    """What a server at this base URL sent, and is to forget."""
    with urlopen(Request(f"{url}/records", data=b"{}"), timeout=60) as answer:
        body: bytes = answer.read()
    return body


async def measured(name: str, seconds: float) -> dict[str, Any]:
    """All that is to be found of one client."""
    async with scheduled_server(300) as server:
        with real_time((0, server.pid)) as refused, no_long_collections():
            client = CLIENTS[name](server.url)
            measuring = Measuring(client, server.url)
            warm = request(Schedule(chunks=5), "tiny")
            await measuring.streams([0.0], warm)
            await measuring.streams([0.0] * MANY, warm)
            starts: tuple[Starts, ...] = ("lockstep", "staggered")
            histories: tuple[History, ...] = ("tiny", "463 KB")
            cases = [Case(n, start, history) for history in histories for start in starts for n in STREAMS]
            found = {
                "refused": refused,
                "overhead_ms": await measuring.overhead_ms(),
                "cpu_s": await measuring.cpu_s_per_10k("lockstep"),
                "staggered_s": await measuring.cpu_s_per_10k("staggered"),
                "errors": [
                    [case.streams, case.starts, case.history, await measuring.errors(case, seconds)] for case in cases
                ],
                "rate": await measuring.chunks_per_s(),
            }
            await client.close()
            return found


if __name__ == "__main__":
    print(json.dumps(uvloop.run(measured(sys.argv[1], float(sys.argv[2])))))
