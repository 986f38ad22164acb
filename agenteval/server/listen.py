"""Listen, take requests, send replies as they come.

There is no authentication, any API key is accepted. A client that goes away stops its reply. Not covered: TLS, request
bodies above `MAX_BODY`.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response as HttpResponse
from starlette.responses import StreamingResponse
from starlette.routing import Route
from starlette.types import Send

from agenteval.clock import RealClock
from agenteval.errors import UsageError
from agenteval.server.response import JSON, Answerer, CutError, Response, error_body

MAX_BODY = 64 * 1024 * 1024
CLOSING_SECONDS = 1
"""How long replies that are under way may still run when the server stops."""


async def serve(
    answer: Answerer, host: str, port: int, *, ready: Callable[[int], None], max_seconds: float | None = None
) -> None:
    """Serve an endpoint until interrupted or out of time. `ready` is told the port; 0 takes a free one.

    Raises UsageError if it cannot listen there.
    """
    listener = _listen(host, port)
    server = _server(answer, lambda: ready(listener.getsockname()[1]))
    alarm = asyncio.create_task(_stop_after(server, max_seconds))
    try:
        await server.serve(sockets=[listener])
    finally:
        alarm.cancel()
        listener.close()


def application(answer: Answerer) -> Starlette:
    """The endpoint as an ASGI application."""

    async def endpoint(request: Request) -> HttpResponse:
        body = await _body(request)
        if body is None:
            message = f"the body is larger than {MAX_BODY} bytes"
            return HttpResponse(error_body(413, message, None), 413, media_type=JSON)
        return _Streamed(answer(request.method, request.url.path, body))

    return Starlette(routes=[Route("/{path:path}", endpoint, methods=["GET", "POST"])])


class _Streamed(StreamingResponse):
    """Headers as they are given; where the body is cut, the closing message is missing, and the server hangs up."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.body, response.status)
        self.raw_headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]

    async def stream_response(self, send: Send) -> None:
        try:
            await super().stream_response(send)
        except CutError:
            return


class _Uncut:
    """Keeps replies that are cut on purpose out of the server's log; all else is a bug and is shown."""

    def filter(self, record: Any) -> bool:
        return not record.getMessage().startswith("ASGI callable returned without completing response")


_LOG = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"uncut": {"()": _Uncut}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "filters": ["uncut"]}},
    "loggers": {"uvicorn.error": {"handlers": ["stderr"], "level": "WARNING", "propagate": False}},
}


def _server(answer: Answerer, ready: Callable[[], None]) -> _Server:
    config = uvicorn.Config(
        application(answer),
        lifespan="off",
        ws="none",
        log_config=_LOG,
        access_log=False,
        date_header=False,
        server_header=False,
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
