"""A recorded run as an endpoint: same bytes, same times, same faults; over a socket, for any client."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from openai import AsyncOpenAI, ConflictError, NotFoundError

from agenteval.client import HttpTransport, chat
from agenteval.clock import NS_PER_S, LoopClock, run_virtual
from agenteval.dialects import recognise
from agenteval.replay.endpoint import ReplayEndpoint, archive_of
from agenteval.server.listen import serve
from agenteval.store import StoredRun, StoredStep, read_frames
from agenteval.wire import Fault, Limits
from tests.replay.recorded import recorded
from tests.run.scripted import Body, Says, right

T = TypeVar("T")
CHAT = ("POST", "/v1/chat/completions")
CELL = "small.off.full_history.0"


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> StoredRun:
    return recorded(tmp_path_factory.mktemp("replay"), right)


def kept(stored: StoredRun, step: int = 0) -> StoredStep:
    """A recorded step; its request has been kept."""
    found = list(read_frames(stored.path, CELL).values())[step]
    assert found.request is not None
    return found


def endpoint(stored: StoredRun, *, timed: bool = False) -> ReplayEndpoint:
    return ReplayEndpoint(stored.manifest, archive_of(stored), LoopClock() if timed else None)


@asynccontextmanager
async def served(stored: StoredRun) -> AsyncIterator[str]:
    """The base URL of a recording that is served on a free port, in this event loop."""
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    answer = endpoint(stored).answer
    server = asyncio.create_task(serve(answer, "127.0.0.1", 0, ready=port.set_result, max_seconds=60))
    try:
        yield f"http://127.0.0.1:{await port}/v1"
    finally:
        server.cancel()
        await asyncio.gather(server, return_exceptions=True)


def over_http(stored: StoredRun, talk: Callable[[str], Awaitable[T]]) -> T:
    async def main() -> T:
        async with served(stored) as url:
            return await talk(url)

    return asyncio.run(main())


def sdk_request(step: StoredStep, **fields: Any) -> dict[str, Any]:
    request: dict[str, Any] = {**(step.request or {}), **fields}
    request["extra_body"] = {"chat_template_kwargs": request.pop("chat_template_kwargs")}
    return request


@pytest.mark.parametrize("timed", [True, False])
def test_frames_come_again_with_their_times_or_at_once(stored: StoredRun, *, timed: bool) -> None:
    step = kept(stored)

    async def main() -> list[tuple[int, bytes]]:
        clock = LoopClock()
        response = endpoint(stored, timed=timed).answer(*CHAT, json.dumps(step.request).encode())
        assert response.status == 200
        assert response.headers == step.recording.headers
        return [(clock.now(), chunk) async for chunk in response.body]

    came = run_virtual(main())
    assert [chunk for _, chunk in came] == [chunk for _, chunk in step.recording.chunks]
    times = [at for at, _ in step.recording.chunks] if timed else [0] * len(came)
    assert [at / NS_PER_S for at, _ in came] == pytest.approx([at / NS_PER_S for at in times])


def test_our_client_gets_the_same_frames(stored: StoredRun) -> None:
    async def talk(url: str) -> list[tuple[bytes, ...]]:
        transport = HttpTransport(url)
        attempts = [await chat(transport, steps[n].request or {}, limits=Limits()) for n in order]
        await transport.aclose()
        return [tuple(chunk for _, chunk in attempt.recording.chunks) for attempt in attempts]

    steps = list(read_frames(stored.path, CELL).values())
    order = [3, 0, 4, 1, 2]
    assert over_http(stored, talk) == [tuple(chunk for _, chunk in steps[n].recording.chunks) for n in order]


def test_the_sdk_streams_from_a_recording(stored: StoredRun) -> None:
    async def talk(url: str) -> tuple[str, list[str], str]:
        async with AsyncOpenAI(base_url=url, api_key="any", max_retries=0) as client:
            (model,) = [item.id async for item in client.models.list()]
            names = ""
            async for chunk in await client.chat.completions.create(**sdk_request(kept(stored))):
                for choice in chunk.choices:
                    for call in choice.delta.tool_calls or ():
                        names += (call.function and call.function.name) or ""
            with pytest.raises(NotFoundError) as unknown:
                await client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hm?"}])
            with pytest.raises(ConflictError, match="recorded as a stream"):
                await client.chat.completions.create(**sdk_request(kept(stored), stream=False, stream_options=None))
            return names, [model], unknown.value.message

    names, models, unknown = over_http(stored, talk)
    assert (names, models) == ("read_file", ["m"])
    assert "this is a recording of run run: no recorded request begins with these messages" in unknown


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_curl_streams_from_a_recording(stored: StoredRun) -> None:
    async def talk(url: str) -> bytes:
        command = ["curl", "-sN", f"{url}/chat/completions", "-d", json.dumps(kept(stored).request)]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, check=True)
        return done.stdout

    assert over_http(stored, talk) == b"".join(chunk for _, chunk in kept(stored).recording.chunks)


def failing(*faults: Says) -> Callable[[Body], Says]:
    left = list(reversed(faults))
    return lambda body: left.pop() if left else right(body)


def test_what_failed_then_fails_again_and_then_goes_well(tmp_path: Path) -> None:
    """A reply that broke off, one that never began, and the reply: all to the same request."""
    broke_off = Says("half a", fault=Fault("reset", "it hung up"), breaks_after=2)
    never_began = Says(fault=Fault("reset", "nobody spoke"))
    told = recorded(tmp_path, failing(broke_off, never_began), modes=("off",))

    async def talk(url: str) -> list[tuple[int | None, str | None, bytes]]:
        transport = HttpTransport(url)
        found: list[tuple[int | None, str | None, bytes]] = []
        for _ in range(4):
            attempt = await chat(transport, kept(told).request or {}, limits=Limits())
            fault = attempt.exchange.fault
            body = b"".join(chunk for _, chunk in attempt.recording.chunks)
            found.append((attempt.exchange.status, fault.kind if fault else None, body))
        await transport.aclose()
        return found

    broken, refused, well, again = over_http(told, talk)
    assert broken[:2] == (200, "cut")
    assert broken[2] == b"".join(chunk for _, chunk in kept(told).recording.chunks)
    assert b"half a" in broken[2]
    assert refused[:2] == (502, None)
    assert b"there was no answer: nobody spoke" in refused[2]
    assert well[:2] == again[:2] == (200, None)
    assert well[2] == again[2]


@pytest.mark.parametrize("data", [b"", b"\xff", b"[1]", b"{", b'{"messages": [' + b"[" * 5000, b'{"messages": NaN}'])
def test_a_body_that_is_none_is_refused(data: bytes, stored: StoredRun) -> None:
    assert endpoint(stored).answer(*CHAT, data).status == 400


def test_other_pages_say_what_this_is(stored: StoredRun) -> None:
    async def read(path: str) -> tuple[int, Any]:
        response = endpoint(stored).answer("GET", path, b"")
        return response.status, json.loads(b"".join([chunk async for chunk in response.body]))

    status, listing = asyncio.run(read("/v1/models"))
    found = recognise("/v1/models", listing)
    assert status == 200
    assert found is not None
    assert found.recording is not None
    assert (found.dialect, found.simulated, found.recording.run, found.recording.timed) == ("vllm", False, "run", False)
    assert asyncio.run(read("/props"))[0] == 404
    assert asyncio.run(read("/health")) == (200, {"status": "ok"})


@pytest.mark.parametrize("told", [None, [], {"dialect": ["vllm"]}, {"dialect": "martian"}])
def test_a_recording_that_does_not_say_what_it_recorded_is_not_recognised(told: object) -> None:
    listing = {"data": [{"id": "m", "owned_by": "agenteval-recording", "recording": told}]}
    assert recognise("/v1/models", listing) is None
