"""The incremental reader of Mistral's calls: a name and JSON arguments between tokens, or (older models) a list of
objects. Which of them it is, the first character behind the opener says."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agenteval.messages import ToolSpec
from agenteval.parsers.json_text import JsonValue
from agenteval.parsers.names import BLANK, NAME, NAME_PATTERN
from agenteval.parsers.object_reader import ObjectReader
from agenteval.parsers.policy import Choices
from agenteval.parsers.reader import Shape

ARGUMENTS, CALL_ID = "[ARGS]", "[CALL_ID]"
_HEAD = re.compile(r'[^\[\]<{"]*')
_BEGUN = re.compile(rf"{BLANK}(?:{NAME_PATTERN}{BLANK})?")
_LONGEST_ID = 64
_BLANKS = re.compile(r"\s*")


class MistralReader(ObjectReader):
    """Parser of one reply."""

    def __init__(self, shape: Shape, tools: Sequence[ToolSpec], thinking_open: bool, choices: Choices) -> None:
        super().__init__(shape, tools, thinking_open, choices)
        self._objects = False  # objects follow, or may
        self._head = ""
        self._id: str | None = None  # the text behind `[CALL_ID]`

    def _open(self, marker: str) -> None:
        super()._open(marker)
        self._objects, self._head, self._id = False, "", None

    @property
    def _streams(self) -> bool:
        return super()._streams if self._objects else self._named

    def _scan(self, text: str, at: int) -> int:
        if self._objects:
            return super()._scan(text, at)
        start = at
        at = self._read_arguments(text, at) if self._named else self._read_head(text, at)
        self.work += at - start + 1
        return at

    def _read_head(self, text: str, at: int) -> int:
        found = _HEAD.match(text, at)
        end = found.end() if found else at
        self._head += text[at:end]
        self.work += len(self._head)
        if not _BEGUN.fullmatch(self._head):
            return self._lose_head(at, end)
        if end == len(text):
            return end
        if text[end] == "[" and not self._head.strip():
            return self._open_list(text, end)
        if text[end] == "{" and not self._head.strip():
            self._objects = True
            self._raw.append(self._head)
            return end
        if text[end] in "[<":
            self._watched = self._shape.all
            return end
        return end if text[end] in '{"' and self._take_head() else self._lose_head(at, end)

    def _open_list(self, text: str, at: int) -> int:
        """A bracket behind the opener begins a list, or a token."""
        if at + 1 == len(text):
            self._held = text[at:]
            return at + 1
        if text[at + 1] in "{] \t\r\n":
            self._objects = True
            self._raw.append(f"{self._head}[")
            return at + 1
        self._watched = self._shape.all
        return at

    def _lose_head(self, start: int, end: int) -> int:
        """No call began here: what stands behind the opener is read again, as words. Where to go on."""
        self._back()
        if len(self._head) == end - start:
            return start
        self._again = self._head
        return end

    def _take_head(self) -> bool:
        """Begins the call if the head is a tool's name."""
        name = self._head.strip()
        if not NAME.fullmatch(name) or (self._speaks_of_undeclared and not self._calls.declares(name)):
            return False
        self._name(name)
        self._watched = None
        return True

    def _read_arguments(self, text: str, at: int) -> int:
        if self._value is None:
            found = _BLANKS.match(text, at)
            at = found.end() if found else at
            if at == len(text):
                return at
            if text[at] in "<[":
                self._end_call()
                return at
            self._value, self._argued = JsonValue(), True
        end = self._value.read(text, at)
        self._calls.write(text[at:end])
        if self._value.broken:
            self._watched = self._shape.all
        elif self._value.ended:
            self._end_call()
        return end

    def _end_call(self) -> None:
        """The arguments are complete, or there are none: an object or words may follow."""
        self._calls.close()
        self._speech.called()
        self._closed, self._named, self._objects = True, False, True
        self._raw.clear()

    def _cut(self) -> None:
        if self._named and not self._objects:
            self._calls.finish()
        else:
            super()._cut()

    def _take_inside(self, text: str) -> None:
        if self._named or self._objects:
            return
        if self._id is None:
            self._speak_of_the_head(text)
        else:
            self._id += text
            if len(self._id) > _LONGEST_ID:
                self._speak_of_the_head(self._id)

    def _meet_inside(self, marker: str) -> None:
        if self._named or self._objects:
            super()._meet_inside(marker)
        elif marker == CALL_ID and self._id is None and NAME.fullmatch(self._head.strip()):
            self._id = ""
        elif marker != ARGUMENTS or not self._take_head():
            self._speak_of_the_head(self._id or "")
            self._meet(marker)

    def _speak_of_the_head(self, text: str) -> None:
        """No call began here: the text goes where the opener stood."""
        self._back()
        self._take(self._head + text)
