"""Server-sent events: bytes in, payloads out, however the bytes were cut. No I/O, no clock, no JSON.

Line ends may be LF, CR or CRLF. An event of type `error`, and llama.cpp's former `error:` field, come out as
an `ErrorPayload`. Outside the standard, and counted: a line that begins with `{` is taken for data, so that a
bare JSON error is not lost. Memory is bounded by `max_event`; time is linear in the bytes.
"""

from __future__ import annotations

MAX_EVENT = 8 * 1024 * 1024
"""Bytes of one event that are kept; a longer one is dropped and counted."""

_BOM = b"\xef\xbb\xbf"
_FIELDS = frozenset({b"data", b"event", b"id", b"retry", b"error"})


class ErrorPayload(bytes):
    """The data of an event that the server itself calls an error."""

    __slots__ = ()


class SseDecoder:
    """`feed` bytes as they arrive, then `flush` once.

    `comments` counts comment lines (keep-alives), `stray` lines that are no field of the standard, `dropped`
    events that were too long; `first_stray` is the beginning of the first stray line.
    """

    __slots__ = (
        *("comments", "dropped", "first_stray", "stray"),
        *(
            "_after_cr",
            "_at_start",
            "_data",
            "_dropping",
            "_idle",
            "_is_error",
            "_max_event",
            "_size",
            "_tail",
        ),
    )

    def __init__(self, max_event: int = MAX_EVENT) -> None:
        self.comments = 0
        self.stray = 0
        self.dropped = 0
        self.first_stray = b""
        self._max_event = max_event
        self._tail = bytearray()  # the line that has not ended yet
        self._data: list[bytes] = []  # data lines of the event that has not ended yet
        self._size = 0  # bytes of these lines as they stood on the wire
        self._is_error = False
        self._dropping = False
        self._after_cr = False
        self._at_start = True
        self._idle = True  # between two events, with nothing pending

    def feed(self, chunk: bytes) -> list[bytes]:
        """The payloads of the events that this chunk completes."""
        if self._idle and chunk[:7] == b"data: {" and chunk[-2:] == b"\n\n" and self._is_one_event(chunk):
            self._at_start = False
            return [chunk[6:-2]]
        payloads: list[bytes] = []
        for line in self._lines(chunk):
            self._line(line, payloads)
        self._grow_tail()
        self._idle = not (self._tail or self._size or self._after_cr or self._is_error)
        return payloads

    def flush(self) -> list[bytes]:
        """The payload of an event that the end of the stream left without its blank line."""
        payloads: list[bytes] = []
        if self._tail:
            self._line(self._take_tail(), payloads)
        self._end_event(payloads)
        return payloads

    def _is_one_event(self, chunk: bytes) -> bool:
        return chunk.count(b"\n") == 2 and b"\r" not in chunk and len(chunk) <= self._max_event + 1

    def _lines(self, chunk: bytes) -> list[bytes]:
        """Complete lines without their ends; what follows the last end becomes the tail."""
        if self._after_cr and chunk:
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        if not chunk:
            return []
        self._after_cr = chunk.endswith(b"\r")
        lines = chunk.splitlines()
        rest = b"" if chunk[-1] in b"\r\n" else lines.pop()
        if lines and self._tail:
            lines[0] = self._take_tail() + lines[0]
        self._tail += rest
        return lines

    def _take_tail(self) -> bytes:
        tail = bytes(self._tail)
        self._tail.clear()
        return tail

    def _grow_tail(self) -> None:
        """Keep the unfinished line within bounds; the verdict is the same as when it comes whole."""
        if self._size + len(self._tail) > self._max_event:
            self._drop()
        if self._dropping and self._tail:
            self._tail[:] = b":"  # remembers that the line is not empty, and no more

    def _drop(self) -> None:
        if not self._dropping:
            self._dropping = True
            self.dropped += 1
        self._data.clear()
        self._size = 1

    def _line(self, line: bytes, payloads: list[bytes]) -> None:
        fits = self._size + len(line) < self._max_event
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(_BOM)
        if not line:
            self._end_event(payloads)
        elif self._dropping or not fits:
            self._drop()
        elif line[:1] == b":":
            self.comments += 1
        else:
            self._field(line)

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        if name == b"data" or name == b"error":
            self._is_error |= name == b"error"
            self._keep(value.removeprefix(b" "), line)
        elif name == b"event":
            self._is_error = value.strip() == b"error"
        elif name not in _FIELDS:
            self.stray += 1
            self.first_stray = self.first_stray or line[:120]
            if line[:1] == b"{":
                self._keep(line, line)

    def _keep(self, value: bytes, line: bytes) -> None:
        self._data.append(value)
        self._size += len(line) + 1

    def _end_event(self, payloads: list[bytes]) -> None:
        payload = b"\n".join(self._data)
        if payload and not self._dropping:
            payloads.append(ErrorPayload(payload) if self._is_error else payload)
        self._data.clear()
        self._size = 0
        self._is_error = self._dropping = False
