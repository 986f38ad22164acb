"""What a stream folds to: the reply, its usage, and what the server did against the protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

DefectKind = Literal[
    "bad_json",
    "loose_json",
    "bad_utf8",
    "bad_unicode",
    "bad_type",
    "bad_usage",
    "content_type",
    "cut_event",
    "oversized_event",
    "stray_line",
    "empty_body",
    "not_streamed",
    "several_choices",
    "reasoning_in_two_fields",
    "index_missing",
    "id_changed",
    "name_changed",
    "arguments_not_text",
    "legacy_function_call",
    "late_delta",
    "finish_changed",
    "finish_missing",
    "done_missing",
    "done_repeated",
    "after_done",
    "left_open",
]
"""How a stream can break its contract.

`bad_json` an event that is no JSON (dropped) · `loose_json` one that only a lenient reader takes · `bad_utf8`
bytes that are no UTF-8 (replaced) · `bad_unicode` half a surrogate pair in a text (replaced) · `bad_type` a
field of an unexpected type (ignored) · `bad_usage` token counts that cannot be true (unknown then) · `content_type` a
stream that calls itself something else · `cut_event` the stream ended inside an event · `oversized_event`
dropped · `stray_line` a line that is no SSE field · `empty_body` nothing but comments · `not_streamed` JSON
where a stream was asked for · `several_choices` (the first is taken) · `reasoning_in_two_fields` that differ
· `index_missing` on a tool call delta · `id_changed`, `name_changed` of a call (the first is kept) ·
`arguments_not_text` (kept as JSON) · `legacy_function_call` and no `tool_calls` · `late_delta` text after the
finish reason · `finish_changed` · `finish_missing` no finish reason · `done_missing`, `done_repeated`,
`after_done` about the closing `[DONE]` · `left_open` a whole reply whose body had no end within the time-outs.
"""

HARMLESS: frozenset[DefectKind] = frozenset({"bad_usage", "content_type", "done_missing", "done_repeated", "left_open"})
"""Kinds that cost nothing of the reply."""


@dataclass(frozen=True, slots=True)
class Defect:
    """A kind of breach with its first occurrence in words, and how often it occurred."""

    kind: DefectKind
    detail: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class CallReply:
    """One tool call as it was streamed. `id` and `name` are the first that were given, None if none was."""

    id: str | None
    name: str | None
    arguments_text: str
    index: int


@dataclass(frozen=True, slots=True)
class Usage:
    """The server's own token counts. `cached` is a part of `prompt`, `reasoning` a part of `completion`."""

    prompt: int | None = None
    completion: int | None = None
    cached: int | None = None
    reasoning: int | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """Everything that a reply said.

    `content`, `reasoning`: None when no text came, whether the server wrote null, an empty string or nothing.
    `reasoning_field`: the delta field that carried reasoning. `usage`: None also after an error, since
    servers make counts up then. `server_timings`: llama.cpp's `timings`, numbers only. `error`: what the
    server reported inside a 200 reply. `done`: whether `[DONE]` came.
    """

    content: str | None = None
    reasoning: str | None = None
    reasoning_field: str | None = None
    tool_calls: tuple[CallReply, ...] = ()
    finish_reason: str | None = None
    usage: Usage | None = None
    server_timings: Mapping[str, float] | None = None
    defects: tuple[Defect, ...] = ()
    error: str | None = None
    model: str | None = None
    id: str | None = None
    done: bool = False


OVERSHOOT = 16
"""So many tokens more than were allowed may be counted: those of the last step, or that which ended the reply."""


def possible(reply: Reply, window: int | None, allowed: int | None) -> Reply:
    """The reply without counts that cannot be: a prompt larger than the context window, a completion larger than was
    allowed (each None: not known). They are unknown then, and told as a defect."""
    usage, wrong = reply.usage or Usage(), []
    if usage.prompt is not None and window is not None and usage.prompt > window:
        wrong.append(f"{usage.prompt} prompt tokens in a context window of {window}")
        usage = replace(usage, prompt=None, cached=None)
    if usage.completion is not None and allowed is not None and usage.completion > allowed + OVERSHOOT:
        wrong.append(f"{usage.completion} completion tokens where max_tokens was {allowed}")
        usage = replace(usage, completion=None, reasoning=None)
    if not wrong:
        return reply
    defect = Defect("bad_usage", f"the counts cannot be: {', '.join(wrong)}")
    return replace(reply, usage=usage, defects=(*reply.defects, defect))


class Defects:
    """Collects defects: the first of a kind in words, the others counted; a hostile stream stays small."""

    __slots__ = ("_first",)

    def __init__(self) -> None:
        self._first: dict[DefectKind, tuple[str, int]] = {}

    def add(self, kind: DefectKind, detail: str) -> None:
        """Count one occurrence; the first one's detail is kept."""
        first, count = self._first.get(kind, (detail[:300], 0))
        self._first[kind] = (first, count + 1)

    def all(self) -> tuple[Defect, ...]:
        """In the order in which the kinds first occurred."""
        return tuple(Defect(kind, detail, count) for kind, (detail, count) in self._first.items())


def readable(text: str, defects: Defects) -> str:
    """The text without half surrogate pairs, so that it can be written; halves of two deltas are joined."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        if "\ufffd" in joined and "\ufffd" not in text:
            defects.add("bad_unicode", "half a surrogate pair")
        return joined
    return text
