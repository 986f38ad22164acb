"""Request bodies in a run's frames: each as what it adds to the one before in its cell, so that a long conversation
takes linear space. `RequestWriter` and `RequestReader` are each other's inverse.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agenteval.growing import common_prefix

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Spelled:
    """A body as a change to the last one of its cell: all its `keys` in order, the values that are new, how many
    messages are `kept` from the start, and those that follow them."""

    keys: tuple[str, ...]
    changed: dict[str, Any]
    kept: int
    messages: list[Any]


REMEMBERED = 1024
"""Cells whose last body is remembered: as many as can be under way at a time. After that a body is spelled in full."""


class RequestWriter:
    """Remembers the last body of each cell under way."""

    def __init__(self) -> None:
        self._last: dict[str, Mapping[str, Any]] = {}

    def remember(self, cell: str, body: Mapping[str, Any]) -> None:
        """A body that is written now, or was by somebody else."""
        self._last.pop(cell, None)
        self._last[cell] = body
        if len(self._last) > REMEMBERED:
            del self._last[next(iter(self._last))]

    def spell(self, cell: str, body: Mapping[str, Any] | None) -> Spelled | None:
        """A body as a change to the last one; None for none."""
        if body is None:
            return None
        last = self._last.get(cell, {})
        self.remember(cell, body)
        kept = common_prefix(last.get("messages") or [], body.get("messages") or [])
        same = [key for key, value in body.items() if key != "messages" and last.get(key) == value and key in last]
        changed = {key: value for key, value in body.items() if key not in same and key != "messages"}
        return Spelled(tuple(body), changed, kept, (body.get("messages") or [])[kept:])


class RequestReader:
    """Puts the bodies of one cell together again, in the order in which they were written."""

    def __init__(self) -> None:
        self._last: Body = {}

    def read(self, spelled: Spelled | None) -> Body | None:
        """The whole body; None if none was kept."""
        if spelled is None:
            return None
        messages = [*(self._last.get("messages") or [])[: spelled.kept], *spelled.messages]
        values = {**self._last, **spelled.changed, "messages": messages}
        self._last = {key: values[key] for key in spelled.keys if key in values}
        return self._last
