"""The simulator as an HTTP server in real time, for any client.

The paths are those of `routes`. Loopback unless told otherwise; there is no authentication, any
API key is accepted. A client that goes away stops its generation. Not covered: TLS, request bodies above `MAX_BODY`.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TypedDict, Unpack

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response as HttpResponse
from starlette.responses import StreamingResponse
from starlette.routing import Route

from agenteval.clock import Clock, RealClock
from agenteval.errors import UsageError
from agenteval.simulator.chunks import error_body
from agenteval.simulator.engine import Engine
from agenteval.simulator.library import Library
from agenteval.simulator.profiles import Profile
from agenteval.simulator.routes import JSON, respond

MAX_BODY = 64 * 1024 * 1024
CLOSING_SECONDS = 1
"""How long replies that are under way may still run when the server stops."""


@dataclass(frozen=True, slots=True)
class Hurried:
    """A clock whose time passes `speed` times as fast as another's."""

    clock: Clock
    speed: float

    def now(self) -> int:
        return round(self.clock.now() * self.speed)

    async def sleep(self, seconds: float) -> None:
        await self.clock.sleep(seconds / self.speed)


class Timing(TypedDict, total=False):
    """`speed`: how many times as fast as the profile; `max_seconds` (real ones): when the server stops by itself."""

    speed: float
    max_seconds: float | None


async def serve(
    profile: Profile,
    library: Library,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    ready: Callable[[int], None],
    **timing: Unpack[Timing],
) -> None:
    """Serve a deployment until interrupted or out of time. `ready` is told the port; 0 takes a free one."""
    engine = Engine(profile, library, Hurried(RealClock(), timing.get("speed", 1.0)))
    await serve_engine(engine, host, port, ready=ready, max_seconds=timing.get("max_seconds"))


async def serve_engine(
    engine: Engine, host: str, port: int, *, ready: Callable[[int], None], max_seconds: float | None = None
) -> None:
    """Serve an engine in the time of its own clock. Raises UsageError if it cannot listen there."""
    listener = _listen(host, port)
    server = _server(engine, lambda: ready(listener.getsockname()[1]))
    alarm = asyncio.create_task(_stop_after(server, max_seconds))
    try:
        await server.serve(sockets=[listener])
    finally:
        alarm.cancel()
        listener.close()


def application(engine: Engine) -> Starlette:
    """The endpoint as an ASGI application."""

    async def endpoint(request: Request) -> HttpResponse:
        body = await _body(request)
        if body is None:
            message = f"the body is larger than {MAX_BODY} bytes"
            return HttpResponse(error_body(413, message, None), 413, media_type=JSON)
        response = respond(engine, request.method, request.url.path, body)
        return StreamingResponse(response.body, response.status, media_type=response.content_type)

    return Starlette(routes=[Route("/{path:path}", endpoint, methods=["GET", "POST"])])


def _server(engine: Engine, ready: Callable[[], None]) -> _Server:
    config = uvicorn.Config(
        application(engine),
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=CLOSING_SECONDS,
    )
    return _Server(config, ready)


class _Server(uvicorn.Server):
    """Says when it accepts requests."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()


async def _stop_after(server: uvicorn.Server, seconds: float | None) -> None:
    if seconds is not None:
        await RealClock().sleep(seconds)
        server.should_exit = True


async def _body(request: Request) -> bytes | None:
    """The request's body, None if it is too large."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            return None
    return bytes(body)


def _listen(host: str, port: int) -> socket.socket:
    """A socket with this address. Raises UsageError when it cannot be had."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        with ExitStack() as on_failure:
            listener = on_failure.enter_context(socket.socket(family, kind, protocol))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            on_failure.pop_all()
    except OSError as error:
        raise UsageError(f"cannot listen on {host}:{port}: {error.strerror}") from error
    return listener
