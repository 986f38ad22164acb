"""What a streamed chunk costs the client in CPU: ours beside what an SDK user gets.

A server in another process sends every stream at the same pace, one write per event. Each client runs on the same
event loop (uvloop where present) and keeps what it receives; ours also records the raw bytes with their times. CPU is
this process's, connection set-up included. Ratios carry over to other machines, seconds do not. Not covered: latency,
which this Python server could not keep to a schedule well enough.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

from agenteval.client import HttpTransport, chat
from agenteval.clock import NS_PER_S, RealClock, cpu_seconds

STREAMS = 64
CHUNKS = 200
FIRST_S = 0.1
GAP_S = 0.01

DELTA: dict[str, Any] = {"index": 0, "delta": {"content": " word"}, "logprobs": None, "finish_reason": None}
CHUNK: dict[str, Any] = {
    "id": "chatcmpl-a8a3165c22bc12f4",
    "object": "chat.completion.chunk",
    "created": 1795213500,
    "model": "glm-4.7",
    "choices": [{**DELTA, "token_ids": None}],
}
BODY: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "x" * 4000}], "stream": True}

Row: TypeAlias = dict[str, str | float | None]
OneStream: TypeAlias = Callable[[], Awaitable[None]]
"""Takes one stream to its end."""


def rows() -> list[Row]:
    """One row per client that is installed; `ratio` is its CPU over ours."""
    with _server() as url:
        spent = {name: _spent(name, url) for name in CLIENTS if _installed(name)}
    return [
        {"client": name, "cpu_s_per_10k_chunks": round(cpu, 3), "ratio": round(cpu / spent["agenteval"], 1)}
        for name, cpu in spent.items()
    ]


def _spent(name: str, url: str) -> float:
    """CPU seconds per 10,000 chunks."""
    uvloop = importlib.import_module("uvloop") if importlib.util.find_spec("uvloop") else None
    with asyncio.Runner(loop_factory=uvloop.new_event_loop if uvloop else None) as runner:
        return runner.run(_run(name, url))


async def _run(name: str, url: str) -> float:
    stream, close = CLIENTS[name](url)
    await stream()
    began = cpu_seconds()
    await asyncio.gather(*(_late(stream, n * GAP_S / STREAMS) for n in range(STREAMS)))
    spent = cpu_seconds() - began
    await close()
    return spent / (STREAMS * (CHUNKS + 3)) * 10_000


async def _late(stream: OneStream, delay_s: float) -> None:
    """Streams start evenly spread over one gap: in a burst the clients would read several events at once."""
    await RealClock().sleep(delay_s)
    await stream()


# --- the clients --------------------------------------------------------------------------------------------


def _ours(url: str) -> tuple[OneStream, Callable[[], Awaitable[None]]]:
    transport = HttpTransport(url)

    async def stream() -> None:
        attempt = await chat(transport, BODY)
        assert attempt.failure is None, attempt.failure
        assert attempt.reply.content == " word" * CHUNKS

    return stream, transport.aclose


def _httpx_lines(url: str) -> tuple[OneStream, Callable[[], Awaitable[None]]]:
    httpx = importlib.import_module("httpx2" if importlib.util.find_spec("httpx2") else "httpx")
    client = httpx.AsyncClient(timeout=60, limits=httpx.Limits(max_connections=STREAMS))

    async def stream() -> None:
        async with client.stream("POST", f"{url}/chat/completions", json=BODY) as response:
            events = [json.loads(line[6:]) async for line in response.aiter_lines() if line.startswith("data: {")]
        assert len(events) == CHUNKS + 2

    return stream, client.aclose


def _openai_sdk(url: str) -> tuple[OneStream, Callable[[], Awaitable[None]]]:
    client = importlib.import_module("openai").AsyncOpenAI(base_url=url, api_key="none", max_retries=0)

    async def stream() -> None:
        events = [event async for event in await client.chat.completions.create(**BODY)]
        assert len(events) == CHUNKS + 2

    return stream, client.close


CLIENTS: dict[str, Callable[[str], tuple[OneStream, Callable[[], Awaitable[None]]]]] = {
    "agenteval": _ours,
    "httpx": _httpx_lines,
    "openai SDK": _openai_sdk,
}
MODULES = {"agenteval": ("agenteval",), "httpx": ("httpx2", "httpx"), "openai SDK": ("openai",)}


def _installed(name: str) -> bool:
    return any(importlib.util.find_spec(module) for module in MODULES[name])


# --- the server ---------------------------------------------------------------------------------------------


@contextmanager
def _server() -> Iterator[str]:
    command = [sys.executable, "-m", "tests.bench.bench_client", "serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}/v1"
        finally:
            process.terminate()


def _frames() -> list[bytes]:
    def event(**choice: Any) -> bytes:
        return b"data: " + json.dumps(CHUNK | {"choices": [DELTA | choice]}, separators=(",", ":")).encode() + b"\n\n"

    word = b"data: " + json.dumps(CHUNK, separators=(",", ":")).encode() + b"\n\n"
    role, finish = event(delta={"role": "assistant", "content": ""}), event(delta={}, finish_reason="stop")
    return [role, *[word] * CHUNKS, finish, b"data: [DONE]\n\n"]


async def _serve() -> None:
    frames = [b"%x\r\n%s\r\n" % (len(frame), frame) for frame in _frames()]
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await reader.readuntil(b"\r\n\r\n"):
            length = next(line for line in request.lower().split(b"\r\n") if line.startswith(b"content-length"))
            await reader.readexactly(int(length.partition(b":")[2]))
            came = RealClock.now()
            writer.write(head + frames[0])
            for n, frame in enumerate(frames[1:]):
                due = came + (FIRST_S + n * GAP_S) * NS_PER_S
                await RealClock().sleep(max(0.0, (due - RealClock.now()) / NS_PER_S))
                writer.write(frame)
            writer.write(b"0\r\n\r\n")

    async def tolerant(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    listener = await asyncio.start_server(tolerant, "127.0.0.1", 0, backlog=2 * STREAMS)
    print(listener.sockets[0].getsockname()[1], flush=True)
    await listener.serve_forever()


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        asyncio.run(_serve())
    else:
        for row in rows():
            print(row)
