"""Small JSON requests beside chat: which models there are, and what a server says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from agenteval.client.chat import http_error
from agenteval.wire import Fault, HttpRequest, Limits, Transport

MODELS_PATH = "/v1/models"

PROBE_LIMITS = Limits(first_frame_s=20.0, between_s=20.0, total_s=30.0, max_bytes=16 * 1024 * 1024, own=False)
"""Nothing here generates, so that nothing here may take long."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """The answer to a JSON request. `value`: the parsed body; `error`: in words, why there is none of use."""

    status: int | None
    value: Any = None
    error: str | None = None
    fault: Fault | None = None


class _Body:
    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def head(self, status: int, headers: tuple[tuple[str, str], ...], at: int) -> None:
        pass

    def data(self, chunk: bytes, at: int) -> None:
        self.parts.append(chunk)


async def fetch_json(
    transport: Transport, path: str, body: Mapping[str, Any] | None = None, *, limits: Limits = PROBE_LIMITS
) -> Fetched:
    """GET a path of the server's root, or POST a body to it. Never raises for what a server does."""
    sink = _Body()
    data = b"" if body is None else msgspec.json.encode(body)
    accept = (("accept", "application/json"),)
    request = HttpRequest("GET" if body is None else "POST", path, accept, data)
    exchange = await transport.exchange(request, sink, limits)
    if exchange.fault is not None:
        return Fetched(exchange.status, error=exchange.fault.detail, fault=exchange.fault)
    return _fetched(exchange.status, b"".join(sink.parts))


def _fetched(status: int | None, body: bytes) -> Fetched:
    if status is None or not 200 <= status < 300:
        return Fetched(status, error=f"HTTP {status}: {http_error(body)}")
    try:
        return Fetched(status, msgspec.json.decode(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Fetched(status, error=f"HTTP {status} with a body that is no JSON")


async def ask_json(transport: Transport, path: str, body: Mapping[str, Any] | None = None) -> Any:
    """The JSON that a path answers with; None if there is none, for whatever reason."""
    return (await fetch_json(transport, path, body)).value


def model_names(answer: Any) -> tuple[str, ...]:
    """Names of the models in the answer to `GET /v1/models`, in its order; empty if there are none to be read."""
    entries = answer.get("data") if isinstance(answer, dict) else None
    names = [entry.get("id") for entry in entries or () if isinstance(entry, dict)] if isinstance(entries, list) else []
    return tuple(name for name in names if isinstance(name, str) and name)
