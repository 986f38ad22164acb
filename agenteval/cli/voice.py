"""What is said: messages for people on stderr, with strangers' text made harmless; data on stdout, whole."""

from __future__ import annotations

import io
import os
import sys
from typing import TextIO

import click

from agenteval.visible import visible


def tell(text: str) -> None:
    """Say something on stderr."""
    click.echo(visible(text), err=True)


def coloured() -> bool:
    """Whether stdout is a terminal that wants colour (see no-color.org)."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ


def whole(stream: TextIO) -> TextIO:
    """A stream that writes all it is given.

    Under PYTHONUNBUFFERED, as containers set it, Python's own stdout writes once, and drops what a pipe did not take.
    """
    raw = getattr(stream, "buffer", None)
    if not isinstance(raw, io.FileIO):
        return stream
    same = io.BufferedWriter(io.FileIO(raw.fileno(), "w", closefd=False))
    return io.TextIOWrapper(same, stream.encoding, stream.errors)
