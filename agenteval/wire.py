"""The transport seam: one HTTP exchange whose body bytes are pushed, stamped, into a receiver.

Behind it live the measuring HTTP client, the in-process simulator, and a conversation heard again from its recording
(after which an endpoint may go on).
Times are ns of one monotonic clock, stamped when the bytes arrived and before anything decodes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import msgspec

from agenteval.clock import Clock

FaultKind = Literal[
    "dns",
    "refused",
    "tls",
    "connect",
    "timeout_connect",
    "timeout_first_frame",
    "timeout_between",
    "timeout_total",
    "cut",
    "reset",
    "too_large",
    "protocol",
]

SLOW: frozenset[FaultKind] = frozenset({"timeout_first_frame", "timeout_between", "timeout_total"})
"""Time-outs of a server that was reached."""


class Body(dict[str, Any]):
    """A request's body that is never changed once it is made, and knows how it is spelled."""

    def __init__(self, fields: Mapping[str, Any], spelled: bytes) -> None:
        super().__init__(fields)
        self.spelled = spelled


def request_bytes(body: Mapping[str, Any]) -> bytes:
    """A request's body as JSON, in the order of its keys."""
    return body.spelled if isinstance(body, Body) else msgspec.json.encode(body, enc_hook=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} cannot be sent as JSON")


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request whose body is already serialised.

    `path` is the path on the server's root, the same for every endpoint: `/v1/chat/completions`, `/version`. An
    HTTP transport puts it behind the base URL, whose last part stands for `/v1`.
    """

    method: Literal["GET", "POST"]
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Limits:
    """Time-outs in seconds: to connect; from the request sent to the first frame of its reply; between two reads after
    that; for the whole exchange; from a stream's `[DONE]` to its end. And the most bytes that are accepted: of a body,
    and of one line of it.

    A keep-alive (a comment line of a stream, a blank) is no frame: it does not end the wait for the first one. It does
    show that the server lives: between frames it counts as a read. `own`: the user's options set the time-outs, so that
    a sentence may name the option.
    """

    connect_s: float = 10.0
    first_frame_s: float = 300.0
    between_s: float = 120.0
    total_s: float = 1800.0
    after_done_s: float = 1.0
    max_bytes: int = 64 * 1024 * 1024
    max_line: int = 8 * 1024 * 1024
    own: bool = True


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an exchange did not end as it should; infrastructure, never the model's mistake."""

    kind: FaultKind
    detail: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """How an exchange went.

    `sent_at`: just before the first request byte was written (connection open, body serialised); `connect_ms`:
    time to open the connection, None if one was open already; `status`: HTTP status, None if none came;
    `reads`: how often body bytes arrived; `resent`: a kept connection was found closed, and the request sent again;
    `replayed`: nothing was asked now, this is how it went once.
    """

    sent_at: int
    ended_at: int
    status: int | None
    fault: Fault | None = None
    connect_ms: float | None = None
    headers: tuple[tuple[str, str], ...] = ()
    reads: int = 0
    resent: bool = False
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Recording:
    """A reply's body exactly as it came: `chunks` are (ns after `sent_at`, bytes) in order of arrival, `ended` the ns
    after which it was over, `fault` how it failed; `request`: the body that was sent, None if that is not known."""

    status: int | None
    headers: tuple[tuple[str, str], ...]
    chunks: tuple[tuple[int, bytes], ...]
    ended: int = 0
    fault: Fault | None = None
    request: Mapping[str, Any] | None = None


class Receiver(Protocol):
    """Takes an exchange's head and body as they arrive. Must not raise: bytes are hostile, faults are values."""

    def head(self, status: int, headers: tuple[tuple[str, str], ...], at: int) -> None: ...

    def data(self, chunk: bytes, at: int) -> None: ...


class Transport(Protocol):
    """Carries one request to an endpoint."""

    @property
    def clock(self) -> Clock: ...

    async def exchange(self, request: HttpRequest, receiver: Receiver, limits: Limits) -> Exchange:
        """Send, push the reply into `receiver`, return when it has ended or failed. Faults are returned, not raised."""
        ...

    async def aclose(self) -> None: ...
