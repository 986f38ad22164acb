"""The scheduled server in a process of its own, so that a client and its server do not share a loop."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

BACKLOG = 2048

_PROGRAM = """\
import socket
from agenteval.server.scheduled import run_scheduled
run_scheduled(socket.socket(fileno={fileno}), {max_seconds})
"""


@dataclass(frozen=True, slots=True)
class Started:
    """A server that takes connections. `url`: its base URL; `pid`: its process."""

    url: str
    pid: int


@asynccontextmanager
async def scheduled_server(max_seconds: float = 600.0) -> AsyncIterator[Started]:
    """A scheduled server on loopback, ended with the block. It ends by itself when its time is over or the process that
    started it is gone."""
    with socket.create_server(("127.0.0.1", 0), backlog=BACKLOG) as listener:
        port = listener.getsockname()[1]
        program = _PROGRAM.format(fileno=listener.fileno(), max_seconds=max_seconds)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, pass_fds=(listener.fileno(),), stdin=asyncio.subprocess.DEVNULL
        )
    try:
        yield Started(f"http://127.0.0.1:{port}/v1", process.pid)
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
