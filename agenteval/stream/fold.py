"""A stream's bytes folded into a reply and its timeline: pure, never raising, the same for every cut.

What servers do against the protocol becomes a defect; habits of known servers that a careful client survives
(null ids on later deltas, repeated names, role-only and empty frames, usage on every frame, comments) are
none.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from agenteval.stream.draft import Draft
from agenteval.stream.marks import Marks
from agenteval.stream.reply import Defects, Reply, readable
from agenteval.stream.shapes import UsageTally, count_of, error_of, error_text, timings_of
from agenteval.stream.sse import ErrorPayload, SseDecoder
from agenteval.timing import Timeline

_BOM = b"\xef\xbb\xbf"
_strict = msgspec.json.Decoder()


class Fold:
    """Takes the body bytes of one streamed chat completion: `feed` as they arrive, then `finish`."""

    __slots__ = (
        *("_defects", "_done", "_draft", "_ending", "_error", "_finish_reason", "_id", "_marks", "_model"),
        *("_sse", "_timings", "_usage", "_whole"),
    )

    def __init__(self, *, whole: bool = False) -> None:
        """`whole`: one JSON body instead of a stream; `fold_whole` does that."""
        self._sse = SseDecoder()
        self._defects = Defects()
        self._marks = Marks()
        self._draft = Draft(self._defects, self._marks, whole=whole)
        self._usage = UsageTally(self._defects)
        self._whole = whole
        self._ending = False
        self._done = False
        self._finish_reason: str | None = None
        self._timings: dict[str, float] | None = None
        self._error: str | None = None
        self._model: str | None = None
        self._id: str | None = None

    def feed(self, chunk: bytes, at: int) -> None:
        """Take in body bytes that arrived at `at`."""
        for payload in self._sse.feed(chunk):
            self.event(payload, at)

    def finish(self, sent_at: int, ended_at: int) -> tuple[Reply, Timeline]:
        """The reply, and its times as measured from `sent_at`. Call it once."""
        self._ending = True
        for payload in self._sse.flush():
            self.event(payload, ended_at)
        self._note_the_end()
        return self._reply(), self._marks.timeline(sent_at, ended_at)

    def event(self, payload: bytes, at: int) -> None:
        """Take in one event's data."""
        marks = self._marks
        if marks.first_event is None:
            marks.first_event = at
        if payload[:1] == b"[" and payload.strip() == b"[DONE]":
            if self._done:
                self._defects.add("done_repeated", "[DONE] came again")
            self._done = True
        elif self._done:
            self._defects.add("after_done", f"after [DONE]: {_excerpt(payload)}")
        elif type(payload) is ErrorPayload:
            self._fail(error_text(self._decode(payload) or payload.decode("utf-8", "replace")))
        else:
            self._value(self._decode(payload), at)

    def _decode(self, payload: bytes) -> Any:
        try:
            return _strict.decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self._decode_leniently(payload)

    def _decode_leniently(self, payload: bytes) -> Any:
        """By Python's own reader, which lets control characters, NaN and half surrogates pass; else None."""
        text = payload.decode("utf-8", "replace")
        try:
            value = json.loads(text, strict=False)
        except (ValueError, RecursionError):
            self._defects.add("cut_event" if self._ending else "bad_json", f"no JSON: {_excerpt(payload)}")
            return None
        broken = text.encode() != payload
        self._defects.add("bad_utf8" if broken else "loose_json", f"in an event: {_excerpt(payload)}")
        return value

    def _value(self, event: Any, at: int) -> None:
        if isinstance(event, dict):
            self._object(event, at)
        elif event is not None:
            self._defects.add("bad_type", "an event is no object")

    def _object(self, event: dict[str, Any], at: int) -> None:
        choices = event.get("choices")
        if choices is None or "error" in event:
            self._fail(error_of(event))
        if self._model is None or self._id is None:
            self._model = self._model or _text_or_none(event.get("model"))
            self._id = self._id or _text_or_none(event.get("id"))
        count = self._count(event)
        if isinstance(choices, list):
            self._choices(choices, at, count)
        elif choices is not None:
            self._defects.add("bad_type", "choices is no list")

    def _fail(self, error: str | None) -> None:
        self._error = self._error or error

    def _count(self, event: dict[str, Any]) -> int | None:
        """The completion tokens so far, as this event tells them; None if it does not."""
        usage, timings = event.get("usage"), event.get("timings")
        count = None
        if isinstance(timings, dict):
            self._timings = timings_of(timings)
            count = count_of(timings.get("predicted_n"))
        if isinstance(usage, dict):
            told = self._usage.read(usage)
            count = count if told is None else told
        elif usage is not None:
            self._defects.add("bad_usage", "usage is no object")
        return count

    def _choices(self, choices: list[Any], at: int, count: int | None) -> None:
        for position, choice in enumerate(choices):
            if not isinstance(choice, dict):
                self._defects.add("bad_type", "a choice is no object")
                continue
            index = choice.get("index")
            if index if type(index) is int else position:
                self._defects.add("several_choices", "more than one choice; the first is taken")
            else:
                self._choice(choice, at, count)

    def _choice(self, choice: dict[str, Any], at: int, count: int | None) -> None:
        if choice.get("error"):
            self._fail(error_text(choice["error"]))
        delta = choice.get("delta")
        if delta is None:
            delta = choice.get("message")
        finish, token_ids = choice.get("finish_reason"), choice.get("token_ids")
        visible = bool(delta) and self._draft.take(delta, at)
        if visible and self._finish_reason is not None:
            self._defects.add("late_delta", f"text after finish_reason {self._finish_reason!r}")
        if finish:
            self._finished(finish, at)
        ids = len(token_ids) if isinstance(token_ids, list) else 0
        self._marks.frame(at, visible, ids, count, bool(finish))

    def _finished(self, finish: Any, at: int) -> None:
        if not isinstance(finish, str):
            self._defects.add("bad_type", "finish_reason is no text")
            return
        if self._finish_reason not in (None, finish):
            self._defects.add("finish_changed", f"finish_reason was {self._finish_reason!r}, then {finish!r}")
        self._finish_reason = finish
        self._marks.finish_at = at

    def _note_the_end(self) -> None:
        sse, defects = self._sse, self._defects
        if sse.dropped:
            defects.add("oversized_event", f"{sse.dropped} events were too long and dropped")
        if sse.stray:
            defects.add("stray_line", f"lines that are no SSE fields: {sse.stray}, first {_excerpt(sse.first_stray)}")
        if self._draft.legacy and not self._draft.calls:
            defects.add("legacy_function_call", "function_call came, and no tool_calls")
        if self._marks.first_event is None:
            defects.add("empty_body", "the body is empty" if self._whole else "no event came")
            return
        if self._error is None and self._finish_reason is None:
            defects.add("finish_missing", "no finish_reason came")
        if not self._done and not self._whole:
            defects.add("done_missing", "[DONE] never came")

    def _reply(self) -> Reply:
        def text(value: str | None) -> str | None:
            return readable(value, self._defects) if value else None

        draft = self._draft
        spoken = bool(draft.content or draft.reasoning or draft.calls)
        return Reply(
            content=text("".join(draft.content)),
            reasoning=text("".join(draft.reasoning)),
            reasoning_field=draft.reasoning_field,
            tool_calls=draft.calls.all(),
            finish_reason=text(self._finish_reason),
            usage=None if self._error else self._usage.usage(self._timings, spoken=spoken),
            server_timings=self._timings,
            error=text(self._error),
            model=text(self._model),
            id=text(self._id),
            done=self._done,
            defects=self._defects.all(),
        )


def fold_whole(body: bytes, *, sent_at: int, ended_at: int) -> tuple[Reply, Timeline]:
    """A reply that came as one JSON body. Its timeline knows only the beginning and the end."""
    fold = Fold(whole=True)
    body = body.removeprefix(_BOM).strip()
    if body:
        fold.event(body, ended_at)
    reply, _ = fold.finish(sent_at, ended_at)
    finish_at = None if reply.finish_reason is None else ended_at
    return reply, Timeline(sent_at, ended_at, finish_at=finish_at, streamed=False)


def _text_or_none(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _excerpt(payload: bytes) -> str:
    return repr(payload[:80].decode("utf-8", "replace"))
