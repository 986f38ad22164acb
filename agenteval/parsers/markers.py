"""Finding literal markers in a text that arrives in pieces."""

from __future__ import annotations

import re
from collections.abc import Iterable


class Markers:
    """A set of literal strings, none of which begins with another; the leftmost one in a text counts."""

    def __init__(self, strings: Iterable[str]) -> None:
        self.strings = frozenset(strings)
        self._pattern = re.compile("|".join(map(re.escape, sorted(self.strings))))
        self.find = self._pattern.search
        """The first marker in a text, at or after a place."""
        self._beginnings = frozenset(text[:end] for text in self.strings for end in range(1, len(text)))
        self._firsts = frozenset(text[0] for text in self.strings)
        pairs = {re.escape(text[:2]) for text in self.strings} | {re.escape(first) + r"\Z" for first in self._firsts}
        self.first = re.compile("|".join(sorted(pairs))).search
        """Finds two characters, or a last one, with which a marker may begin: other text holds none."""
        # Where markers begin with one character and do not hold it further on, only the last one in a text can do so.
        last_only = not any(first in text[1:] for text in self.strings for first in self._firsts)
        self._last = next(iter(self._firsts)) if last_only and len(self._firsts) == 1 else None
        self.longest = max(map(len, self.strings))

    def at(self, text: str, position: int) -> str | None:
        """The marker that begins at a position."""
        found = self._pattern.match(text, position)
        return found.group() if found else None

    def open(self, text: str, start: int = 0) -> int:
        """How many of the last characters from `start` on could be the beginning of a marker."""
        end = len(text)
        if self._last is not None:
            at = text.rfind(self._last, start)
            return end - at if at >= 0 and text[at:] in self._beginnings else 0
        for at in range(max(start, end - self.longest + 1), end):
            if text[at] in self._firsts and text[at:] in self._beginnings:
                return len(text) - at
        return 0

    def unjoined(self, begun: str, text: str) -> str:
        """`text` without each character that would complete a marker of which `begun` is the beginning.

        Two pieces of text that a marker parted (`<tool<think>_call>`) would otherwise become a marker when
        joined.
        """
        kept: list[str] = []
        for at, character in enumerate(text):
            if not begun:
                return "".join(kept) + text[at:]
            joined = begun + character
            if joined not in self.strings:
                kept.append(character)
                begun = joined[len(joined) - self.open(joined) :]
        return "".join(kept)
