"""Data on stdout comes whole, whatever takes it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from threading import Thread

from agenteval.cli.voice import whole

LONG = "a longer line, with a · in it\n" * 10_000


def test_output_that_python_was_told_not_to_buffer_is_written_to_its_end() -> None:
    """A raw file's `write` may take a part, and says so to nobody; a buffered one goes on."""
    reading, writing = os.pipe()
    with os.fdopen(reading) as pipe, io.FileIO(writing, "w") as raw:
        unbuffered = io.TextIOWrapper(raw, "utf-8", write_through=True)
        stream = whole(unbuffered)
        assert isinstance(stream.buffer, io.BufferedWriter)
        told: list[str] = []
        reader = Thread(target=lambda: told.append(pipe.read()))
        reader.start()
        stream.write(LONG)
        stream.close()
        unbuffered.close()
        reader.join()
    assert told == [LONG]


def test_a_buffered_stream_stays_as_it_is() -> None:
    stream = io.TextIOWrapper(io.BytesIO())
    assert whole(stream) is stream


def test_the_program_prints_in_a_container_that_sets_pythonunbuffered() -> None:
    command = [sys.executable, "-m", "agenteval", "--help"]
    said = [
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, "PYTHONUNBUFFERED": value}).stdout
        for value in ("", "1")
    ]
    assert said[0] == said[1] != b""
