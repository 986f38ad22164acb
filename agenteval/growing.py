"""Histories grow at their end: what was once made of their beginning is kept, so that a step costs what it adds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from agenteval.messages import Message

Item = TypeVar("Item")
Made = TypeVar("Made")

REMEMBERED = 32
"""So many things, those that came last: more than conversations are under way at once, mostly."""


class Remembered(Generic[Item, Made]):
    """What was made of a thing, for the next time that the very same one comes; what merely equals it is another."""

    def __init__(self, make: Callable[[Item], Made]) -> None:
        self._make = make
        self._made: list[tuple[Item, Made]] = []

    def of(self, thing: Item) -> Made:
        at = next((at for at, (known, _) in enumerate(self._made) if known is thing), None)
        found = (thing, self._make(thing)) if at is None else self._made.pop(at)
        self._made.append(found)
        del self._made[:-REMEMBERED]
        return found[1]


def common_prefix(a: Sequence[object], b: Sequence[object]) -> int:
    """How many items both begin with: two tuples or two lists, each of items of one kind. Fast where one is the
    beginning of the other, and their items the very same."""
    short, long = (a, b) if len(a) <= len(b) else (b, a)
    if _begins(long, short):
        return len(short)
    return next((n for n, item in enumerate(short) if item is not long[n] and item != long[n]), len(short))


def _begins(long: Any, short: Any) -> bool:
    """Two sequences are in order if the first items that differ are, or if there are none: of items that have no order
    it tells the beginning, and touches no item that is the same in both (a slice would count a reference to each)."""
    if not short or not isinstance(short[0], _UNORDERED):
        return bool(long[: len(short)] == short)
    try:
        return bool(short <= long)
    except TypeError:
        return False


_UNORDERED = (Message, dict)


class Grown(Generic[Item, Made]):
    """What was made of each item of a sequence, kept for the next sequence as far as that begins alike.
    `kept`: how many of the last sequence were not made anew; `dropped`: what had been made of its others."""

    def __init__(self) -> None:
        self.made: list[Made] = []
        self.kept = 0
        self.dropped: list[Made] = []
        self._items: Sequence[Item] = ()

    def grow(self, items: Sequence[Item], make: Callable[[int], Made], unchanged: int | None = None) -> list[Made]:
        """What was made of all items. `make(n)` makes it of the n-th, when it is in `made` of all before; `unchanged`:
        of no more than so many what was made still holds (None: of all that are the same)."""
        same = min(common_prefix(self._items, items), len(self.made))
        self.kept = same if unchanged is None else min(same, unchanged)
        self._items = items[:]  # a list may go on growing
        self.dropped = self.made[self.kept :]
        del self.made[self.kept :]
        for number in range(self.kept, len(items)):
            self.made.append(make(number))
        return self.made
