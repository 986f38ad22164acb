"""Reasoning and content on their way out, for parsers of every family."""

from __future__ import annotations

from typing import TypeAlias

from agenteval.parsers.deltas import ContentDelta, Delta, ReasoningDelta
from agenteval.parsers.framing import UNFRAMED, Framing
from agenteval.parsers.markers import Markers
from agenteval.parsers.policy import Choices

_Channel: TypeAlias = type[ReasoningDelta] | type[ContentDelta]


class Speech:
    """Drops the format's own newlines and blank content beside calls, and lets no marker arise from the halves that
    another one parted.

    Blank content is held until it is known what follows: clients take an empty-looking content delta before a call for
    the answer. So are the last newlines that could be framing. Everything else goes out at once.
    """

    def __init__(
        self, markers: Markers, out: list[Delta], choices: Choices, framing: Framing = UNFRAMED, *, thinking: bool
    ) -> None:
        self._markers = markers
        self._out = out
        self._framing = framing if choices.get("framing_newlines") != "keep" else UNFRAMED
        self._ahead = max(self._framing.thought, self._framing.call)  # newlines that may stand before what ends thought
        self._keeps_blank = choices.get("blank_content") == "keep"
        self._mute_after_call = choices.get("text_after_call") == "drop"
        self._begun: dict[_Channel, str] = {ReasoningDelta: "", ContentDelta: ""}  # a marker's beginning, said already
        self._lead = 0 if thinking else self._framing.start  # newlines of framing that may still come
        self._tail = ""  # newlines that are framing if the right tag follows
        self._thoughts: list[str] | None = [] if choices.get("unclosed_thinking") == "content" else None
        self._thought = False  # reasoning was said in the present thought
        self._blank: list[str] = []
        self._spoke = self._keeps_blank  # content was said since the last call
        self._called = False

    def reason(self, text: str) -> None:
        """More reasoning."""
        if self._lead or self._ahead:
            text = self._framed(text, self._ahead)
        if text:
            self._thought = True
            self._reason(text)

    def answer(self, text: str) -> None:
        """Content, of which blank beginnings wait for what follows."""
        if self._lead or self._framing.call:
            text = self._framed(text, self._framing.call)
        if text:
            self._answer(text)

    def think(self) -> None:
        """Reasoning begins where content might have."""
        if self._tail:
            self._answer(self._tail)
        self._tail, self._lead = "", self._framing.thought
        self._drop_blank()

    def think_again(self) -> None:
        """The opener of reasoning inside reasoning, where only its framing counts."""
        if not self._thought:
            self._lead = self._framing.thought

    def close_thought(self) -> None:
        """The closer of reasoning: content begins."""
        if len(self._tail) > self._framing.thought:
            self._reason(self._tail[self._framing.thought :])
        self._tail, self._lead, self._thought = "", self._framing.answer, False
        self._let_out()

    def call(self) -> None:
        """A call begins: blank text before it meant nothing."""
        self._called = True
        self._tail, self._lead, self._thought = "", 0, False
        self._let_out()
        self._drop_blank()

    def called(self) -> None:
        """A call has ended."""
        self._spoke, self._lead = self._keeps_blank, self._framing.called

    def end(self, *, thinking: bool) -> None:
        """The message is over: blank text that stands beside no call was content. `thinking`: inside reasoning."""
        tail, self._tail = self._tail, ""
        if thinking:
            if tail:
                self._reason(tail)
            unclosed, self._thoughts = self._thoughts, None
            for text in unclosed or ():
                self._answer(text)
        elif tail:
            self._answer(tail)
        if not self._called:
            self._say(ContentDelta, self._waiting())

    def end_in_call(self) -> None:
        """The message is over where a call had begun, or might have."""
        self._let_out()

    def _framed(self, text: str, most: int) -> str:
        """The text without framing in front, and without those last newlines of it that may be framing."""
        if not self._lead and not self._tail and not text.endswith("\n"):
            return text
        if self._lead:
            rest = text.lstrip("\n")
            ahead = min(len(text) - len(rest), self._lead)
            text = text[ahead:]
            self._lead = 0 if text else self._lead - ahead
        text = self._tail + text
        inner = max(len(text.rstrip("\n")), len(text) - most)
        self._tail = text[inner:]
        return text[:inner]

    def _reason(self, text: str) -> None:
        if self._thoughts is None:
            self._say(ReasoningDelta, text)
        else:
            self._thoughts.append(text)

    def _let_out(self) -> None:
        """What was held as reasoning is: piece by piece, because a marker may have parted them."""
        if self._thoughts:
            for text in self._thoughts:
                self._say(ReasoningDelta, text)
            self._thoughts = []

    def _answer(self, text: str) -> None:
        if self._mute_after_call and self._called:
            return
        if not self._spoke:
            self._blank.append(text)
            if text.isspace():
                return
            self._spoke = True
            text = self._waiting()
        self._say(ContentDelta, text)

    def _drop_blank(self) -> None:
        if not self._keeps_blank:
            self._blank.clear()

    def _waiting(self) -> str:
        text = "".join(self._blank)
        self._blank.clear()
        return text

    def _say(self, channel: _Channel, text: str) -> None:
        begun = self._begun[channel]
        if not begun and self._markers.first(text) is None:
            if text:
                self._out.append(channel(text))
            return
        if begun:
            text = self._markers.unjoined(begun, text)
        if text:
            said = begun + text
            self._begun[channel] = said[len(said) - self._markers.open(said) :]
            self._out.append(channel(text))
