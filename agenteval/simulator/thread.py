"""Conversations that grow: what an engine made of the messages that it received before, so that a request costs what it
adds. Nothing here changes what is answered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any

import msgspec

from agenteval.growing import Grown
from agenteval.messages import Message, ToolSpec, Transcript
from agenteval.prompts import Parts, PromptFormat
from agenteval.simulator.cache import BLOCK, chained
from agenteval.simulator.recall import message_text
from agenteval.simulator.request import Received, Refusal, read_body, read_request
from agenteval.tokens import Vocabulary

KEPT = 16
"""So many conversations are kept, those that were asked in last."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """The tokens of a rendered prompt: how many, the marks of their whole blocks, and those behind the last one."""

    tokens: int
    marks: tuple[int, ...]
    rest: tuple[int, ...]

    def followed_by(self, tokens: Sequence[int]) -> tuple[int, ...]:
        """The marks of the prompt with these tokens behind it."""
        return (*self.marks, *chained((*self.rest, *tokens), self.marks[-1] if self.marks else 0))


class Thread:
    """One conversation."""

    def __init__(self, form: PromptFormat, vocabulary: Vocabulary) -> None:
        self._form = form
        self._vocabulary = vocabulary
        self._texts: Grown[Message, str] = Grown()
        self._begin("")

    def _begin(self, opening: str) -> None:
        self._opening = opening
        self._ids = self._vocabulary.encode(opening)
        self._starts = len(self._ids)
        self._marks: list[int] = []
        self._ends: Parts[int] = Parts(self._form, self._append)

    def _append(self, part: str) -> int:
        """Put the tokens of a message's part behind those of the part before, and tell where they end."""
        self._cut(self._ends.made[-1] if self._ends.made else self._starts)
        self._ids += self._vocabulary.encode(part)
        return len(self._ids)

    def _cut(self, end: int) -> None:
        del self._ids[end:]
        del self._marks[end // BLOCK :]

    def prompt(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec], *, thinking: bool, keep_reasoning: bool
    ) -> Prompt:
        """The tokens of the rendered prompt, tools included."""
        opening = self._form.opening(messages, tools)
        if opening != self._opening:
            self._begin(opening)
        ends = self._ends.of(messages, keep_reasoning=keep_reasoning)
        self._cut(ends[-1] if ends else self._starts)
        before = self._marks[-1] if self._marks else 0
        self._marks += chained(self._ids[len(self._marks) * BLOCK :], before)
        rest = (*self._ids[len(self._marks) * BLOCK :], *self._vocabulary.encode(self._form.closing(thinking=thinking)))
        marks = (*self._marks, *chained(rest, self._marks[-1] if self._marks else 0))
        tokens = len(self._marks) * BLOCK + len(rest)
        return Prompt(tokens, marks, rest[len(rest) // BLOCK * BLOCK :])

    def text(self, messages: Sequence[Message]) -> str:
        """All that is said in them."""
        return "\n".join(self._texts.grow(messages, lambda at: message_text(messages[at])))


@dataclass(slots=True)
class _Known:
    """A body that was read: its bytes up to the end of the last message, where each message ends in them (the first
    entry: where the list begins); what stands before the messages, and of that the tools."""

    data: bytes
    ends: list[int]
    messages: Transcript
    thread: Thread
    settings: Mapping[str, Any]
    tools: tuple[ToolSpec, ...]

    def shared(self, data: bytes) -> int:
        """How many messages another body has in common with this one, from the start."""
        if data.startswith(self.data):
            return len(self.messages)
        same, parted = 0, len(self.ends)  # so many ends are reached alike; at this one they have parted
        while same < parted:
            middle = (same + parted) // 2
            span = slice(self.ends[same - 1] if same else 0, self.ends[middle])
            if data[span] == self.data[span]:
                same = middle + 1
            else:
                parted = middle
        return max(0, same - 1)


class Threads:
    """Reads request bodies. One that begins as another did (as our own client spells it) is read from there on."""

    def __init__(self, form: PromptFormat, vocabulary: Vocabulary) -> None:
        self._form = form
        self._vocabulary = vocabulary
        self._known: list[_Known] = []

    def read(self, data: bytes) -> tuple[Received, Thread]:
        """The request in a body, and its conversation. Raises Refusal."""
        return self._goes_on(data) or self._begins(data)

    def new(self) -> Thread:
        return Thread(self._form, self._vocabulary)

    def _begins(self, data: bytes) -> tuple[Received, Thread]:
        body = read_body(data)
        received, thread = read_request(body), self.new()
        settings = dict(takewhile(lambda member: member[0] != "messages", body.items()))
        head = msgspec.json.encode({**settings, "messages": []})[:-2]
        if data.startswith(head):
            ends = [len(head), *_ends(data, len(head), body["messages"])]
            tools = received.tools if settings.pop("tools", None) else ()
            self._keep(_Known(data[: ends[-1]], ends, received.messages, thread, settings, tools))
        return received, thread

    def _goes_on(self, data: bytes) -> tuple[Received, Thread] | None:
        """None if it does not begin as any that is known, or not as ours are spelled."""
        shared, known = max(((known.shared(data), known) for known in self._known), key=_first, default=(0, None))
        if known is None or not shared:
            return None
        end = known.ends[shared]
        if data[end : end + 2] != b",{" or b'"messages"' in data[end:]:
            return None
        try:
            body = read_body(b'{"messages":[' + data[end + 1 :])
            received = read_request({**known.settings, **body})
        except Refusal:  # to be told of the whole body
            return None
        messages = known.messages[:shared] + received.messages
        ends = [*known.ends[: shared + 1], *_ends(data, end + 1, body["messages"])]
        self._known.remove(known)
        self._keep(replace(known, data=data[: ends[-1]], ends=ends, messages=messages))
        tools = received.tools if "tools" in body else known.tools
        return replace(received, messages=messages, tools=tools), known.thread

    def _keep(self, known: _Known) -> None:
        """Unless a message is spelled otherwise than ours are."""
        if len(known.ends) == len(known.messages) + 1:
            self._known.append(known)
            del self._known[:-KEPT]


def _first(pair: tuple[int, _Known]) -> int:
    return pair[0]


def _ends(data: bytes, at: int, messages: Sequence[Mapping[str, Any]]) -> Iterator[int]:
    """Where messages end in a body whose next one begins at a place, up to one that is not spelled as ours are."""
    for message in messages:
        spelled = msgspec.json.encode(message)
        end = at + len(spelled)
        if data[at:end] != spelled or data[end : end + 1] not in (b",", b"]"):
            return
        yield end
        at = end + 1
