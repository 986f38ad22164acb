"""The incremental reader of families that write a call as one JSON object: `{"name": …, "arguments": {…}}`.

The object is read member by member. Nothing is said before the name is known, then the arguments stream as they are
written. Until then the text may still turn out to be no call: it is kept, and read again as words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum

from agenteval.messages import ToolSpec
from agenteval.parsers.calls import Calls
from agenteval.parsers.deltas import Delta
from agenteval.parsers.json_text import JsonValue, Members, string_in
from agenteval.parsers.names import NAME
from agenteval.parsers.policy import Choices
from agenteval.parsers.reader import Reader, Shape

ARGUMENTS = ("arguments", "parameters")
_KEYS = frozenset({"name", "type", "id", *ARGUMENTS})
_NO_OBJECT = re.compile("[^{<]*")
_SEPARATORS = re.compile(r"[\s;,\]]*")


class _Member(Enum):
    """What the member that is being read is for."""

    NAME = "the call's name"
    ARGUMENTS = "its arguments"
    OTHER = "nothing"


class ObjectReader(Reader):
    """Parser of one reply. Where the shape has no closers, an object ends its call, and only separators may stand
    before the next one. `bare`: an object may also begin the reply, without an opener."""

    def __init__(
        self, shape: Shape, tools: Sequence[ToolSpec], thinking_open: bool, choices: Choices, *, bare: bool = False
    ) -> None:
        out: list[Delta] = []
        super().__init__(shape, Calls(tools, out, choices), out, choices, thinking=thinking_open)
        self._speaks_of_undeclared = choices["undeclared_tool"] == "text"
        self._raw: list[str] = []  # text of earlier feeds that may be words
        self._from = 0  # where in the present text that begins
        self._bare = bare  # the object has no opener, so that its first key must be one of a call's
        self._begin(first=True)
        if bare:
            self._words, self._watched = False, None

    def feed(self, text: str) -> list[Delta]:
        value = self._value
        if value is None or not self._streams or self._held or self._over or not value.within(text):
            return super().feed(text)
        self.work += len(text)
        return self._calls.written(text)

    @property
    def _streams(self) -> bool:
        """Whether the value goes out as it comes."""
        return self._named and self._member is _Member.ARGUMENTS

    def _begin(self, *, first: bool) -> None:
        """An object may begin; `first`: it is the first one behind its tag."""
        self._first = first
        self._members = Members()
        self._member = _Member.OTHER
        self._value: JsonValue | None = None  # of the member that is being read
        self._named = self._argued = self._complete = self._closed = self._refused = False
        self._parts: list[str] = []  # of the name
        self._early: list[str] = []  # arguments that came before it

    def _open(self, marker: str) -> None:
        self._raw.clear()
        self._bare = False
        self._begin(first=True)
        self._watched = None

    def _scan(self, text: str, at: int) -> int:
        start = self._from = at
        while at < len(text) and self._watched is None:
            if self._closed:
                at = self._next_object(text, at) if self._shape.closers else self._next_in_row(text, at)
            elif self._value is not None:
                at = self._read_value(self._value, text, at)
            else:
                at = self._read_members(text, at)
            if self._refused:
                self.work += at - start
                return self._speak_of_the_tag(text, at)
        self.work += at - start
        if not self._named:
            self._raw.append(text[self._from : at])
        return at

    def _next_in_row(self, text: str, at: int) -> int:
        """Behind an object: separators and another one, or words."""
        found = _SEPARATORS.match(text, at)
        at = found.end() if found else at
        if at < len(text):
            if text[at] == "{":
                self._begin(first=True)
            else:
                self._end_row(text, at)
        return at

    def _end_row(self, text: str, at: int) -> None:
        """Words, or a marker: separators before a marker, and those up to a list's end, mean nothing."""
        between = "".join([*self._raw, text[self._from : at]]).rpartition("]")[2]
        if text[at] in "<[" and not between.isspace():
            between = ""
        self._raw, self._from = [between] if between else [], at
        self._refused = True

    def _next_object(self, text: str, at: int) -> int:
        """Behind an object: another one, or a tag. What stands between them is dropped."""
        found = _NO_OBJECT.match(text, at)
        at = found.end() if found else at
        if at < len(text):
            if text[at] == "{":
                self._begin(first=False)
            else:
                self._watched = self._shape.all
        return at

    def _read_members(self, text: str, at: int) -> int:
        members = self._members
        at = members.read(text, at)
        if members.broken:
            self._break()
        elif members.ended:
            self._end_object(at)
        elif members.key is not None:
            self._begin_member(members.key)
        return at

    def _begin_member(self, key: str) -> None:
        if self._bare and key not in _KEYS:
            self._refuse()
        self._bare = False
        self._value = JsonValue()
        self._member = self._meaning(key)

    def _meaning(self, key: str) -> _Member:
        if key == "name" and not self._named:
            return _Member.NAME
        if key in ARGUMENTS and not self._argued:
            self._argued = True
            return _Member.ARGUMENTS
        return _Member.OTHER

    def _read_value(self, value: JsonValue, text: str, at: int) -> int:
        end = value.read(text, at)
        if self._member is _Member.NAME:
            self._parts.append(text[at:end])
        elif self._member is _Member.ARGUMENTS:
            if self._named:
                self._calls.write(text[at:end])
            else:
                self._early.append(text[at:end])
        if value.broken:
            self._break()
        elif value.ended:
            self._end_value()
        return end

    def _end_value(self) -> None:
        self._value = None
        if self._member is _Member.NAME:
            self._name((string_in("".join(self._parts)) or "").strip())
        elif self._member is _Member.ARGUMENTS:
            self._complete = True

    def _name(self, name: str) -> None:
        if not NAME.fullmatch(name) or (self._speaks_of_undeclared and not self._calls.declares(name)):
            self._refuse()
            return
        self._named = True
        self._raw.clear()
        self._speech.call()
        self._calls.start(name)
        self._calls.write("".join(self._early))

    def _end_object(self, at: int) -> None:
        if not self._named:
            self._refuse()
            return
        self._calls.close()
        self._closed = True
        if not self._shape.closers:
            self._speech.called()
            self._named, self._from = False, at

    def _break(self) -> None:
        """What comes cannot belong to the object: it waits for a tag."""
        if self._named:
            self._watched = self._shape.all
        else:
            self._refuse()

    def _refuse(self) -> None:
        """This object is no call. If it is the first one behind its tag, that tag was only mentioned."""
        if self._first:
            self._refused = True
        else:
            self._closed, self._watched = True, self._shape.all

    def _speak_of_the_tag(self, text: str, at: int) -> int:
        """What stands behind the tag, or behind the last object of a row, is read again, as words."""
        if self._closed:
            self._leave()
        else:
            self._back()
        if not self._raw:
            return self._from
        self._again = "".join(self._raw) + text[self._from : at]
        self._raw.clear()
        return at

    # --- what a tag does, where no object is read ---

    def _take_inside(self, text: str) -> None:
        """Between an object and the tag that follows it there is nothing to say."""

    def _meet_inside(self, marker: str) -> None:
        if marker in self._shape.closers:
            self._close()
        elif marker in self._shape.calls:
            self._close()
            self._meet(marker)

    def _close(self) -> None:
        if not self._closed:
            if self._argued and not self._complete:
                self._calls.cut()
            else:
                self._calls.close()
        self._leave()

    def _cut(self) -> None:
        if (self._closed or self._bare) and "".join(self._raw).isspace():
            self._leave()  # no object had begun
            self._take("".join(self._raw))
        elif self._named and not self._closed:
            if self._complete:
                self._calls.close()
            else:
                self._calls.cut()
