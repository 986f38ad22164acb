"""Bugs for the fuzzer to find: `make fuzz ARGS=--planted` fails if one is not found. They are put into the modules of
the process that fuzzes, and stand nowhere else."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Planted:
    """A method of a class in `agenteval.parsers`, and what takes its place, made from it."""

    family: str
    module: str
    method: tuple[str, str]
    instead: Callable[[Any], Any]

    def plant(self) -> None:
        """Into the modules that are imported now."""
        owner, name = (
            getattr(importlib.import_module(f"agenteval.parsers.{self.module}"), self.method[0]),
            self.method[1],
        )
        setattr(owner, name, self.instead(getattr(owner, name)))


def _forgets_the_escape(read: Any) -> Any:
    """A string's backslash at the end of a feed."""

    def method(self: Any, text: str, at: int) -> int:
        self._escaped = False
        return int(read(self, text, at))

    return method


def _forgets_the_newline(take: Any) -> Any:
    """The last one of a value's feed."""

    def method(self: Any, text: str) -> None:
        self._tail = ""
        take(self, text)

    return method


def _fails_in_depth(begin: Any) -> Any:
    def method(self: Any, bracket: str) -> None:
        begin(self, bracket)
        if len(self._open) > 3:
            raise IndexError("a fourth bracket")

    return method


def _reads_again(take: Any) -> Any:
    """All that came, with each feed."""

    def method(self: Any, text: str) -> None:
        self.seen = getattr(self, "seen", 0) + len(text)
        self.work += self.seen
        take(self, text)

    return method


NONE = "-"
BUGS = {
    "escape": Planted("hermes", "json_text", ("JsonValue", "read"), _forgets_the_escape),
    "newline": Planted("qwen3_coder", "tag_reader", ("TagReader", "_take_string"), _forgets_the_newline),
    "depth": Planted("gemma4", "notation", ("Notation", "_begin_bracket"), _fails_in_depth),
    "again": Planted("kimi_k2", "reader", ("Reader", "_take"), _reads_again),
}
"""One that shows where a text is cut in one place, one that needs two values or two lines, one that raises,
one whose work grows with the square of the text."""
