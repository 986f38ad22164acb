"""The incremental reader of families that write a call as a name and JSON arguments between tokens.

What stands before the arguments is the head, in which the name is. Arguments stream as they are written; inside their
strings no marker counts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from agenteval.messages import ToolSpec
from agenteval.parsers.calls import Calls
from agenteval.parsers.deltas import Delta
from agenteval.parsers.json_text import JsonValue
from agenteval.parsers.policy import Choices
from agenteval.parsers.reader import Reader, Shape


@dataclass(frozen=True, slots=True)
class Marks:
    """The tokens of a call, beside `Shape.calls` and `Shape.closers`, which surround it. `separator`: the token between
    the name and its arguments, or (`typed`) between the word `function` and the name, which goes over into the
    arguments without a token. `head`: what stands around `name` before the arguments. `begun`: all that may become a
    head; with every text that fits, all its beginnings fit, otherwise the answer would depend on cuts."""

    separator: str
    head: re.Pattern[str]
    begun: re.Pattern[str]
    typed: bool = False


class Value(Protocol):
    """Arguments that come in pieces: `read` begins at the first character, and is not called once they have `ended`, or
    are `broken` at what cannot belong to them."""

    ended: bool
    broken: bool

    def within(self, text: str) -> bool:
        """Whether a text only goes on with a string."""
        ...

    def read(self, text: str, at: int) -> int:
        """Reads on from `at`; the position behind what was read."""
        ...


class _Place(Enum):
    """Where in a call the text is."""

    TYPE = "before the token that comes before the name"
    HEAD = "before the arguments"
    ARGUMENTS = "in the arguments, or right before them"
    GAP = "behind the arguments"


_HEAD = re.compile('[^<{"]*')
_TYPE = re.compile(r"\s{0,8}[a-z_]{0,24}\s{0,8}")
_BLANK = re.compile(r"\s*")


class MarkedReader(Reader):
    """Parser of one reply."""

    def __init__(
        self, shape: Shape, marks: Marks, tools: Sequence[ToolSpec], thinking_open: bool, choices: Choices
    ) -> None:
        out: list[Delta] = []
        super().__init__(shape, Calls(tools, out, choices), out, choices, thinking=thinking_open)
        self._marks = marks
        self._speaks_of_undeclared = choices["undeclared_tool"] == "text"
        self._place = _Place.HEAD
        self._head = ""
        self._value: Value | None = None  # the arguments, when they have begun

    def feed(self, text: str) -> list[Delta]:
        value = self._value
        if value is None or self._held or self._over or not value.within(text):
            return super().feed(text)
        self.work += len(text)
        return self._calls.written(self._json(text))

    def _json(self, text: str) -> str:
        """More of a string in the arguments, as JSON."""
        return text

    def _to(self, place: _Place) -> None:
        self._place = place
        self._watched = None if place in _SCANNED else self._shape.all

    def _open(self, marker: str) -> None:
        self._head, self._value = "", None
        self._to(_Place.TYPE if self._marks.typed else _Place.HEAD)

    def _cut(self) -> None:
        if self._value is not None and self._value.ended:
            self._calls.close()
        elif self._place in (_Place.ARGUMENTS, _Place.GAP):
            self._calls.cut()

    # --- where no marker counts ---

    def _scan(self, text: str, at: int) -> int:
        start = at
        at = self._read_head(text, at) if self._place is _Place.HEAD else self._read_arguments(text, at)
        self.work += at - start + 1
        return at

    def _read_head(self, text: str, at: int) -> int:
        found = _HEAD.match(text, at)
        end = found.end() if found else at
        self._head += text[at:end]
        self.work += len(self._head)
        if not self._marks.begun.fullmatch(self._head):
            return self._lose_head(at, end)
        if end < len(text):
            if text[end] == "<":
                self._watched = self._shape.all
            elif not self._name():
                self._speak_of_the_tag()
        return end

    def _lose_head(self, start: int, end: int) -> int:
        """No call began here: what stands behind the opener is read again, as words. Where to go on."""
        self._back()
        if len(self._head) == end - start:
            return start
        self._again = self._head
        return end

    def _name(self) -> bool:
        """Begins the call if the head names one."""
        found = self._marks.head.fullmatch(self._head)
        if found is None or (self._speaks_of_undeclared and not self._calls.declares(found["name"])):
            return False
        self._speech.call()
        self._calls.start(found["name"])
        self._to(_Place.ARGUMENTS)
        return True

    def _read_arguments(self, text: str, at: int) -> int:
        if self._value is None:
            found = _BLANK.match(text, at)
            at = found.end() if found else at
            if at == len(text):
                return at
            if text[at] == "<":
                self._to(_Place.GAP)
                return at
            self._value = self._begin_value(text[at])
        end = self._read_value(self._value, text, at)
        if self._value.ended or self._value.broken:
            self._to(_Place.GAP)
        return end

    def _begin_value(self, first: str) -> Value:
        """Arguments begin, with this character."""
        return JsonValue()

    def _read_value(self, value: Value, text: str, at: int) -> int:
        """Reads arguments and writes them; where to go on."""
        end = value.read(text, at)
        self._calls.write(text[at:end])
        return end

    # --- where markers count ---

    def _take_inside(self, text: str) -> None:
        if self._place is _Place.GAP:
            return
        self._head += text
        self.work += len(self._head)
        if self._place is _Place.HEAD or not _TYPE.fullmatch(self._head):
            self._speak_of_the_tag()

    def _meet_inside(self, marker: str) -> None:
        if self._place is _Place.GAP:
            if marker in self._shape.closers or marker in self._shape.calls:
                self._close()
                self._meet(marker)
        elif self._place is _Place.TYPE and marker == self._marks.separator:
            self._head = ""
            self._to(_Place.HEAD)
        elif marker not in self._ends_of_heads() or not self._name():
            self._speak_of_the_tag()
            self._meet(marker)
        elif marker in self._shape.closers:
            self._close()

    def _ends_of_heads(self) -> frozenset[str]:
        if self._place is _Place.TYPE:
            return frozenset()
        return self._shape.closers if self._marks.typed else self._shape.closers | {self._marks.separator}

    def _close(self) -> None:
        """The call is complete, unless its arguments are not."""
        if self._value is None or self._value.ended:
            self._calls.close()
        else:
            self._calls.cut()
        self._leave()

    def _speak_of_the_tag(self) -> None:
        """No call began here: the text goes where the tag stood."""
        self._back()
        self._take(self._head)


_SCANNED = frozenset({_Place.HEAD, _Place.ARGUMENTS})
