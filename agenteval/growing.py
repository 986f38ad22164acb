"""Histories grow at their end: what was once made of their beginning is kept, so that a step costs what it adds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")


def common_prefix(a: Sequence[object], b: Sequence[object]) -> int:
    """How many items both begin with. Fast where one is the beginning of the other, and their items the very same."""
    shorter = min(len(a), len(b))
    if (a if len(a) == shorter else a[:shorter]) == (b if len(b) == shorter else b[:shorter]):
        return shorter
    return next((n for n in range(shorter) if a[n] is not b[n] and a[n] != b[n]), shorter)


class Grown(Generic[Item, Made]):
    """What was made of each item of a sequence, kept for the next sequence as far as that begins alike.
    `kept`: how many of the last sequence were not made anew."""

    def __init__(self) -> None:
        self.made: list[Made] = []
        self.kept = 0
        self._items: Sequence[Item] = ()

    def grow(self, items: Sequence[Item], make: Callable[[int], Made], unchanged: int | None = None) -> list[Made]:
        """What was made of all items. `make(n)` makes it of the n-th, when it is in `made` of all before; `unchanged`:
        of no more than so many what was made still holds (None: of all that are the same)."""
        same = min(common_prefix(self._items, items), len(self.made))
        self.kept = same if unchanged is None else min(same, unchanged)
        self._items = items[:]  # a list may go on growing
        del self.made[self.kept :]
        for number in range(self.kept, len(items)):
            self.made.append(make(number))
        return self.made
