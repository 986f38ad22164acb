"""The incremental reader of harmony messages: one pass from raw text to deltas. What they mean is told in `harmony`.

The text is cut at markers. Between two of them a place says what the text is; at each of them a method says what it
does there. Of a header all beginnings fit its grammar, so that it means the same however it was cut.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum

from agenteval.messages import ToolSpec
from agenteval.parsers.calls import Calls
from agenteval.parsers.deltas import Delta, merged
from agenteval.parsers.harmony_header import FUNCTIONS, Header, Part, body_start, is_author
from agenteval.parsers.markers import Markers
from agenteval.parsers.policy import Choices
from agenteval.parsers.speech import Speech

MARKERS = ("<|start|>", "<|end|>", "<|message|>", "<|channel|>", "<|constrain|>", "<|return|>", "<|call|>")


class _Place(Enum):
    """Where in a reply the text is."""

    HEADER = "a part of a message's header"
    BODY = "words, of which the channel says whether they are reasoning"
    ARGUMENTS = "the arguments of a call"
    END = "behind the reply"


class HarmonyReader:
    """Parser of one reply. Harmony's prompt never opens reasoning, so `thinking_open` says nothing."""

    def __init__(self, tools: Sequence[ToolSpec], thinking_open: bool, choices: Choices) -> None:
        self._out: list[Delta] = []
        self._speech = Speech(_ALL, self._out, choices, thinking=False)
        self._calls = Calls(tools, self._out, choices)
        self._calls_in_thinking = choices["call_in_thinking"] == "call"
        self._speaks_of_undeclared = choices["undeclared_tool"] == "text"
        self._place = _Place.HEADER
        self._part = Part.BETWEEN
        self._header = Header()
        self._text = ""  # of this part of the header
        self._thinks = False  # words are reasoning
        self._unopened: str | None = None  # the tool whose header went over into words
        self._held = ""  # what could still become a marker
        self.work = 0

    def feed(self, text: str) -> list[Delta]:
        """What this text adds."""
        if self._place is _Place.ARGUMENTS and "<" not in text and not self._held:
            self.work += len(text)
            return self._calls.written(text)
        text, at = self._held + text, 0
        while self._place is not _Place.END:
            found = _ALL.find(text, at) if _ALL.first(text, at) else None
            self.work += (found.end() if found else len(text)) - at
            if found is None:
                end = len(text) - _ALL.open(text, at)
                self._held = text[end:]
                self._take(text[at:end])
                break
            self._take(text[at : found.start()])
            _ACTIONS[found.group()](self)
            at = found.end()
        return self._said()

    def flush(self) -> list[Delta]:
        """The text has ended. Engines strip the stop token, so a body may just end; a header that does says nothing."""
        if self._place is not _Place.END and (self._place is not _Place.HEADER or self._part is Part.BETWEEN):
            self._take(self._held)
        self._held = ""
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
        if self._place is _Place.HEADER:
            text = self._take_header(text)
        if not text:
            return
        if self._place is _Place.ARGUMENTS:
            self._calls.write(text)
        elif self._thinks:
            self._speech.reason(text)
        else:
            self._speech.answer(text)

    def _take_header(self, text: str) -> str:
        """Reads on in the header; what is left of the text belongs to the body."""
        begun, fitting = self._text + text, len(self._text)
        if self._fits(begun):
            self._text = begun
            return ""
        beyond = len(begun)
        while beyond - fitting > 1:  # all beginnings of what fits do
            middle = (fitting + beyond) // 2
            fitting, beyond = (middle, beyond) if self._fits(begun[:middle]) else (fitting, middle)
        self._text = begun[:fitting]
        return self._go_over(begun[fitting]) + begun[beyond:]

    def _fits(self, text: str) -> bool:
        self.work += len(text) + 1
        return self._part.fits(text)

    def _go_over(self, letter: str) -> str:
        """The header has become the body without `<|message|>`, seen at this letter. What of it is body."""
        start = body_start(self._part, self._text)
        body = self._text[start:] + letter
        self._absorb(self._text[:start])
        tool = self._tool()
        if tool is not None and body.lstrip() == "{":
            self._open_call(tool)
        else:
            self._open_words(instead_of=tool)
        return body

    # --- headers ---

    def _begin(self, part: Part) -> None:
        self._place, self._part, self._text = _Place.HEADER, part, ""

    def _absorb(self, text: str) -> None:
        self._header = self._header.with_part(self._part, text)
        self._text = ""

    def _end_part(self) -> bool:
        """A marker that belongs to a header came: whether the text before it was a part of that header."""
        self._say_what_was_no_header()
        self._absorb(self._text)
        return not self._header.foreign

    def _tool(self) -> str | None:
        """The tool that the header addresses."""
        if self._header.channel == "analysis" and not self._calls_in_thinking:
            return None
        recipient = self._header.recipient or ""
        name = recipient.removeprefix(FUNCTIONS)
        if self._calls.declares(name):
            return name
        return None if name == recipient or self._speaks_of_undeclared else name or None

    def _open_body(self) -> None:
        tool = self._tool()
        if tool is None:
            self._open_words()
        else:
            self._open_call(tool)

    def _open_words(self, instead_of: str | None = None) -> None:
        self._place, self._unopened = _Place.BODY, instead_of
        self._thinks = self._header.channel == "analysis" or instead_of is not None
        if self._thinks:
            self._speech.think()

    def _open_call(self, tool: str) -> None:
        self._place, self._unopened = _Place.ARGUMENTS, None
        self._speech.call()
        self._calls.start(tool)

    def _say_what_was_no_header(self) -> None:
        """Between messages: words that only began like an author's part."""
        if self._place is _Place.HEADER and self._part is Part.BETWEEN and not is_author(self._text):
            self._speech.answer(self._text)
            self._text = ""

    # --- what a marker does ---

    def _start(self) -> None:
        self._close()
        self._begin(Part.AUTHOR)

    def _channel(self) -> None:
        self._head_on(Part.CHANNEL)

    def _constrain(self) -> None:
        if self._place is _Place.HEADER:
            self._head_on(Part.TYPE)

    def _head_on(self, part: Part) -> None:
        """The next part of a header, or of a new one if its `<|start|>` is missing."""
        if self._place is not _Place.HEADER:
            self._close()
        if self._end_part():
            self._begin(part)
        else:
            self._end()

    def _message(self) -> None:
        if self._unopened is not None:
            self._open_call(self._unopened)
        elif self._place is _Place.HEADER:
            if self._end_part():
                self._open_body()
            else:
                self._end()

    def _call(self) -> None:
        """Ends a message; behind a header that addresses a tool it is a call without arguments."""
        if self._place is _Place.HEADER and self._part is not Part.BETWEEN:
            self._absorb(self._text)
            tool = None if self._header.foreign else self._tool()
            if tool is not None:
                self._open_call(tool)
        self._close()

    def _close(self) -> None:
        """The message is over; another may follow."""
        if self._place is _Place.ARGUMENTS:
            self._calls.close()
            self._speech.called()
        self._say_what_was_no_header()
        self._header, self._unopened = Header(), None
        self._begin(Part.BETWEEN)

    def _end(self) -> None:
        """The reply is over, here or in the middle of something."""
        if self._place is not _Place.END:
            if self._place is _Place.ARGUMENTS:
                self._calls.finish()
            self._say_what_was_no_header()
            self._speech.end(thinking=False)
            self._place = _Place.END

    def _return(self) -> None:
        self._close()
        self._end()


_ACTIONS: dict[str, Callable[[HarmonyReader], None]] = {
    "<|start|>": HarmonyReader._start,
    "<|channel|>": HarmonyReader._channel,
    "<|constrain|>": HarmonyReader._constrain,
    "<|message|>": HarmonyReader._message,
    "<|end|>": HarmonyReader._close,
    "<|call|>": HarmonyReader._call,
    "<|return|>": HarmonyReader._return,
}
_ALL = Markers(MARKERS)
