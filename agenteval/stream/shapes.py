"""The shapes in which servers write errors and token counts. Anything else reads as None; nothing raises."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite
from typing import Any

from agenteval.stream.reply import Defects, Usage

MAX_ERROR_TEXT = 2000
_MESSAGE_KEYS = ("message", "msg", "error_msg", "detail", "error", "errors", "reason", "type", "code")


def error_text(value: Any) -> str:
    """The message in an error of any shape: text, object, nested object, list; at worst its JSON."""
    message = _message(value, depth=4)
    return (message or _nonempty_json(value) or "an error without a text")[:MAX_ERROR_TEXT]


def _message(value: Any, depth: int) -> str | None:
    if isinstance(value, str):
        return value.strip() or None
    if depth and isinstance(value, Mapping):
        found = (_message(value.get(key), depth - 1) for key in _MESSAGE_KEYS)
        return next((text for text in found if text), None)
    if depth and isinstance(value, list):
        return "; ".join(text for item in value[:8] if (text := _message(item, depth - 1))) or None
    return None


def _nonempty_json(value: Any) -> str | None:
    return None if value in (None, "", [], {}) else as_json(value)


def as_json(value: Any) -> str:
    """The value as JSON text in the order of its keys; `null` when it is nested too deeply to be written."""
    try:
        return json.dumps(value, ensure_ascii=False)
    except (ValueError, RecursionError):
        return "null"


def error_of(event: Mapping[str, Any]) -> str | None:
    """The error that an event (or a body) reports, None if it reports none.

    Seen: `{"error": {…}}`, `{"error": "text"}`, `{"error": {"error": …}}`, `{"object": "error", "message":
    …}`, `{"detail": …}`, `{"message": …}`; of gateways `{"msg": …}`, `{"error_msg": …}`. A null, false or (beside
    choices) empty `error` is none.
    """
    error = event.get("error")
    has_choices = "choices" in event
    if error is not None and error is not False and (error or not has_choices):
        return error_text(error)
    if event.get("object") == "error" or event.get("type") == "error":
        return error_text(event)
    said = () if has_choices else (event.get(key) for key in ("detail", "message", "msg", "error_msg"))
    return next((error_text(text) for text in said if text), None)


MOST_TOKENS = 10_000_000
"""More than any context holds."""


def count_of(value: Any) -> int | None:
    """A token count: an integer from 0 to ten million; anything else is not known."""
    return value if type(value) is int and 0 <= value <= MOST_TOKENS else None


class UsageTally:
    """The latest known value of each count, over all usage objects of a stream. What is no count, or contradicts the
    others, is unknown and becomes a defect; null and absent are just unknown."""

    __slots__ = ("_cached", "_completion", "_defects", "_prompt", "_reasoning")

    def __init__(self, defects: Defects) -> None:
        self._defects = defects
        self._prompt: int | None = None
        self._completion: int | None = None
        self._cached: int | None = None
        self._reasoning: int | None = None

    def read(self, usage: Mapping[str, Any]) -> int | None:
        """Take in a usage object; its completion tokens."""
        completion = self._count(usage, "completion_tokens")
        self._completion = _latest(completion, self._completion)
        self._prompt = _latest(self._count(usage, "prompt_tokens"), self._prompt)
        self._cached = _latest(self._count(usage.get("prompt_tokens_details"), "cached_tokens"), self._cached)
        reasoning = self._count(usage.get("completion_tokens_details"), "reasoning_tokens")
        self._reasoning = _latest(_latest(reasoning, self._count(usage, "reasoning_tokens")), self._reasoning)
        return completion

    def usage(self, timings: Mapping[str, float] | None, *, spoken: bool) -> Usage | None:
        """The counts; if no usage object told any, those in llama.cpp's timings; None if there are none. `spoken`:
        whether the reply says anything."""
        if self._prompt is None and self._completion is None:
            return usage_of_timings(timings) if timings else None
        told = Usage(self._prompt, self._completion, self._cached, self._reasoning)
        usage = credible(told, spoken=spoken)
        if usage != told:
            self._defects.add("bad_usage", f"the counts contradict each other or the reply: {_counts(told)}")
        return usage

    def _count(self, counts: Any, name: str) -> int | None:
        value = counts.get(name) if isinstance(counts, dict) else None
        count = count_of(value)
        if count is None and value is not None:
            self._defects.add("bad_usage", f"{name} is {as_json(value)[:40]}")
        return count


def credible(usage: Usage, *, spoken: bool) -> Usage:
    """The counts that can be true together: no prompt and no reply that says something has 0 tokens, no part is larger
    than its whole. What cannot is unknown."""
    prompt = usage.prompt or None
    completion = None if usage.completion == 0 and spoken else usage.completion
    return Usage(prompt, completion, _part(usage.cached, prompt), _part(usage.reasoning, completion))


def _part(part: int | None, whole: int | None) -> int | None:
    return None if part is not None and whole is not None and part > whole else part


def _counts(usage: Usage) -> str:
    counts = ((name, getattr(usage, name)) for name in Usage.__slots__)
    return ", ".join(f"{name} {value}" for name, value in counts if value is not None)


def _latest(new: int | None, old: int | None) -> int | None:
    return old if new is None else new


def timings_of(value: Mapping[str, Any]) -> dict[str, float]:
    """The finite numbers of llama.cpp's `timings`."""
    return {name: x for name, x in value.items() if type(x) in (int, float) and isfinite(x) and name.isascii()}


def usage_of_timings(timings: Mapping[str, float]) -> Usage | None:
    """llama.cpp without `include_usage`: the prompt is what it had cached and what it processed."""
    cached, processed = count_of(timings.get("cache_n")), count_of(timings.get("prompt_n"))
    prompt = None if cached is None or processed is None else cached + processed
    completion = count_of(timings.get("predicted_n"))
    return None if prompt is None and completion is None else Usage(prompt, completion, cached)
