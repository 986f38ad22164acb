"""A server on loopback that lists a model and answers every chat with one body, in a thread of its own."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

PAGES = {"/v1/models": {"data": [{"id": "glm-4.7", "owned_by": "vllm"}]}}


@contextmanager
def answering(
    body: bytes,
    *,
    status: int = 200,
    kind: str = "text/event-stream",
    echo: bool = False,
    tls: bool = False,
    pages: Mapping[str, Any] = PAGES,
) -> Iterator[str]:
    """The base URL of a server that gives `body` to every POST, and to a GET the JSON of its page; without pages it
    refuses every GET. With `echo` its word KEY becomes the key that was sent, with `tls` it speaks https with a
    certificate that nobody vouches for."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if not pages:
                self._answer(401, "text/plain", self._echoed(b"no such key: KEY"))
            else:
                page = json.dumps(pages.get(self.path)).encode()
                self._answer(200 if self.path in pages else 404, "application/json", page)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self._answer(status, kind, self._echoed(body))

        def _echoed(self, text: bytes) -> bytes:
            key = self.headers.get("authorization", "").removeprefix("Bearer ")
            return text.replace(b"KEY", key.encode()) if echo else text

        def _answer(self, code: int, content_type: str, text: bytes) -> None:
            self.send_response(code)
            self.send_header("content-type", content_type)
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(Path(__file__).parent.parent / "client" / "localhost.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
