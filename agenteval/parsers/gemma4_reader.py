"""The incremental reader of Gemma 4's replies: what is special to them beside names and arguments between tokens."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

from agenteval.messages import ToolSpec
from agenteval.parsers.arguments import escaped
from agenteval.parsers.family import MakeReader
from agenteval.parsers.marked_reader import MarkedReader, Marks, Value
from agenteval.parsers.names import BLANK, NAME_PATTERN
from agenteval.parsers.notation import Notation
from agenteval.parsers.policy import Choices
from agenteval.parsers.reader import Shape

CHANNEL, OPENER, CLOSER = "thought", "<|tool_call>", "<tool_call|>"
MARKS = Marks(
    separator="",
    head=re.compile(rf"\s*(?:call:)?(?P<name>(?!call:){NAME_PATTERN})\s*"),
    begun=re.compile(rf"{BLANK}(?:{NAME_PATTERN}{BLANK})?"),
)


class Gemma4Reader(MarkedReader):
    """Parser of one reply."""

    _value: Notation | None

    def __init__(self, shape: Shape, tools: Sequence[ToolSpec], thinking_open: bool, choices: Choices) -> None:
        super().__init__(shape, MARKS, tools, thinking_open, choices)
        self._unwraps = choices["double_encoded"] == "unwrap"
        self._reads_python = choices["bare_words"] == "literal"
        self._plain_quotes = choices["plain_quotes"] == "json"
        self._notation = Notation(shape.all, None, python=False, plain_quotes=False)  # of the present arguments
        self._last = ""  # what was held back when the text ended
        self._channel = ""  # what has come of a channel's name

    # --- the name of a channel ---

    def _think(self) -> None:
        super()._think()
        self._channel, self._watched = "", None

    def _scan(self, text: str, at: int) -> int:
        return self._read_channel(text, at) if self._words else super()._scan(text, at)

    def _read_channel(self, text: str, at: int) -> int:
        """A channel's name, up to the newline or the token behind it."""
        end = min(len(text), at + len(CHANNEL) - len(self._channel))
        self._channel += text[at:end]
        self.work += end - at + 1
        if CHANNEL.startswith(self._channel) and end == len(text):
            return end
        self._watched = self._shape.all
        if self._channel == CHANNEL and text[end] in "\n<":
            return end
        if len(self._channel) == end - at:
            return at
        self._again = self._channel
        return end

    # --- arguments ---

    def _begin_value(self, first: str) -> Value:
        self._notation = Notation(
            self._shape.all,
            self._calls.types if self._unwraps else None,
            python=self._reads_python,
            plain_quotes=self._plain_quotes,
        )
        self._notation.ended = first != "{"
        return self._notation

    def _read_value(self, value: Value, text: str, at: int) -> int:
        if value.ended:
            return at
        end = self._notation.read(text, at)
        if self._notation.broken and text.startswith(CLOSER, end):
            self._notation.complete()
        elif self._notation.waits:
            self._held, end = text[end:], len(text)
        self._calls.write(self._notation.said())
        return end

    def _json(self, text: str) -> str:
        return escaped(text)

    def _finish(self, held: str) -> None:
        self._last = held
        super()._finish(held)

    def _cut(self) -> None:
        if self._value is not None and not self._value.ended:
            self._notation.cut(self._last)
            self._calls.write(self._notation.said())
        super()._cut()


def reader_of(shape: Shape) -> MakeReader:
    """The reader of replies of this shape."""
    return partial(Gemma4Reader, shape)
