"""Data on stdout comes whole, whatever takes it."""

from __future__ import annotations

import io
from typing import BinaryIO, cast

from agenteval.cli.voice import whole


class Pipe(io.RawIOBase):
    """Takes a few bytes at a time, as a pipe does whose reader is slow."""

    def __init__(self) -> None:
        self.taken = b""

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        piece = bytes(memoryview(data))[:7]  # type: ignore[arg-type]
        self.taken += piece
        return len(piece)


def test_unbuffered_output_loses_nothing_to_a_slow_reader() -> None:
    pipe = Pipe()
    text = "a longer line, with a · in it\n" * 50
    unbuffered = io.TextIOWrapper(cast(BinaryIO, pipe), "utf-8", write_through=True)
    stream = whole(unbuffered)
    stream.write(text)
    stream.flush()
    assert pipe.taken.decode() == text


def test_a_buffered_stream_stays_as_it_is() -> None:
    stream = io.TextIOWrapper(io.BytesIO())
    assert whole(stream) is stream
