"""The incremental reader of families that write a call as elements: a tag with the call's name, in it a tag with each
argument's name, around its bare text.

Names stand inside tags (`<function=get>`), which are plain text: a tag that cannot be completed was only mentioned, and
stays text. Inside a value only the value's own closer is a marker.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from json.encoder import encode_basestring

from agenteval.messages import ToolSpec
from agenteval.parsers.deltas import CallDelta, Delta
from agenteval.parsers.markers import Markers
from agenteval.parsers.names import NAME
from agenteval.parsers.policy import Choices
from agenteval.parsers.reader import Reader, Shape
from agenteval.parsers.tagged import TaggedCalls


@dataclass(frozen=True, slots=True)
class Element:
    """An element's tags. The opener is completed by text that `head` matches: in it stand `name` and, where the format
    says so, `string` (whether the value is text, `true` or `false`)."""

    opener: str
    head: re.Pattern[str]
    closer: str


@dataclass(frozen=True, slots=True)
class Elements:
    """What a family's calls are written with. `openers` and `closers`: tags of the section around a call, or around
    all of them; `framed`: one newline on each side of a value is not the value's."""

    openers: frozenset[str]
    closers: frozenset[str]
    call: Element
    argument: Element
    framed: bool = False

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags that are plain text where no call is."""
        return self.call.opener, self.call.closer, self.argument.opener, self.argument.closer


@cache
def _watched(shape: Shape, elements: Elements) -> tuple[Markers, dict[str, Markers]]:
    """What counts between the tags of a call; and what ends a value, by the choice of `missing_value_closer`."""
    last, following = elements.argument.closer, (elements.argument.opener, elements.call.closer, *elements.closers)
    everywhere = {*shape.all.strings, *elements.closers, *elements.tags}
    return Markers(everywhere), {"text": Markers([last]), "next": Markers([last, *following])}


class _Place(Enum):
    """Where in a call the text is."""

    SECTION = "between the section's opener and the call's"
    NAME = "the rest of the call's opening tag"
    GAP = "between its tags"
    KEY = "the rest of an argument's opening tag"
    TEXT = "a string argument"
    VALUE = "any other argument"


_SECTION, _NAME, _GAP, _KEY, _TEXT, _VALUE = _Place
"""Looked up once: an enum's attributes are slow in Python 3.11."""


_HEAD_OF_CALL = re.compile(r"[^\s<>]*"), 160
_HEAD_OF_ARGUMENT = re.compile(r"[^<>\n]*"), 320
"""What may stand before the `>` of an opening tag, and how much of it."""
_SECTION_BLANK = 16


class TagReader(Reader):
    """Parser of one reply."""

    _calls: TaggedCalls

    def __init__(
        self, shape: Shape, elements: Elements, tools: Sequence[ToolSpec], thinking_open: bool, choices: Choices
    ) -> None:
        out: list[Delta] = []
        super().__init__(shape, TaggedCalls(tools, out, choices), out, choices, thinking=thinking_open)
        self._elements, self._framed = elements, elements.framed
        self._gap, ends = _watched(shape, elements)
        self._value_ends = ends[choices["missing_value_closer"]]
        self._bare_counts = choices["missing_opener"] == "call"
        self._speaks_of_undeclared = choices["undeclared_tool"] == "text"
        self._place = _SECTION
        self._in_section = False
        self._before = ""  # what the call began with, in case it was only a mention
        self._parts: list[str] = []  # of a name, a key, or a value that does not stream
        self._length = 0  # of a name or a key
        self._key = ""
        self._typed: str | None = None  # what the argument's tag says of its type
        self._fresh = False  # the value has not begun
        self._tail = ""  # a newline that may be framing

    def feed(self, text: str) -> list[Delta]:
        if not self._flows:
            return super().feed(text)
        if self._held:
            text, self._held = self._held + text, ""
        if "<" in text and not self._is_plain(text):
            if self._value_ends.find(text):
                return super().feed(text)
            known = len(text) - self._value_ends.open(text)
            text, self._held = text[:known], text[known:]
            self.work += len(self._held)
        self.work += len(text)
        if ("\n" in text or self._tail) and self._framed:
            text = self._within_frame(text)
        calls = self._calls
        if calls.direct and text:
            return [CallDelta(calls.index, None, encode_basestring(text)[1:-1])]
        return calls.written(encode_basestring(text)[1:-1])

    def _to(self, place: _Place) -> None:
        self._place, self._flows = place, place is _TEXT and not self._framed
        self._parts.clear()
        if place is _NAME or place is _KEY:
            self._watched, self._length = None, 0
        elif place is _TEXT or place is _VALUE:
            self._watched = self._value_ends
        else:
            self._watched = self._gap if place is _GAP else self._shape.all

    def _finish(self, held: str) -> None:
        if self._words or self._in_value():
            self._take(held)

    def _cut(self) -> None:
        if self._place is _TEXT:
            self._calls.more_string(self._tail)
        elif self._place is _VALUE:
            self._calls.cut_argument(self._key, "".join(self._parts))
        if self._place not in (_SECTION, _NAME):
            self._calls.cut()

    # --- openers ---

    def _meet(self, marker: str) -> None:
        if self._words and marker in self._elements.closers:
            self._in_section = False
        super()._meet(marker)

    def _open(self, marker: str) -> None:
        self._before = ""
        if marker == self._elements.call.opener:
            self._open_name()
        else:
            self._in_section = True
            self._to(_SECTION)

    def _open_name(self) -> None:
        self._before += self._elements.call.opener
        self._to(_NAME)

    def _speak_of_the_tag(self) -> None:
        """No call began here: the text goes where the tag stood."""
        self._in_section = False
        self._back()
        self._take(self._before)

    def _scan(self, text: str, at: int) -> int:
        """The rest of an opening tag."""
        pattern, most = _HEAD_OF_CALL if self._place is _NAME else _HEAD_OF_ARGUMENT
        found = pattern.match(text, at)
        end = found.end() if found else at
        self.work += end - at + 1
        self._parts.append(text[at:end])
        self._length += end - at
        if end == len(text) and self._length <= most:
            return end
        head = "".join(self._parts)
        if end < len(text) and text[end] == ">" and self._end_tag(head):
            return end + 1
        return self._lose_tag(head, at, end)

    def _end_tag(self, head: str) -> bool:
        """Takes an opening tag for what it is; False if it is none."""
        element = self._elements.call if self._place is _NAME else self._elements.argument
        found = element.head.fullmatch(head)
        if found is None:
            return False
        if self._place is _KEY:
            self._open_value(found["name"].strip(), found.groupdict().get("string"))
        elif self._is_call(found["name"]):
            self._name(found["name"])
        else:
            return False
        return True

    def _lose_tag(self, head: str, start: int, end: int) -> int:
        """What began like an opening tag is none: what follows its beginning is read again. Where to go on."""
        if self._place is _NAME:
            self._speak_of_the_tag()
        else:
            self._to(_GAP)
        if len(head) == end - start:
            return start
        self._again = head
        return end

    def _is_call(self, name: str) -> bool:
        if not NAME.fullmatch(name):
            return False
        if self._calls.declares(name):
            return self._in_section or self._bare_counts
        return self._in_section and not self._speaks_of_undeclared

    def _name(self, name: str) -> None:
        self._speech.call()
        self._calls.start(name)
        self._to(_GAP)

    # --- inside a call ---

    def _take_inside(self, text: str) -> None:
        if self._place is _TEXT:
            self._take_string(text)
        elif self._place is _VALUE:
            self._parts.append(text)
        elif self._place is _SECTION:
            self._before += text
            if not text.isspace() or len(self._before) > _SECTION_BLANK:
                self._speak_of_the_tag()

    def _take_string(self, text: str) -> None:
        if self._framed:
            if self._fresh:
                self._fresh, self._flows = False, True
                text = text.removeprefix("\n")
            text = self._within_frame(text)
        if text:
            self._calls.more_string(text)

    def _within_frame(self, text: str) -> str:
        """All but a last newline, which may be framing: with it, the next text begins."""
        if self._tail:
            text = self._tail + text
            self._tail = ""
        if text.endswith("\n"):
            self._tail = "\n"
            text = text[:-1]
        return text

    def _meet_inside(self, marker: str) -> None:
        if self._in_value():
            self._end_value()
            if marker != self._elements.argument.closer:
                self._meet_inside(marker)
        elif self._place is _GAP:
            self._meet_in_gap(marker)
        elif marker == self._elements.call.opener:
            self._open_name()
        else:
            self._speak_of_the_tag()
            self._meet(marker)

    def _meet_in_gap(self, marker: str) -> None:
        elements = self._elements
        if marker == elements.argument.opener:
            self._to(_KEY)
        elif marker in (elements.call.closer, elements.call.opener, *elements.openers, *elements.closers):
            self._calls.close()
            self._leave()
            if marker != elements.call.closer:
                self._meet(marker)

    def _open_value(self, key: str, typed: str | None) -> None:
        self._key, self._typed, self._fresh, self._tail = key, typed, True, ""
        if typed == "true" or (typed is None and self._calls.streams(key)):
            self._calls.begin_string(key)
            self._to(_TEXT)
        else:
            self._to(_VALUE)

    def _end_value(self) -> None:
        if self._place is _TEXT:
            self._calls.end_string()
        else:
            bare = "".join(self._parts)
            if self._framed:
                bare = bare.removeprefix("\n").removesuffix("\n")
            self._calls.argument(self._key, bare, typed=self._typed is None)
        self._to(_GAP)

    def _in_value(self) -> bool:
        return self._place is _TEXT or self._place is _VALUE
