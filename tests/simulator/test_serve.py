"""The simulator over HTTP, driven by the `openai` SDK, a thousand times as fast as real."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import pytest
from openai import AsyncOpenAI, BadRequestError, NotFoundError

from agenteval.errors import UsageError
from agenteval.simulator import PROFILES, Engine
from agenteval.simulator.serve import Hurried, serve, serve_engine
from tests.simulator.asking import ask, body, history, script, stock

T = TypeVar("T")
FAST = 1000.0


@asynccontextmanager
async def served(of: Engine | None = None) -> AsyncIterator[AsyncOpenAI]:
    """A server on a free port, in this event loop, and a client of it."""
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    ready = port.set_result
    serving = (
        serve(PROFILES["healthy"], [stock()], port=0, ready=ready, speed=FAST, max_seconds=60)
        if of is None
        else serve_engine(of, "127.0.0.1", 0, ready=ready)
    )
    server = asyncio.create_task(serving)
    try:
        async with AsyncOpenAI(base_url=f"http://127.0.0.1:{await port}/v1", api_key="any", max_retries=0) as client:
            yield client
    finally:
        server.cancel()
        await asyncio.gather(server, return_exceptions=True)


def over_http(talk: Callable[[AsyncOpenAI], Awaitable[T]]) -> T:
    async def main() -> T:
        async with served() as client:
            return await talk(client)

    return asyncio.run(main())


def sdk_request(turn: int, **fields: Any) -> dict[str, Any]:
    """The request as the SDK takes it: what OpenAI does not know goes into `extra_body`."""
    request = {**body(history(turn)), **fields}
    request["extra_body"] = {"chat_template_kwargs": request.pop("chat_template_kwargs")}
    return request


def test_the_sdk_streams_calls() -> None:
    async def talk(client: AsyncOpenAI) -> list[tuple[str, str]]:
        calls: dict[int, list[str]] = {}
        stream = await client.chat.completions.create(**sdk_request(4))
        async for chunk in stream:
            for call in (chunk.choices and chunk.choices[0].delta.tool_calls) or []:
                parts = calls.setdefault(call.index, ["", ""])
                parts[0] += (call.function and call.function.name) or ""
                parts[1] += (call.function and call.function.arguments) or ""
        return [(name, arguments) for name, arguments in calls.values()]

    golden = script().golden[3].messages[0].tool_calls
    assert over_http(talk) == [(call.name, call.arguments_text) for call in golden]


def test_the_sdks_own_accumulator_agrees() -> None:
    async def talk(client: AsyncOpenAI) -> tuple[list[Any], str | None, int]:
        request = sdk_request(4)
        del request["stream"]
        async with client.chat.completions.stream(**request) as stream:
            async for _ in stream:
                pass
            whole = await stream.get_final_completion()
        calls = whole.choices[0].message.tool_calls or []
        assert whole.usage is not None
        return [call.function.name for call in calls], whole.choices[0].finish_reason, whole.usage.completion_tokens

    told = ask(body(history(4)))
    assert told.usage is not None
    assert over_http(talk) == (["find_lot", "find_lot"], "tool_calls", told.usage["completion_tokens"])


def test_the_sdk_gets_a_whole_reply_and_the_models() -> None:
    async def talk(client: AsyncOpenAI) -> tuple[str | None, list[str]]:
        reply = await client.chat.completions.create(**sdk_request(2, stream=False, stream_options=None))
        return reply.choices[0].message.content, [model.id async for model in client.models.list()]

    assert over_http(talk) == ("I cannot see that from here.", ["GLM-4.7-FP8"])


@pytest.mark.parametrize(
    ("fields", "error"), [({"model": "gpt-9"}, NotFoundError), ({"messages": []}, BadRequestError)]
)
def test_the_sdk_raises_what_a_server_means(fields: dict[str, Any], error: type[Exception]) -> None:
    async def talk(client: AsyncOpenAI) -> None:
        with pytest.raises(error):
            await client.chat.completions.create(**sdk_request(1, **fields))

    over_http(talk)


def test_many_at_once_get_their_own_replies() -> None:
    async def talk(client: AsyncOpenAI) -> list[str | None]:
        turns = [2, 3, 1, 2, 3, 1, 2, 2]
        replies = await asyncio.gather(
            *(client.chat.completions.create(**sdk_request(n, stream=False, stream_options=None)) for n in turns)
        )
        return [
            reply.choices[0].message.tool_calls[0].function.name if reply.choices[0].message.tool_calls else None
            for reply in replies
        ]

    look, close = "find_lot", "close_lot"
    assert over_http(talk) == [None, close, look, None, close, look, None, None]


class Stuck:
    """A clock on which nothing takes time until, at the tenth sleep, everything does."""

    def __init__(self) -> None:
        self.sleeps = 0
        self.woken = asyncio.Event()

    def now(self) -> int:
        return 0

    async def sleep(self, seconds: float) -> None:
        self.sleeps += 1
        if self.sleeps > 10:
            try:
                await asyncio.Event().wait()
            finally:
                self.woken.set()


def test_a_client_that_goes_away_stops_its_generation() -> None:
    async def main() -> int:
        clock = Stuck()
        asked = Engine(PROFILES["healthy"], [stock()], clock)
        async with served(asked) as client, asyncio.timeout(30):
            request = sdk_request(2)
            request["extra_body"] |= {"ignore_eos": True}
            stream = await client.chat.completions.create(**request, max_tokens=5_000)
            for _ in range(5):
                await anext(stream)
            await stream.close()
            await clock.woken.wait()
        return clock.sleeps

    assert asyncio.run(main()) == 11


def test_a_port_that_is_taken_is_the_users_mistake() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"cannot listen on 127.0.0.1:{port}"):
            asyncio.run(serve(PROFILES["healthy"], [], port=port, ready=lambda _: None))


def test_it_stops_by_itself() -> None:
    ports: list[int] = []
    asyncio.run(serve(PROFILES["healthy"], [], port=0, ready=ports.append, max_seconds=0.01))
    assert len(ports) == 1


def test_a_hurried_clock_runs_ahead() -> None:
    class Stopped:
        def __init__(self) -> None:
            self.slept: list[float] = []

        def now(self) -> int:
            return 7

        async def sleep(self, seconds: float) -> None:
            self.slept.append(seconds)

    stopped = Stopped()
    clock = Hurried(stopped, 4)
    asyncio.run(clock.sleep(8))
    assert (clock.now(), stopped.slept) == (28, [2])
