"""A raw loopback server that sends exactly the scripted bytes; for tests of what comes over a socket."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from agenteval.clock import RealClock
from agenteval.wire import Limits

LOCALHOST_PEM = Path(__file__).parent / "localhost.pem"
"""A key and certificate that only these tests use."""

FAST = Limits(connect_s=5, first_frame_s=5, between_s=5, total_s=10)

Then = Literal["keep", "close", "reset", "hang"]


@dataclass(frozen=True)
class Answer:
    """What one request gets: these pieces, one write each, and then what happens to the connection."""

    pieces: tuple[bytes, ...] = ()
    then: Then = "keep"


@dataclass
class Server:
    """`scripts`: one list of answers per connection; the last list serves all further connections."""

    scripts: Sequence[Sequence[Answer]]
    port: int = 0
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        script = self.scripts[min(self.connections, len(self.scripts) - 1)]
        self.connections += 1
        try:
            for answer in script:
                self.requests.append(await read_request(reader))
                await send(writer, answer.pieces)
                if answer.then == "hang":
                    await reader.read()
                if answer.then == "reset":
                    writer.transport.abort()
                if answer.then != "keep":
                    return
            await reader.read()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.closed.set()
            writer.close()


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """A request with its body."""
    head = await reader.readuntil(b"\r\n\r\n")
    lengths = [line.partition(b":")[2] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    return head + await reader.readexactly(int(lengths[0]) if lengths else 0)


async def send(writer: asyncio.StreamWriter, pieces: Sequence[bytes]) -> None:
    """One write per piece, with a turn of the loop between them so that the other side reads each alone."""
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        for _ in range(3):
            await RealClock().sleep(0)


@asynccontextmanager
async def serving(*scripts: Sequence[Answer], tls: bool = False) -> AsyncIterator[Server]:
    """A server on a free port of 127.0.0.1."""
    server = Server(scripts)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) if tls else None
    if context:
        context.load_cert_chain(LOCALHOST_PEM)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=context)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()


def head(*headers: str, status: str = "200 OK") -> bytes:
    """The head of a response."""
    return "\r\n".join((f"HTTP/1.1 {status}", *headers, "", "")).encode()


def chunked(*parts: bytes, content_type: str = "text/event-stream") -> tuple[bytes, ...]:
    """A response with chunked transfer encoding, one HTTP chunk and one write per part."""
    chunks = (b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    return (head(f"content-type: {content_type}", "transfer-encoding: chunked"), *chunks, b"0\r\n\r\n")


def sized(body: bytes, *headers: str, status: str = "200 OK", content_type: str = "application/json") -> bytes:
    """A response with a content length, in one piece."""
    return head(f"content-type: {content_type}", f"content-length: {len(body)}", *headers, status=status) + body


class Sink:
    """A receiver that keeps what it gets."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        self.chunks: list[tuple[int, bytes]] = []

    def head(self, status: int, headers: tuple[tuple[str, str], ...], at: int) -> None:
        self.status = status
        self.headers = dict(headers)

    def data(self, chunk: bytes, at: int) -> None:
        self.chunks.append((at, chunk))

    @property
    def body(self) -> bytes:
        return b"".join(chunk for _, chunk in self.chunks)
