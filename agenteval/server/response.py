"""What an endpoint of ours answers, and how it spells an error."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import TypeAlias

from agenteval.errors import AgentevalError

JSON = "application/json"
SSE = "text/event-stream; charset=utf-8"


class CutError(AgentevalError):
    """Raised by a body where the connection is to be closed in the middle of it."""


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response whose body comes in time."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: AsyncGenerator[bytes, None]


Answerer: TypeAlias = Callable[[str, str, bytes], Response]
"""Method, path and body of a request → the answer."""


async def at_once(data: bytes) -> AsyncGenerator[bytes, None]:
    """A body in one piece."""
    yield data


def error_response(status: int, message: str, param: str | None = None) -> Response:
    return Response(status, (("content-type", JSON),), at_once(error_body(status, message, param)))


def error_body(status: int, message: str, param: str | None) -> bytes:
    """An error as the OpenAI API spells it."""
    kind = "NotFoundError" if status == 404 else "BadRequestError"
    error = {"message": message, "type": kind, "param": param, "code": status}
    return json.dumps({"error": error}, ensure_ascii=False).encode()
