"""JSON that arrives in pieces: where a value ends, and where the members of an object are.

Lenient on purpose: brackets are counted and strings heeded, all else goes through as it is written, for the schema's
verdict to name. One thing is never JSON: a `<` outside strings, with which every family's markers begin.
"""

from __future__ import annotations

import json
import re
from enum import Enum

_STRING = re.compile(r'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)
_BETWEEN = re.compile(r'[^"{}\[\]<]*')
_BARE = re.compile(r'[^\s,:"{}\[\]<]*')
_BLANK = re.compile(r"[ \t\n\r]*")
_BLANK_OR_COMMA = re.compile(r"[ \t\n\r,]*")


class JsonValue:
    """Finds the end of one JSON value. `read` begins at its first character, and is not called once it has ended."""

    def __init__(self) -> None:
        self.ended = False
        self.broken = False  # at a `<` that cannot belong to it
        self._depth = 0
        self._string = False
        self._escaped = False  # the last character was a string's backslash
        self._bare = False

    def within(self, text: str) -> bool:
        """Whether a text only goes on with a string: then there is nothing to read in it."""
        return self._string and not self._escaped and '"' not in text and "\\" not in text

    def read(self, text: str, at: int) -> int:
        """Reads on from `at`; the position behind what belongs to the value."""
        end = len(text)
        while at < end and not self.ended and not self.broken:
            if self._string:
                at = self._read_string(text, at)
            elif self._bare or not (self._depth or text[at] in '"{['):
                at = self._read_bare(text, at)
            else:
                at = self._read_structure(text, at)
        return at

    def _read_string(self, text: str, at: int) -> int:
        if self._escaped:
            self._escaped = False
            return at + 1
        found = _STRING.match(text, at)
        at = found.end() if found else at
        if at == len(text):
            return at
        if text[at] == '"':
            self._string = False
            self.ended = not self._depth
        else:
            self._escaped = True
        return at + 1

    def _read_bare(self, text: str, at: int) -> int:
        self._bare = True
        found = _BARE.match(text, at)
        at = found.end() if found else at
        self.ended = at < len(text)
        return at

    def _read_structure(self, text: str, at: int) -> int:
        found = _BETWEEN.match(text, at)
        at = found.end() if found else at
        if at == len(text):
            return at
        letter = text[at]
        if letter == "<":
            self.broken = True
            return at
        if letter == '"':
            self._string = True
        elif letter in "{[":
            self._depth += 1
        else:
            self._depth -= 1
            self.ended = not self._depth
        return at + 1


class _At(Enum):
    OPEN = "before the object"
    KEY = "before a key, or the object's end"
    IN_KEY = "in a key"
    COLON = "behind a key"
    VALUE = "before a value"


class Members:
    """Reads an object member by member. `read` stops before each value (`key` is then its key), behind the object
    (`ended`) and at what cannot stand there (`broken`). Reading the value is the caller's; then `read` goes on."""

    def __init__(self) -> None:
        self.ended = False
        self.broken = False
        self.key: str | None = None
        self._at = _At.OPEN
        self._string = JsonValue()
        self._parts: list[str] = []

    def read(self, text: str, at: int) -> int:
        """Reads on from `at`; the position behind what was read."""
        self.key = None
        while at < len(text) and self.key is None and not self.ended and not self.broken:
            if self._at is _At.IN_KEY:
                at = self._read_key(text, at)
                continue
            found = (_BLANK_OR_COMMA if self._at is _At.KEY else _BLANK).match(text, at)
            at = found.end() if found else at
            if at < len(text):
                at = self._turn(text[at], at)
        return at

    def _turn(self, letter: str, at: int) -> int:
        """What a character that is no blank does; the position from which to read on."""
        if self._at is _At.VALUE:
            self.broken = letter in ",:}]<"
            if not self.broken:
                self.key, self._at = self._decoded(), _At.KEY
            return at
        if self._at is _At.KEY and letter == '"':
            self._at, self._string = _At.IN_KEY, JsonValue()
            return at
        if self._at is _At.KEY and letter == "}":
            self.ended = True
        elif self._at is _At.OPEN and letter == "{":
            self._at = _At.KEY
        elif self._at is _At.COLON and letter == ":":
            self._at = _At.VALUE
        else:
            self.broken = True
            return at
        return at + 1

    def _read_key(self, text: str, at: int) -> int:
        end = self._string.read(text, at)
        self._parts.append(text[at:end])
        if self._string.ended:
            self._at = _At.COLON
        return end

    def _decoded(self) -> str:
        text = string_in("".join(self._parts))
        self._parts.clear()
        return text or ""


def string_in(text: str) -> str | None:
    """The text of a JSON string; None if it is none."""
    try:
        value = json.loads(text, strict=False)
    except ValueError:
        return None
    return value if isinstance(value, str) else None
