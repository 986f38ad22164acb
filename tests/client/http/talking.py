"""One transport and one raw loopback server, talking on the event loop that a test is run on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from agenteval.client import HttpTransport
from agenteval.wire import Exchange, Fault, HttpRequest, Limits
from tests.client.server import FAST, Answer, Server, Sink, serving

POST = HttpRequest("POST", "/v1/chat/completions", (("x-one", "1"),), b'{"a":1}')
GET = HttpRequest("GET", "/version")

Talk = Callable[[HttpTransport, Server], Awaitable[None]]


class Loops:
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None


def run(main: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=Loops.factory) as runner:
        runner.run(main)


def talk(
    scenario: Talk, *scripts: list[Answer], tls: bool = False, url: str | None = None, verify_tls: bool = True
) -> None:
    """Run a scenario against a server with these scripts."""

    async def main() -> None:
        async with serving(*scripts, tls=tls) as server:
            address = (url or server.url).replace(":0/", f":{server.port}/")
            transport = HttpTransport(address, headers=(("authorization", "Bearer k"),), verify_tls=verify_tls)
            try:
                await scenario(transport, server)
            finally:
                await transport.aclose()

    run(main())


def once(answer: Answer, limits: Limits = FAST, request: HttpRequest = POST) -> tuple[Exchange, Sink]:
    """One exchange on a fresh connection."""
    sink, results = Sink(), []

    async def scenario(transport: HttpTransport, server: Server) -> None:
        results.append(await transport.exchange(request, sink, limits))

    talk(scenario, [answer])
    return results[0], sink


def fault_of(exchange: Exchange) -> Fault:
    assert exchange.fault is not None
    return exchange.fault
