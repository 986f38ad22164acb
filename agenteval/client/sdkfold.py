"""What the openai SDK yields → a reply and its timeline: a second fold, written against the SDK's objects.

It shares with `stream.fold` only the definition of a chunk's time (`Marks`) and what a count and an error are; how
content, reasoning, calls and usage are put together is spelled anew, as a user of the SDK would. Servers send what
the SDK has no types for (`reasoning_content`, `timings`): it keeps those as extra attributes, whatever they are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from agenteval.stream import CallReply, Reply, Usage, error_of
from agenteval.stream.marks import Marks
from agenteval.stream.reply import Defects, readable
from agenteval.stream.shapes import as_json, count_of, credible, timings_of, usage_of_timings


@dataclass(slots=True)
class _Call:
    id: str | None = None
    name: str | None = None
    arguments: str = ""


@dataclass(slots=True)
class SdkFold:
    """Takes in the SDK's objects with `take`: chunks of a stream, or the one completion of a reply in one piece."""

    marks: Marks = field(default_factory=Marks)
    content: str = ""
    reasoning: str = ""
    reasoning_field: str | None = None
    calls: dict[int, _Call] = field(default_factory=dict)
    finish_reason: str | None = None
    usage: Usage | None = None
    timings: dict[str, float] | None = None
    model: str | None = None
    id: str | None = None
    error: str | None = None

    def take(self, event: Any, at: int) -> None:
        """One object that the SDK yielded at `at`."""
        if self.marks.first_event is None:
            self.marks.first_event = at
        choices = part(event, "choices")
        value = plain(event) if choices is None else None
        if isinstance(value, dict):
            self.error = self.error or error_of(value)
        self.model = self.model or _text(part(event, "model"))
        self.id = self.id or _text(part(event, "id"))
        count = self._count(event)
        for choice in choices if isinstance(choices, list) else ():
            if not part(choice, "index"):
                self._choice(choice, at, count)

    def reply(self) -> Reply:
        """What was said. `done` and `defects` stay empty: the SDK tells neither."""
        told = self.usage and credible(self.usage, spoken=bool(self.content or self.reasoning or self.calls))
        usage = told or (usage_of_timings(self.timings) if self.timings else None)
        return Reply(
            content=_written(self.content),
            reasoning=_written(self.reasoning),
            reasoning_field=self.reasoning_field,
            tool_calls=tuple(
                CallReply(_written(call.id), _written(call.name), _written(call.arguments) or "", index)
                for index, call in sorted(self.calls.items())
            ),
            finish_reason=self.finish_reason,
            usage=None if self.error else usage,
            server_timings=self.timings,
            error=self.error,
            model=self.model,
            id=self.id,
        )

    def _count(self, event: Any) -> int | None:
        """The tokens so far, if this event tells them."""
        timings, usage = part(event, "timings"), part(event, "usage")
        if isinstance(timings, dict):
            self.timings = timings_of(timings)
        self.usage = _usage(usage) or self.usage
        told = count_of(part(usage, "completion_tokens"))
        return count_of(part(timings, "predicted_n")) if told is None else told

    def _choice(self, choice: Any, at: int, count: int | None) -> None:
        said = part(choice, "delta") or part(choice, "message")
        visible = any((self._content(said, at), self._reasoning(said, at), self._calls(said, at)))
        finish, ids = _text(part(choice, "finish_reason")), part(choice, "token_ids")
        if finish:
            self.finish_reason, self.marks.finish_at = finish, at
        self.marks.frame(at, visible, len(ids) if isinstance(ids, list) else 0, count, bool(finish))

    def _content(self, said: Any, at: int) -> bool:
        text = _text(part(said, "content")) or ""
        self.content += text
        if text and self.marks.first_content is None:
            self.marks.first_content = at
        return bool(text)

    def _reasoning(self, said: Any, at: int) -> bool:
        for name in ("reasoning_content", "reasoning"):
            text = _text(part(said, name))
            if text:
                self.reasoning += text
                self.reasoning_field = self.reasoning_field or name
                if self.marks.first_reasoning is None:
                    self.marks.first_reasoning = at
                return True
        return False

    def _calls(self, said: Any, at: int) -> bool:
        entries = part(said, "tool_calls")
        if not isinstance(entries, list):
            return False
        return any([self._entry(entry, at) for entry in entries if part(entry, "function") or part(entry, "id")])

    def _entry(self, entry: Any, at: int) -> bool:
        """One delta of a call; the entries of a whole message have no index, each is a call of its own."""
        index = count_of(part(entry, "index"))
        call = self.calls.setdefault(len(self.calls) if index is None else index, _Call())
        name, given = _text(part(entry, "function", "name")), part(entry, "function", "arguments")
        arguments = given if isinstance(given, str) or not given else as_json(plain(given))
        new = bool(name) and call.name is None
        call.id, call.name = call.id or _text(part(entry, "id")), call.name or name
        call.arguments += arguments or ""
        self._mark_call(at, new, bool(arguments))
        return new or bool(arguments)

    def _mark_call(self, at: int, named: bool, argued: bool) -> None:
        marks = self.marks
        if named and marks.first_name is None:
            marks.first_name = at
        if argued:
            marks.first_argument = at if marks.first_argument is None else marks.first_argument
            marks.last_argument = at


def part(value: Any, *names: str) -> Any:
    """A value inside an SDK object, typed or not; None where there is none."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else getattr(value, name, None)
    return value


def plain(event: Any) -> Any:
    """An SDK object as the JSON value that it was made from, without what the SDK added."""
    dump = getattr(event, "model_dump", None)
    return event if dump is None else dump(exclude_unset=True, warnings=False)


def _usage(usage: Any) -> Usage | None:
    prompt, completion = (count_of(part(usage, name)) for name in ("prompt_tokens", "completion_tokens"))
    if prompt is None and completion is None:
        return None
    reasoning = count_of(part(usage, "completion_tokens_details", "reasoning_tokens"))
    if reasoning is None:
        reasoning = count_of(part(usage, "reasoning_tokens"))
    return Usage(prompt, completion, count_of(part(usage, "prompt_tokens_details", "cached_tokens")), reasoning)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _written(text: str | None) -> str | None:
    """The text as it can be written to a file; None for none."""
    return readable(text, Defects()) if text else None
