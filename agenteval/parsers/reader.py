"""What readers of tagged families share: words outside calls, and the loop over a text that arrives in pieces.

The text is cut at markers. Outside calls it is reasoning or content; a call's opener hands it to the family's own
reader. Where no marker counts (inside JSON, whose strings may quote any of them) the family scans it itself.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from agenteval.parsers.calls import Calls
from agenteval.parsers.deltas import Delta, merged
from agenteval.parsers.framing import UNFRAMED, Framing
from agenteval.parsers.markers import Markers
from agenteval.parsers.policy import Choices
from agenteval.parsers.speech import Speech


@dataclass(frozen=True, slots=True)
class Shape:
    """What a family's words are tagged with. `ends`: markers that end the message; `calls`: those that may open a
    call, and `closers` that close it; `all`: every marker that counts outside calls; `tags`: those of them that are
    plain text where they do not count."""

    all: Markers
    ends: frozenset[str]
    calls: frozenset[str]
    closers: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    think: tuple[str, str] = ("<think>", "</think>")
    framing: Framing = UNFRAMED


class Reader(ABC):
    """Parser of one reply. A subclass reads calls: `_open` begins one, `_take_inside` and `_meet_inside` go on with it
    (or `_scan`, while `_watched` is None), `_leave` ends it, `_cut` is called where the reply ends inside."""

    def __init__(self, shape: Shape, calls: Calls, out: list[Delta], choices: Choices, *, thinking: bool) -> None:
        self._shape = shape
        self._calls = calls
        self._out = out
        self._speech = Speech(shape.all, out, choices, shape.framing, thinking=thinking)
        self._thinking = thinking
        self._words = True  # outside calls
        self._watched: Markers | None = shape.all  # what counts as a marker in the present place
        self._over = False
        self._flows = False  # inside a string that goes out as it comes: nothing but what begins with `<` ends it
        self._held = ""  # what could still become a marker
        self._again = ""  # what has to be read once more, as something else
        self._calls_in_thinking = choices.get("call_in_thinking") != "reasoning"
        self._thinks_on = choices.get("late_closer") == "reasoning"
        self.work = 0

    def feed(self, text: str) -> list[Delta]:
        """What this text adds."""
        if self._held:
            text, self._held = self._held + text, ""
        at, end = 0, len(text)
        while at < end and not self._over:
            watched = self._watched
            if watched is None:
                at = self._scan(text, at)
                if self._again:
                    text, self._again = self._again + text[at:], ""
                    at, end = 0, len(text)
                continue
            if watched.first(text, at) is None:
                self.work += end - at
                self._take(text[at:])
                break
            found = watched.find(text, at)
            if found is None:
                self.work += end - at
                known = end - watched.open(text, at)
                self._held = text[known:]
                if known > at:
                    self._take(text[at:known])
                break
            begin, behind = found.span()
            self.work += behind - at
            if begin > at:
                self._take(text[at:begin])
            self._meet(found.group())
            at = behind
        return self._said()

    def flush(self) -> list[Delta]:
        """The text has ended."""
        held, self._held = self._held, ""
        if not self._over:
            self._finish(held)
            self._end()
        return self._said()

    def _said(self) -> list[Delta]:
        if not self._out:
            return []
        said = merged(self._out)
        self._out.clear()
        return said

    def _take(self, text: str) -> None:
        """Text without a marker, in the present place."""
        if not text:
            return
        if not self._words:
            self._take_inside(text)
        elif self._thinking:
            self._speech.reason(text)
        else:
            self._speech.answer(text)

    def _meet(self, marker: str) -> None:
        """A marker that counts in the present place."""
        if marker in self._shape.ends:
            self._end()
        elif not self._words:
            self._meet_inside(marker)
        elif marker == self._shape.think[0]:
            self._think()
        elif marker == self._shape.think[1]:
            self._answer()
        elif marker in self._shape.calls and (self._calls_in_thinking or not self._thinking):
            self._words = False
            self._open(marker)
        elif marker in self._shape.tags:
            self._take(marker)

    def _think(self) -> None:
        if self._thinking:
            self._speech.think_again()
        else:
            self._thinking = True
            self._speech.think()

    def _answer(self) -> None:
        if self._thinking:
            self._thinking = False
            self._speech.close_thought()

    def _is_plain(self, text: str) -> bool:
        """Whether no marker begins in a text."""
        return self._watched is not None and self._watched.first(text) is None

    def _back(self) -> None:
        """Words again, of the kind that they were: no call began here."""
        self._words, self._watched = True, self._shape.all

    def _leave(self) -> None:
        """Words again, behind a call."""
        self._back()
        self._speech.called()
        self._thinking = self._thinking and self._thinks_on

    def _end(self) -> None:
        """The message is over, here or in the middle of something."""
        self._flows = False
        if not self._words:
            self._cut()
        if self._words:
            self._speech.end(thinking=self._thinking)
        else:
            self._speech.end_in_call()
        self._over = True

    def _finish(self, held: str) -> None:
        """What was held back at the end of the text. Words by default; between a call's tags it is nothing."""
        if self._words:
            self._take(held)

    def _scan(self, text: str, at: int) -> int:
        """Reads on where no marker counts; where to go on. What is to be read again, as something else, is left in
        `_again`."""
        raise NotImplementedError

    @abstractmethod
    def _open(self, marker: str) -> None:
        """A call's opener was met."""

    @abstractmethod
    def _take_inside(self, text: str) -> None:
        """Text without a marker, inside a call."""

    @abstractmethod
    def _meet_inside(self, marker: str) -> None:
        """A marker inside a call."""

    @abstractmethod
    def _cut(self) -> None:
        """The reply ended inside a call. One whose end the format does not write is left (`_leave`)."""
