"""A server of a model that fails as it is told to: on loopback, in a thread of its own, bounded in time."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Literal

from agenteval.clock import RealClock
from agenteval.run.preflight import TOOLS
from tests.client.server import LOCALHOST_PEM, head, read_request, send, sized

LONGEST_S = 60.0
TLS_HANDSHAKE = b"\x16"
SMALL_QUESTION = TOOLS[0].name.encode()
DRIP_S = 0.01

MODELS = sized(json.dumps({"data": [{"id": "tiny-model", "owned_by": "vllm"}]}).encode())
NOTHING = sized(b'{"detail": "Not Found"}', status="404 Not Found")

Then = Literal["keep", "close", "reset", "hang", "drip", "flood", "die"]


@dataclass(frozen=True)
class Answer:
    """What a request gets: these pieces, one write each, and then what becomes of the connection. `drip` and `flood`
    repeat the last piece until the client goes, slowly or as fast as it reads; `die`: the whole server breaks off."""

    pieces: tuple[bytes, ...] = ()
    then: Then = "keep"


def streamed(*frames: bytes, then: Then = "keep", kind: str = "text/event-stream") -> Answer:
    """A stream, whole and in order, or ended otherwise inside its body."""
    body = [b"%x\r\n%s\r\n" % (len(frame), frame) for frame in frames]
    end = (b"0\r\n\r\n",) if then == "keep" else ()
    return Answer((head(f"content-type: {kind}", "transfer-encoding: chunked"), *body, *end), then)


class Server:
    """Lists one model, and answers the n-th request of a run (from 0) with `script(n)`; likewise the small questions
    that agenteval asks before a run and in doubt, but for those there may be an answer of their own. `vanishes`: it
    stops listening once it has listed its model. `asked`: how many requests of a run came; `doubted`: how many small
    questions."""

    def __init__(
        self, script: Callable[[int], Answer], *, small: Answer | None, tls: bool, vanishes: bool, port: int
    ) -> None:
        self.asked = 0
        self.doubted = 0
        self.port = port
        self._small = small
        self._script = script
        self._tls = tls
        self._vanishes = vanishes
        self._ready = threading.Event()
        self._over = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    def run(self) -> None:
        """The thread's work."""
        asyncio.run(self._serve())

    def wait(self) -> None:
        assert self._ready.wait(LONGEST_S)

    def stop(self) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._over.set)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) if self._tls else None
        if context:
            context.load_cert_chain(LOCALHOST_PEM)
        self._listener = await asyncio.start_server(self._connection, "127.0.0.1", self.port, ssl=context)
        self.port = self._listener.sockets[0].getsockname()[1]
        self._loop.set_exception_handler(lambda *_: None)  # handshakes that a client gives up
        self._ready.set()
        try:
            async with asyncio.timeout(LONGEST_S):
                await self._over.wait()
        finally:
            self._listener.close()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while await self._exchange(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its answer; whether another may follow."""
        first = await reader.readexactly(1)
        if first == TLS_HANDSHAKE:
            await send(writer, [sized(b"", status="400 Bad Request")])
            return False
        request = first + await read_request(reader)
        if request.startswith(b"GET"):
            if self._vanishes:
                self._listener.close()
            await send(writer, [MODELS if b" /v1/models " in request else NOTHING])
            return not self._vanishes
        answer = self._answer(request)
        await send(writer, answer.pieces)
        if answer.then == "hang":
            await reader.read()
        elif answer.then == "reset":
            _reset(writer)
        elif answer.then == "die":
            self._listener.close()
            for other in self._writers:
                _reset(other)
        while answer.then in ("drip", "flood"):
            await send(writer, answer.pieces[-1:])
            await RealClock().sleep(DRIP_S if answer.then == "drip" else 0)
        return answer.then == "keep"

    def _answer(self, request: bytes) -> Answer:
        if SMALL_QUESTION in request:
            self.doubted += 1
            return self._small or self._script(self.asked)
        self.asked += 1
        return self._script(self.asked - 1)


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST instead of FIN."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@contextmanager
def serving(
    script: Callable[[int], Answer],
    *,
    small: Answer | None = None,
    tls: bool = False,
    vanishes: bool = False,
    port: int = 0,
) -> Iterator[Server]:
    """A server while the block lasts."""
    server = Server(script, small=small, tls=tls, vanishes=vanishes, port=port)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    server.wait()
    try:
        yield server
    finally:
        server.stop()
        thread.join(LONGEST_S)


@contextmanager
def nobody_listening() -> Iterator[int]:
    """A port that is taken, and on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@contextmanager
def nobody_accepting() -> Iterator[int]:
    """A port whose queue of connections is full."""
    with ExitStack() as open_sockets:
        listener = open_sockets.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = open_sockets.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
