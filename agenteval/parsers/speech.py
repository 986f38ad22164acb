"""Reasoning and content on their way out, for parsers of every family."""

from __future__ import annotations

from typing import TypeAlias

from agenteval.parsers.deltas import ContentDelta, Delta, ReasoningDelta
from agenteval.parsers.markers import Markers

_Channel: TypeAlias = type[ReasoningDelta] | type[ContentDelta]


class Speech:
    """Drops blank content beside calls, and lets no marker arise from the halves that another one parted.

    Blank content is held until it is known what follows: clients take an empty-looking content delta before a
    call for the answer. Everything else goes out at once.
    """

    def __init__(self, markers: Markers, out: list[Delta]) -> None:
        self._markers = markers
        self._out = out
        self._ends: dict[_Channel, str] = {ReasoningDelta: "", ContentDelta: ""}  # last characters said
        self._blank: list[str] = []
        self._spoke = False  # content was said since the last call
        self._called = False

    def reason(self, text: str) -> None:
        self._say(ReasoningDelta, text)

    def answer(self, text: str) -> None:
        """Content, of which blank beginnings wait for what follows."""
        if not self._spoke:
            self._blank.append(text)
            if text.isspace():
                return
            self._spoke = True
            text = self._waiting()
        self._say(ContentDelta, text)

    def call(self) -> None:
        """A call begins: blank text before it meant nothing."""
        self._called = True
        self._blank.clear()

    def called(self) -> None:
        """A call has ended."""
        self._spoke = False

    def think(self) -> None:
        """Reasoning begins where content might have."""
        self._blank.clear()

    def end(self) -> None:
        """The message is over: blank text that stands beside no call was content."""
        if not self._called:
            self._say(ContentDelta, self._waiting())

    def _waiting(self) -> str:
        text = "".join(self._blank)
        self._blank.clear()
        return text

    def _say(self, channel: _Channel, text: str) -> None:
        before = self._ends[channel]
        text = self._markers.unjoined(before, text)
        if text:
            self._ends[channel] = (before + text)[-self._markers.longest :]
            self._out.append(channel(text))
