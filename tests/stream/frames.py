"""Frames as servers write them, for tests that need streams of their own."""

from __future__ import annotations

import json
from typing import Any


def event(value: Any) -> bytes:
    """Any JSON value as one event."""
    return b"data: " + json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n\n"


def frame(delta: Any = None, finish: Any = None, **extra: Any) -> bytes:
    """A chat completion chunk with one choice; `extra` goes beside the choices, `token_ids` into the choice."""
    choice: dict[str, Any] = {"index": 0, "delta": delta or {}, "finish_reason": finish}
    if "token_ids" in extra:
        choice["token_ids"] = extra.pop("token_ids")
    return event({"id": "c", "object": "chat.completion.chunk", "model": "m", "choices": [choice], **extra})


def call(index: Any = 0, arguments: Any = None, name: Any = None, id: Any = None) -> dict[str, Any]:
    """A delta with one tool call entry; what is None is left out."""
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    entry = {"index": index, "id": id, "function": function}
    return {"tool_calls": [{key: value for key, value in entry.items() if value is not None}]}


def counted(completion: int, prompt: int = 10) -> dict[str, Any]:
    """A usage object."""
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


ROLE = frame({"role": "assistant", "content": ""})
DONE = b"data: [DONE]\n\n"


def final(completion: int) -> bytes:
    """The usage frame with empty choices."""
    return event({"choices": [], "usage": counted(completion)})
