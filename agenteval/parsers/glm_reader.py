"""The incremental reader of GLM's tags: one pass from raw text to deltas. What the tags mean is told in
`glm47`.

The text is cut at markers. Between two of them a place says what the text is; at each of them a table says
what it does there. Inside a value only the value's own closer is a marker.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from enum import Enum
from typing import TypeAlias

from agenteval.messages import ToolSpec
from agenteval.parsers.calls import Calls
from agenteval.parsers.deltas import Delta, merged
from agenteval.parsers.markers import Markers
from agenteval.parsers.speech import Speech

ROLES = ("<|endoftext|>", "<|system|>", "<|user|>", "<|assistant|>", "<|observation|>")
TAGS = (
    *("<think>", "</think>", "<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>"),
    *("<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>"),
)
VALUE_END = "</arg_value>"

_NAME = r"[^\s<>{}\[\]()`\"',;]{1,128}"
NAME = re.compile(_NAME)
"""What a tool may be called, so that its calls can be told from prose about the tag."""

_HEAD = re.compile(rf"\s{{0,8}}(?:{_NAME}(?:\s{{1,8}}(?:{_NAME}\s{{0,8}})?)?)?")
"""What may stand between `<tool_call>` and the next tag: a name, or a name and a key whose own tag is
missing. With every text that fits, all its beginnings fit: otherwise the answer would depend on cuts."""


class _Place(Enum):
    """Where in a message the text is."""

    REASONING = "reasoning"
    CONTENT = "content"
    HEAD = "the name of a call"
    KEY = "an argument's key"
    GAP = "between the tags of a call"
    TEXT = "a string argument"
    VALUE = "any other argument, or one without a key"
    END = "behind the message"


class GlmReader:
    """Parser of one reply."""

    def __init__(self, tools: Sequence[ToolSpec], thinking_open: bool) -> None:
        self._out: list[Delta] = []
        self._speech = Speech(_ALL, self._out)
        self._calls = Calls(tools, self._out)
        self._place = _Place.REASONING if thinking_open else _Place.CONTENT
        self._origin = self._place  # where the last `<tool_call>` stood
        self._held = ""  # what could still become a marker
        self._parts: list[str] = []  # text since the last marker, in places where it does not stream
        self._key: str | None = None
        self.work = 0

    def feed(self, text: str) -> list[Delta]:
        """What this text adds."""
        text, at = self._held + text, 0
        while self._place is not _Place.END:
            markers = _WATCHED.get(self._place, _ALL)
            found = markers.find(text, at)
            self.work += (found.end() if found else len(text)) - at
            if found is None:
                end = len(text) - markers.open(text, at)
                self._held = text[end:]
                self._take(text[at:end])
                break
            self._take(text[at : found.start()])
            self._meet(found.group())
            at = found.end()
        return self._said()

    def flush(self) -> list[Delta]:
        """The text has ended."""
        if self._place in (_Place.REASONING, _Place.CONTENT, _Place.TEXT, _Place.VALUE):
            self._take(self._held)
        self._held = ""
        self._end()
        return self._said()

    def _said(self) -> list[Delta]:
        said = merged(self._out)
        self._out.clear()
        return said

    def _take(self, text: str) -> None:
        """Text without a marker, in the present place."""
        if not text:
            return
        if self._place is _Place.REASONING:
            self._speech.reason(text)
        elif self._place is _Place.CONTENT:
            self._speech.answer(text)
        elif self._place is _Place.TEXT:
            self._calls.more_string(text)
        else:
            self._parts.append(text)
            if self._place is _Place.HEAD:
                self._check_head()

    def _meet(self, marker: str) -> None:
        """A marker where only markers that count are looked for: all, or a value's end."""
        if marker in ROLES:
            self._end()
        elif action := _ACTIONS[self._place].get(marker):
            action(self)
        elif self._place is _Place.HEAD:
            self._speak_of_the_tag()
            self._meet(marker)
        elif self._place in (_Place.KEY, _Place.GAP):
            self._parts.clear()
            self._place = _Place.GAP

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
        self._place = self._origin
        self._take(self._text())

    # --- what a marker does ---

    def _think(self) -> None:
        self._speech.think()
        self._place = _Place.REASONING

    def _answer(self) -> None:
        self._place = _Place.CONTENT

    def _open_call(self) -> None:
        self._origin, self._place = self._place, _Place.HEAD

    def _name(self, name: str, key: str | None = None) -> None:
        self._speech.call()
        self._calls.start(name)
        self._key, self._place = key, _Place.GAP

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
        self._key, self._place = None, _Place.KEY

    def _end_key(self) -> None:
        self._key, self._place = self._text().strip(), _Place.GAP

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
            self._place = _Place.TEXT
        else:
            self._place = _Place.VALUE

    def _end_text(self) -> None:
        self._calls.end_string()
        self._key, self._place = None, _Place.GAP

    def _end_value(self) -> None:
        text = self._text()
        if self._key is not None:
            self._calls.argument(self._key, text)
        self._key, self._place = None, _Place.GAP

    def _end_value_without_opener(self) -> None:
        text = self._text()
        if self._key is not None and text.strip():
            self._calls.argument(self._key, text.removeprefix("\n"))
        self._key = None

    def _close(self) -> None:
        self._parts.clear()
        self._calls.close()
        self._speech.called()
        self._key, self._place = None, _Place.CONTENT

    def _close_and_open_call(self) -> None:
        self._close()
        self._open_call()

    def _end(self) -> None:
        """The message is over, here or in the middle of something."""
        if self._place is _Place.CONTENT:
            self._speech.end()
        elif self._place in (_Place.KEY, _Place.GAP, _Place.TEXT, _Place.VALUE):
            if self._place is _Place.VALUE and self._key is not None:
                self._calls.cut_argument(self._key, self._text())
            self._calls.cut()
        self._place = _Place.END


_Action: TypeAlias = Callable[[GlmReader], None]
_ACTIONS: dict[_Place, dict[str, _Action]] = {
    _Place.REASONING: {
        "</think>": GlmReader._answer,
        "<tool_call>": GlmReader._open_call,
    },
    _Place.CONTENT: {
        "<think>": GlmReader._think,
        "<tool_call>": GlmReader._open_call,
    },
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
        "<tool_call>": GlmReader._close_and_open_call,
    },
    _Place.GAP: {
        "<arg_key>": GlmReader._open_key,
        "</arg_key>": GlmReader._end_key_without_opener,
        "<arg_value>": GlmReader._open_value,
        "</arg_value>": GlmReader._end_value_without_opener,
        "</tool_call>": GlmReader._close,
        "<tool_call>": GlmReader._close_and_open_call,
    },
    _Place.TEXT: {VALUE_END: GlmReader._end_text},
    _Place.VALUE: {VALUE_END: GlmReader._end_value},
}
_ALL = Markers([*ROLES, *TAGS])
_VALUE_END_ONLY = Markers([VALUE_END])
_WATCHED = {_Place.TEXT: _VALUE_END_ONLY, _Place.VALUE: _VALUE_END_ONLY}
