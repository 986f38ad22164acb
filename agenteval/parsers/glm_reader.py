"""The incremental reader of GLM's tags: one pass from raw text to deltas. What the tags mean is told in
`glm47`.

Inside a call a place says what the text is, and a table says what each marker does there. Inside a value only the
value's own closer is a marker.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from enum import Enum
from functools import partial
from json.encoder import encode_basestring
from typing import TypeAlias

from agenteval.messages import ToolSpec
from agenteval.parsers.deltas import Delta
from agenteval.parsers.family import MakeReader
from agenteval.parsers.framing import Framing
from agenteval.parsers.markers import Markers
from agenteval.parsers.names import NAME_PATTERN
from agenteval.parsers.policy import Choices
from agenteval.parsers.reader import Reader, Shape
from agenteval.parsers.tagged import TaggedCalls

ROLES = ("<|endoftext|>", "<|system|>", "<|user|>", "<|assistant|>", "<|observation|>")
TAGS = (
    *("<think>", "</think>", "<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>"),
    *("<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>"),
)
OPENER, VALUE_END = "<tool_call>", "</arg_value>"
MARKERS = (*ROLES, *TAGS)

_HEAD = re.compile(rf"\s{{0,64}}(?:{NAME_PATTERN}(?:\s{{1,64}}(?:{NAME_PATTERN}\s{{0,64}})?)?)?")
"""What may stand between `<tool_call>` and the next tag: a name, or a name and a key whose own tag is
missing. With every text that fits, all its beginnings fit: otherwise the answer would depend on cuts."""


class _Place(Enum):
    """Where in a call the text is."""

    HEAD = "its name"
    KEY = "an argument's key"
    GAP = "between its tags"
    TEXT = "a string argument"
    VALUE = "any other argument, or one without a key"


class GlmReader(Reader):
    """Parser of one reply."""

    _calls: TaggedCalls

    def __init__(self, shape: Shape, tools: Sequence[ToolSpec], thinking_open: bool, choices: Choices) -> None:
        out: list[Delta] = []
        super().__init__(shape, TaggedCalls(tools, out, choices), out, choices, thinking=thinking_open)
        self._place = _Place.HEAD
        self._parts: list[str] = []  # text since the last marker, in places where it does not stream
        self._key: str | None = None
        self._speaks_of_undeclared = choices["undeclared_tool"] == "text"

    def feed(self, text: str) -> list[Delta]:
        if self._flows and not self._held and ("<" not in text or self._is_plain(text)):
            self.work += len(text)
            return self._calls.written(encode_basestring(text)[1:-1])
        return super().feed(text)

    def _finish(self, held: str) -> None:
        if self._words or self._place in _VALUES:
            self._take(held)

    def _open(self, marker: str) -> None:
        self._place = _Place.HEAD

    def _take_inside(self, text: str) -> None:
        if self._place is _Place.TEXT:
            self._calls.more_string(text)
        else:
            self._parts.append(text)
            if self._place is _Place.HEAD:
                self._check_head()

    def _meet_inside(self, marker: str) -> None:
        if self._place is _Place.HEAD:
            self._meet_in_head(marker)
        elif action := _ACTIONS[self._place].get(marker):
            action(self)
        else:
            self._parts.clear()
            self._to(_Place.GAP)

    def _meet_in_head(self, marker: str) -> None:
        action = _ACTIONS[_Place.HEAD].get(marker)
        if action and not self._is_undeclared():
            action(self)
        else:
            self._speak_of_the_tag()
            self._meet(marker)

    def _is_undeclared(self) -> bool:
        """Whether the name in the head makes it text."""
        name = "".join(self._parts).strip() if self._speaks_of_undeclared else ""
        return bool(name) and not self._calls.declares(name) and not self._calls.declares(self._calls.apart(name)[0])

    def _cut(self) -> None:
        if self._place is not _Place.HEAD:
            if self._place is _Place.VALUE and self._key is not None:
                self._calls.cut_argument(self._key, self._text())
            self._calls.cut()

    def _to(self, place: _Place) -> None:
        self._place, self._watched = place, _VALUE_END_ONLY if place in _VALUES else self._shape.all
        self._flows = place is _Place.TEXT

    def _text(self) -> str:
        text = "".join(self._parts)
        self._parts.clear()
        return text

    def _check_head(self) -> None:
        head = "".join(self._parts)
        self.work += len(head)
        if not _HEAD.fullmatch(head):
            self._speak_of_the_tag()

    def _speak_of_the_tag(self) -> None:
        """No call began here: the text goes where the tag stood."""
        self._back()
        self._take(self._text())

    # --- what a marker does ---

    def _name(self, name: str, key: str | None = None) -> None:
        self._speech.call()
        self._calls.start(name)
        self._key = key
        self._to(_Place.GAP)

    def _name_call(self) -> None:
        self._name(self._text().strip())

    def _name_call_and_open_key(self) -> None:
        self._name_call()
        self._open_key()

    def _name_call_and_key(self) -> None:
        self._name(*self._calls.apart(self._text().strip()))

    def _name_call_and_open_value(self) -> None:
        self._name_call()
        self._open_value()

    def _name_call_and_close(self) -> None:
        self._name_call()
        self._close()

    def _open_key(self) -> None:
        self._parts.clear()
        self._key = None
        self._to(_Place.KEY)

    def _end_key(self) -> None:
        self._key = self._text().strip()
        self._to(_Place.GAP)

    def _end_key_without_opener(self) -> None:
        """After a value this ends a key; after a key it says nothing new."""
        text = self._text().strip()
        if self._key is None and text:
            self._key = text

    def _end_key_and_open_value(self) -> None:
        self._key = self._text().strip() or None
        self._open_value()

    def _open_value(self) -> None:
        self._parts.clear()
        if self._key is not None and self._calls.streams(self._key):
            self._calls.begin_string(self._key)
            self._to(_Place.TEXT)
        else:
            self._to(_Place.VALUE)

    def _end_text(self) -> None:
        self._calls.end_string()
        self._key = None
        self._to(_Place.GAP)

    def _end_value(self) -> None:
        text = self._text()
        if self._key is not None:
            self._calls.argument(self._key, text)
        self._key = None
        self._to(_Place.GAP)

    def _end_value_without_opener(self) -> None:
        text = self._text()
        if self._key is not None and text.strip():
            self._calls.argument(self._key, text.removeprefix("\n"))
        self._key = None

    def _close(self) -> None:
        self._parts.clear()
        self._calls.close()
        self._key = None
        self._leave()

    def _close_and_open_call(self) -> None:
        self._close()
        self._meet(OPENER)


_Action: TypeAlias = Callable[[GlmReader], None]
_ACTIONS: dict[_Place, dict[str, _Action]] = {
    _Place.HEAD: {
        "<arg_key>": GlmReader._name_call_and_open_key,
        "</arg_key>": GlmReader._name_call_and_key,
        "<arg_value>": GlmReader._name_call_and_open_value,
        "</arg_value>": GlmReader._name_call,
        "</tool_call>": GlmReader._name_call_and_close,
    },
    _Place.KEY: {
        "<arg_key>": GlmReader._open_key,
        "</arg_key>": GlmReader._end_key,
        "<arg_value>": GlmReader._end_key_and_open_value,
        "</tool_call>": GlmReader._close,
        OPENER: GlmReader._close_and_open_call,
    },
    _Place.GAP: {
        "<arg_key>": GlmReader._open_key,
        "</arg_key>": GlmReader._end_key_without_opener,
        "<arg_value>": GlmReader._open_value,
        "</arg_value>": GlmReader._end_value_without_opener,
        "</tool_call>": GlmReader._close,
        OPENER: GlmReader._close_and_open_call,
    },
    _Place.TEXT: {VALUE_END: GlmReader._end_text},
    _Place.VALUE: {VALUE_END: GlmReader._end_value},
}
_VALUES = frozenset({_Place.TEXT, _Place.VALUE})
_VALUE_END_ONLY = Markers([VALUE_END])


def reader_of(framing: Framing) -> MakeReader:
    """The reader of a GLM generation that writes these newlines."""
    shape = Shape(all=Markers(MARKERS), ends=frozenset(ROLES), calls=frozenset({OPENER}), framing=framing)
    return partial(GlmReader, shape)
