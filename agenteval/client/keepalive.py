"""What of a reply's body says something, and what only shows that the server lives."""

from __future__ import annotations

import re

_SAID = re.compile(rb"\S")
_LINE_END = re.compile(rb"[\r\n]")


class FirstWord:
    """Waits for the first byte of a body that is no keep-alive: neither blank nor of a comment line (`: ping`).

    `keep_alives`: how many comment lines came before it.
    """

    __slots__ = ("_in_comment", "keep_alives")

    def __init__(self) -> None:
        self.keep_alives = 0
        self._in_comment = False

    def stands_in(self, body: bytes) -> bool:
        """Whether the next piece of the body holds it."""
        place = 0
        while True:
            if self._in_comment:
                end = _LINE_END.search(body, place)
                if end is None:
                    return False
                self._in_comment, place = False, end.end()
            said = _SAID.search(body, place)
            if said is None or said[0] != b":":
                return said is not None
            self._in_comment, place = True, said.end()
            self.keep_alives += 1
