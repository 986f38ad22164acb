"""Finding literal markers in a text that arrives in pieces."""

from __future__ import annotations

import re
from collections.abc import Iterable


class Markers:
    """A set of literal strings, none of which begins with another; the leftmost one in a text counts."""

    def __init__(self, strings: Iterable[str]) -> None:
        self._all = frozenset(strings)
        self._pattern = re.compile("|".join(map(re.escape, sorted(self._all))))
        self._beginnings = frozenset(text[:end] for text in self._all for end in range(1, len(text)))
        self._firsts = frozenset(text[0] for text in self._all)
        self.longest = max(map(len, self._all))

    def find(self, text: str, start: int = 0) -> re.Match[str] | None:
        """The first marker at or after `start`."""
        return self._pattern.search(text, start)

    def open(self, text: str, start: int = 0) -> int:
        """How many of the last characters from `start` on could be the beginning of a marker."""
        for at in range(max(start, len(text) - self.longest + 1), len(text)):
            if text[at] in self._firsts and text[at:] in self._beginnings:
                return len(text) - at
        return 0

    def unjoined(self, before: str, text: str) -> str:
        """`text` without each character that would complete a marker whose beginning stands at the end of
        `before`.

        Two pieces of text that a marker parted (`<tool<think>_call>`) would otherwise become a marker when
        joined.
        """
        kept: list[str] = []
        begun = before[len(before) - self.open(before) :]
        for at, character in enumerate(text):
            if not begun:
                return "".join(kept) + text[at:]
            joined = begun + character
            if joined not in self._all:
                kept.append(character)
                begun = joined[len(joined) - self.open(joined) :]
        return "".join(kept)
