"""Gemma 4's notation of arguments, in pieces, to JSON: `{city:<|"|>Oslo<|"|>,n:[1,2]}`.

A place says what the text is; it is read up to the character or token that changes it. A string goes out while it is
written, everything else when it is complete. Brackets are closed as what they were opened as.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import Enum

from agenteval.canonical import JsonProblem, parse_json
from agenteval.parsers.arguments import Types, escaped, quoted, unwrapped
from agenteval.parsers.json_text import JsonValue, string_in
from agenteval.parsers.markers import Markers

QUOTE = '<|"|>'
_PYTHON = {"None": "null", "True": "true", "False": "false"}
_CLOSERS = {"{": "}", "[": "]"}


class _Place(Enum):
    """Where in the notation the text is."""

    KEY = "before a key, or an object's end"
    NAME = "in a bare key"
    COLON = "behind a quoted key"
    VALUE = "behind a colon"
    ITEM = "before an item, or a list's end"
    BARE = "in a value without quotes"
    STRING = "in a string value"
    QUOTED_KEY = "in a key between quote tokens"
    PLAIN = "in a JSON string, a value"
    PLAIN_KEY = "in a JSON string, a key"


_BLANK, _BETWEEN = re.compile(r"\s*"), re.compile(r"[\s,]*")
_NAME, _BARE = re.compile(r"[^:,{}\[\]<]*"), re.compile(r"[^,}\]<]*")
_QUOTE_ONLY = Markers([QUOTE])


class Notation:
    """Translates one object. `read` begins at its `{`, and is not called once it has `ended`, or is `broken`: at a
    token that is no quote. `waits`: the text's last characters could be a token's beginning.

    `types`: what a top-level key's value may be, if a string of another type is to be unwrapped, else None.
    """

    def __init__(
        self, tokens: Markers, types: Callable[[str], Types] | None, *, python: bool, plain_quotes: bool
    ) -> None:
        self.ended = self.broken = self.waits = False
        self._tokens = tokens
        self._types = types
        self._words: Mapping[str, str] = _PYTHON if python else {}
        self._plain_quotes = plain_quotes
        self._open: list[str] = []  # brackets
        self._first = True  # nothing stands in the innermost one yet
        self._place = _Place.ITEM
        self._key = ""
        self._parts: list[str] = []  # of what goes out when it is complete
        self._plain = JsonValue()
        self._unwraps: Types = None  # what the present string may be instead of a string
        self._out: list[str] = []

    def within(self, text: str) -> bool:
        """Whether a text only goes on with a string value that streams."""
        plain = "<" not in text or _QUOTE_ONLY.first(text) is None
        return plain and self._place is _Place.STRING and self._unwraps is None

    def read(self, text: str, at: int) -> int:
        """Reads on from `at`; the position behind what was read."""
        self.waits, end = False, len(text)
        while at < end and not (self.ended or self.broken or self.waits):
            at = _READ[self._place](self, text, at)
        return at

    def said(self) -> str:
        """The JSON since the last time."""
        said = "".join(self._out)
        self._out.clear()
        return said

    def complete(self) -> None:
        """The call's closer came: what is open is closed."""
        if self._place is _Place.BARE:
            self._end_bare()
        while self._open:
            self._close()

    def cut(self, held: str) -> None:
        """The text broke off behind `held`, which was waited with: what is known stays as it is written."""
        if self._place is _Place.STRING:
            self._take(held)
            if self._unwraps is not None:
                self._out.append(quoted("".join(self._parts))[:-1])
        elif self._place is _Place.BARE:
            self._begin_value()
            self._out += self._parts

    # --- what there is between strings ---

    def _read_key(self, text: str, at: int) -> int:
        at = _end(_BETWEEN, text, at)
        if at == len(text):
            return at
        if text[at] in "{[:":
            return at + 1
        return self._turn(text, at, _Place.NAME)

    def _read_item(self, text: str, at: int) -> int:
        at = _end(_BETWEEN, text, at)
        return at if at == len(text) else self._turn(text, at, _Place.BARE)

    def _read_value(self, text: str, at: int) -> int:
        at = _end(_BLANK, text, at)
        if at < len(text) and text[at] == ",":
            self._to_next()
            return at
        return at if at == len(text) else self._turn(text, at, _Place.BARE)

    def _read_colon(self, text: str, at: int) -> int:
        at = _end(_BLANK, text, at)
        if at == len(text):
            return at
        self._place = _Place.VALUE
        return at + 1 if text[at] == ":" else at

    def _turn(self, text: str, at: int, word: _Place) -> int:
        """What a character that is no blank does where something may begin; `word`: what begins with most of them."""
        letter = text[at]
        if letter in "]}":
            self._close()
        elif letter in "{[":
            self._begin_bracket(letter)
        elif letter == '"' and self._plain_quotes:
            self._begin_plain()
            return at
        else:
            token = self._token(text, at) if letter == "<" else ""
            if token == QUOTE:
                self._begin_string()
                return at + len(QUOTE)
            if token is None:
                return at
            self._place = word
            return self._read_word(text, at)
        return at + 1

    def _token(self, text: str, at: int) -> str | None:
        """What begins at this `<`: a quote, "" for plain text; None if it is another token, or could become one."""
        token = self._tokens.at(text, at)
        if token == QUOTE:
            return token
        self.broken = token is not None
        self.waits = token is None and self._tokens.open(text, at) == len(text) - at
        return None if self.broken or self.waits else ""

    # --- words ---

    def _read_word(self, text: str, at: int) -> int:
        """A bare key, or a bare value."""
        named = self._place is _Place.NAME
        end = _end(_NAME if named else _BARE, text, at)
        self._parts.append(text[at:end])
        if end == len(text):
            return end
        if text[end] == "<":
            return self._read_word_on(text, end)
        if not named:
            self._end_bare()
        elif text[end] in ":{[":
            self._key = self._text().strip()
            self._place = _Place.VALUE
            return end + (text[end] == ":")
        else:
            self._parts.clear()
            self._place = _Place.KEY
        return end

    def _read_word_on(self, text: str, at: int) -> int:
        """A word with a `<` in it, or in front of a token."""
        token = self._token(text, at)
        if token == "":
            self._parts.append("<")
            return at + 1
        if token == QUOTE and self._place is _Place.NAME:
            self._key = self._text().strip()
            self._begin_value_string()
        elif token == QUOTE:
            self._value(quoted(self._text().strip()))
        return at + len(token or "")

    def _end_bare(self) -> None:
        word = self._text().strip()
        word = self._words.get(word, word)
        self._value(word if _is_literal(word) else quoted(word))

    def _text(self) -> str:
        text = "".join(self._parts)
        self._parts.clear()
        return text

    # --- strings ---

    def _begin_string(self) -> None:
        if self._place is _Place.KEY:
            self._place = _Place.QUOTED_KEY
        else:
            self._begin_value_string()

    def _begin_value_string(self) -> None:
        self._place = _Place.STRING
        types = self._types(self._key) if self._types and len(self._open) == 1 else None
        self._unwraps = None if types is None or "string" in types else types
        self._begin_value()
        if self._unwraps is None:
            self._out.append('"')

    def _read_string(self, text: str, at: int) -> int:
        end = text.find(QUOTE, at)
        if end < 0:
            end = len(text) - _QUOTE_ONLY.open(text, at)
            self.waits = end < len(text)
            self._take(text[at:end])
            return end
        self._take(text[at:end])
        if self._place is _Place.QUOTED_KEY:
            self._key, self._place = self._text(), _Place.COLON
        else:
            self._out.append('"' if self._unwraps is None else unwrapped(quoted(self._text()), self._unwraps))
            self._to_next()
        return end + len(QUOTE)

    def _take(self, text: str) -> None:
        """More of a string."""
        if self._place is _Place.STRING and self._unwraps is None:
            self._out.append(escaped(text))
        else:
            self._parts.append(text)

    def _begin_plain(self) -> None:
        self._plain = JsonValue()
        if self._place is _Place.KEY:
            self._place = _Place.PLAIN_KEY
        else:
            self._place = _Place.PLAIN
            self._begin_value()

    def _read_plain(self, text: str, at: int) -> int:
        end = self._plain.read(text, at)
        if self._place is _Place.PLAIN:
            self._out.append(text[at:end])
        else:
            self._parts.append(text[at:end])
        if self._plain.ended and self._place is _Place.PLAIN:
            self._to_next()
        elif self._plain.ended:
            written = self._text()
            self._key, self._place = string_in(written) or written[1:-1], _Place.COLON
        return end

    # --- JSON ---

    def _begin_value(self) -> None:
        """What stands in front of a value: a comma, a key."""
        if not self._first:
            self._out.append(", ")
        if self._open and self._open[-1] == "{":
            self._out.append(f"{quoted(self._key)}: ")
        self._first = False

    def _value(self, json_text: str) -> None:
        self._begin_value()
        self._out.append(json_text)
        self._to_next()

    def _begin_bracket(self, bracket: str) -> None:
        self._begin_value()
        self._out.append(bracket)
        self._open.append(bracket)
        self._first = True
        self._to_next()

    def _close(self) -> None:
        self._out.append(_CLOSERS[self._open.pop()])
        self._first = False
        self.ended = not self._open
        if self._open:
            self._to_next()

    def _to_next(self) -> None:
        self._place = _Place.KEY if self._open[-1] == "{" else _Place.ITEM


def _is_literal(word: str) -> bool:
    """Whether a word is a number, true, false or null."""
    try:
        return not isinstance(parse_json(word), str)
    except JsonProblem:
        return False


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    """The position behind what a pattern that always matches takes."""
    found = pattern.match(text, at)
    return found.end() if found else at


_READ: dict[_Place, Callable[[Notation, str, int], int]] = {
    _Place.KEY: Notation._read_key,
    _Place.NAME: Notation._read_word,
    _Place.COLON: Notation._read_colon,
    _Place.VALUE: Notation._read_value,
    _Place.ITEM: Notation._read_item,
    _Place.BARE: Notation._read_word,
    _Place.STRING: Notation._read_string,
    _Place.QUOTED_KEY: Notation._read_string,
    _Place.PLAIN: Notation._read_plain,
    _Place.PLAIN_KEY: Notation._read_plain,
}
