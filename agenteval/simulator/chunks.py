"""The JSON of replies, in SGLang's spelling: chunks of a stream, whole replies, errors.

Seen in `fixtures/streams/sglang/`: a role-only chunk first; reasoning in `reasoning_content`; a call's name in a chunk
of its own with empty arguments, then arguments with a null id and name; a finish chunk; usage in a chunk without
choices. Differs from it: with running usage a step whose tokens all stay hidden sends an empty delta (as vLLM does),
so that a client can count truly.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from agenteval.canonical import short_hash
from agenteval.parsers import CallDelta, ContentDelta, Delta, ReasoningDelta, fold

DONE = b"data: [DONE]\n\n"

_WRITER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))

EPOCH = 1_767_225_600
"""`created` of the first simulated second: replies must not depend on the day on which they were made."""

Json = dict[str, Any]
Tokens = Sequence[bytes] | None
"""The bytes of tokens whose logprobs are told; None: they were not asked for."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts of one reply, or of what has been generated of it so far."""

    prompt: int
    completion: int
    cached: int
    reasoning: int

    def as_json(self) -> Json:
        return {
            "prompt_tokens": self.prompt,
            "total_tokens": self.prompt + self.completion,
            "completion_tokens": self.completion,
            "prompt_tokens_details": {"cached_tokens": self.cached},
            "reasoning_tokens": self.reasoning,
            "completion_tokens_details": {"reasoning_tokens": self.reasoning},
        }


@dataclass(frozen=True, slots=True)
class Ending:
    """How a reply ended: `matched_stop` is the id of the stop token, None when it was cut."""

    finish_reason: str
    matched_stop: int | None


@dataclass(frozen=True, slots=True)
class Speaker:
    """Writes one reply, in chunks or whole."""

    id: str
    created: int
    model: str

    def role(self) -> bytes:
        return self._chunk({"reasoning_content": None, "role": "assistant", "content": ""})

    def delta(self, delta: Delta | None, usage: Usage | None, tokens: Tokens = None) -> bytes:
        """One delta (None: nothing visible), with running usage and the tokens that it tells of, if there are any."""
        return self._chunk({} if delta is None else self._delta(delta), usage=usage, tokens=tokens)

    def finish(self, ending: Ending, tokens: Tokens = None) -> bytes:
        return self._chunk({"reasoning_content": None}, ending, tokens=tokens)

    def usage(self, usage: Usage) -> bytes:
        return event({**self._head("chat.completion.chunk"), "choices": [], "usage": usage.as_json()})

    def whole(self, deltas: Iterable[Delta], ending: Ending, usage: Usage, tokens: Tokens = None) -> bytes:
        """The reply as one JSON body, for a request without `stream`."""
        choice = {"index": 0, "message": self._message(deltas), "logprobs": _logprobs(tokens), **_ended(ending)}
        reply = {**self._head("chat.completion"), "choices": [choice], "usage": usage.as_json()}
        return json.dumps(reply, ensure_ascii=False).encode()

    def _head(self, kind: str) -> Json:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}

    def _chunk(
        self, delta: Json, ending: Ending | None = None, usage: Usage | None = None, tokens: Tokens = None
    ) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": _logprobs(tokens), **_ended(ending)}
        chunk = {**self._head("chat.completion.chunk"), "choices": [choice]}
        if usage is not None:
            chunk["usage"] = usage.as_json()
        return event(chunk)

    def _delta(self, delta: Delta) -> Json:
        match delta:
            case ReasoningDelta(text=text):
                return {"reasoning_content": text}
            case ContentDelta(text=text):
                return {"role": None, "content": text, "reasoning_content": None}
            case CallDelta():
                call = self._call(delta)
                return {"role": None, "content": None, "reasoning_content": None, "tool_calls": [call]}

    def _call(self, delta: CallDelta) -> Json:
        return {
            "id": None if delta.name is None else self._call_id(delta.index),
            "index": delta.index,
            "type": "function",
            "function": {"name": delta.name, "arguments": delta.arguments},
        }

    def _call_id(self, index: int) -> str:
        return f"call_{short_hash([self.id, index], 24)}"

    def _message(self, deltas: Iterable[Delta]) -> Json:
        said = fold(deltas)
        calls = [self._call(CallDelta(at, call.name, call.arguments_text)) for at, call in enumerate(said.calls)]
        return {
            "role": "assistant",
            "content": said.content or None,
            "reasoning_content": said.reasoning or None,
            "tool_calls": calls or None,
        }


def event(value: Json) -> bytes:
    """A JSON value as one server-sent event."""
    return b"data: " + _WRITER.encode(value).encode() + b"\n\n"


def _logprobs(tokens: Tokens) -> Json | None:
    """The model is scripted and knows no probabilities: each token is told as certain."""
    if tokens is None:
        return None
    said = [
        {"token": piece.decode("utf-8", "replace"), "bytes": list(piece), "logprob": 0.0, "top_logprobs": []}
        for piece in tokens
    ]
    return {"content": said}


def _ended(ending: Ending | None) -> Json:
    if ending is None:
        return {"finish_reason": None, "matched_stop": None}
    return {"finish_reason": ending.finish_reason, "matched_stop": ending.matched_stop}
