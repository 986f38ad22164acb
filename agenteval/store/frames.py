"""The frames of one cell: a gzip file with one member per request, each a JSON line, in the order of writing.

A member is whole or it is torn; a torn one can only be the last, since nothing is written after it before the file is
mended.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from gzip import compress
from pathlib import Path
from typing import Any, Literal

import msgspec

from agenteval.errors import UsageError
from agenteval.store.requests import RequestReader, Spelled
from agenteval.wire import Fault, Recording

BLOCK = 1 << 16
MAX_LINE = 1 << 29
"""Bytes that one line may unfold to: a reply of the largest size that is taken, in base64, with room to spare."""

_GZIP = zlib.MAX_WBITS | 16


@dataclass(frozen=True, slots=True)
class StoredStep:
    """One request as it was sent (None if it was not kept) and what came back."""

    request: dict[str, Any] | None
    recording: Recording


@dataclass(frozen=True, slots=True)
class Line:
    """A member unfolded. `step`: its id; `chunks`: ns after the request was sent, how the bytes are spelled, they."""

    step: str
    request: Spelled | None
    status: int | None
    headers: tuple[tuple[str, str], ...]
    ended: int
    fault: Fault | None
    chunks: tuple[tuple[int, Literal["text", "base64"], str], ...]

    @property
    def recording(self) -> Recording:
        chunks = tuple((at, _bytes(kind, text)) for at, kind, text in self.chunks)
        return Recording(self.status, self.headers, chunks, self.ended, self.fault)


@dataclass(frozen=True, slots=True)
class Member:
    """A whole member: where it stands in its file, and its line."""

    start: int
    end: int
    line: Line


@dataclass(frozen=True, slots=True)
class Place:
    """Where one reply stands on the disk."""

    path: Path
    start: int


def frames_path(run: Path, cell: str) -> Path:
    """Where a cell's frames are. Raises UsageError for a cell's name that leads elsewhere."""
    if "/" in cell or "\\" in cell or "\0" in cell:
        raise UsageError(f"{run}: {cell!r} is no name of a cell; this is no run of ours")
    return run / "frames" / f"{cell}.jsonl.gz"


def packed(step: str, request: Spelled | None, recording: Recording) -> bytes:
    """One member; `request`: the body as it is spelled in frames."""
    chunks = tuple((at, *_spelled(chunk)) for at, chunk in recording.chunks)
    line = Line(step, request, recording.status, recording.headers, recording.ended, recording.fault, chunks)
    return compress(msgspec.json.encode(line) + b"\n", compresslevel=6, mtime=0)


def members(path: Path, start: int = 0) -> Iterator[Member]:
    """The members of a file from a place on, up to the first that is torn; none if there is no such file.

    Raises UsageError for a line that is none of ours.
    """
    decoder = msgspec.json.Decoder(Line)
    try:
        with path.open("rb") as file:
            file.seek(start)
            held = b""
            while taken := _take(iter(lambda: file.read(BLOCK), b""), held, path):
                text, size, held = taken
                yield Member(start, start + size, decoder.decode(text))
                start += size
    except (FileNotFoundError, zlib.error):
        return
    except msgspec.DecodeError as error:
        raise UsageError(f"{path}: these are no frames of a run ({error})") from error


def _take(blocks: Iterator[bytes], held: bytes, path: Path) -> tuple[bytes, int, bytes] | None:
    """The next member's text, its packed size, and what was read beyond it; None if it is torn or there is none."""
    unpacker, parts, unfolded, size = zlib.decompressobj(_GZIP), [], 0, 0
    block = held or next(blocks, b"")
    while block:
        parts.append(unpacker.decompress(block))
        unfolded += len(parts[-1])
        size += len(block)
        if unfolded > MAX_LINE:
            raise UsageError(f"{path}: a line of more than {MAX_LINE} bytes; these are no frames of ours")
        if unpacker.eof:
            rest = unpacker.unused_data
            return b"".join(parts), size - len(rest), rest
        block = next(blocks, b"")
    return None


def read_frames(run: Path, cell: str) -> dict[str, StoredStep]:
    """What was sent and received in one cell, by step id; empty if nothing was kept. Ignores a torn last member."""
    requests = RequestReader()
    return {
        member.line.step: StoredStep(requests.read(member.line.request), member.line.recording)
        for member in members(frames_path(run, cell))
    }


def index_frames(run: Path, cell: str) -> Iterator[tuple[str, dict[str, Any] | None, Place]]:
    """Id, request (None: not kept) and place of every step of a cell; the replies are left where they are."""
    requests, path = RequestReader(), frames_path(run, cell)
    for member in members(path):
        yield member.line.step, requests.read(member.line.request), Place(path, member.start)


def recording_at(place: Place) -> Recording:
    """The reply at a place. Raises UsageError if it is gone."""
    member = next(members(place.path, place.start), None)
    if member is None:
        raise UsageError(f"{place.path}: a reply that was there is gone")
    return member.line.recording


def _spelled(chunk: bytes) -> tuple[Literal["text", "base64"], str]:
    """With the name of the spelling: a chunk as text where it is whole UTF-8, else in base64."""
    try:
        return "text", chunk.decode()
    except UnicodeDecodeError:
        return "base64", base64.b64encode(chunk).decode()


def _bytes(kind: str, text: str) -> bytes:
    return text.encode() if kind == "text" else base64.b64decode(text)
