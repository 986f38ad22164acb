"""View → request body: how a server spells what `history` says it gets. Reasoning goes back in the field that the
server reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from agenteval.canonical import ListHash
from agenteval.dialects.dialect import Dialect
from agenteval.dialects.history import SentHistory
from agenteval.growing import Grown
from agenteval.messages import Message, ToolCall, ToolSpec, tool_object
from agenteval.outcome import Repair
from agenteval.thinking import Thinking
from agenteval.wire import Body, request_bytes


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One model request before it is spelled for a server. `history`: what is sent of the messages; `extra` goes into
    the body as it is, last; `family`: the model's native format, which decides how thinking is asked for (None:
    unknown); `raw_text`: whether what the model wrote is asked for, too."""

    model: str
    history: SentHistory
    tools: tuple[ToolSpec, ...]
    thinking: Thinking
    max_tokens: int
    temperature: float | None
    seed: int
    stream: bool = True
    extra: Mapping[str, Any] = field(default_factory=dict)
    family: str | None = None
    raw_text: bool = False


@dataclass(frozen=True, slots=True)
class EncodedRequest:
    """A body, the hash of its messages, and what had to be repaired in them."""

    body: Body
    view_hash: str
    repairs: tuple[Repair, ...]


class Encoder:
    """Encodes the requests of one conversation in a dialect; messages that were sent before are not encoded again."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._messages: Grown[Message, dict[str, Any]] = Grown()
        self._spelled = bytearray(b"[")
        self._ends: list[int] = []
        self._hash = ListHash()

    def encode(self, request: ChatRequest) -> EncodedRequest:
        """The body of `POST /v1/chat/completions`."""
        sent = request.history.messages
        encoded = self._messages.grow(sent, lambda number: _encode_message(sent[number], self._dialect))
        own = list(encoded)
        fields = _fields(request, own, self._dialect)
        self._spell(encoded, self._messages.kept)
        raw = msgspec.Raw(self._spelled) if fields["messages"] is own else fields["messages"]
        body = Body(fields, request_bytes({**fields, "messages": raw}))
        return EncodedRequest(body, self._hash.of(encoded, self._messages.kept), request.history.repairs)

    def _spell(self, messages: list[dict[str, Any]], kept: int) -> None:
        """Make the spelled list that of these messages, of which so many are those of the last time."""
        del self._ends[kept:]
        del self._spelled[self._ends[-1] if self._ends else 1 :]
        for message in messages[kept:]:
            self._spelled += b"," if self._ends else b""
            self._spelled += msgspec.json.encode(message)
            self._ends.append(len(self._spelled))
        self._spelled += b"]"


def encode(request: ChatRequest, dialect: Dialect) -> EncodedRequest:
    """One request for itself."""
    return Encoder(dialect).encode(request)


def _fields(request: ChatRequest, messages: list[dict[str, Any]], dialect: Dialect) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": request.model,
        "messages": messages,
        "max_tokens": request.max_tokens,
        "seed": request.seed,
    }
    if request.tools:
        body["tools"] = [tool_object(tool) for tool in request.tools]
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if request.stream:
        body["stream"] = True
        body.update(dialect.running_counts)
    body.update(dialect.thinking_body(request.thinking, request.family))
    if request.raw_text:
        body.update(dialect.raw_text)
    return _merged(body, request.extra)


def _merged(body: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """`extra` over `body`; objects are merged one level deep, so that template arguments can be added to."""
    for key, value in extra.items():
        old = body.get(key)
        body[key] = {**old, **value} if isinstance(old, dict) and isinstance(value, dict) else value
    return body


def _encode_message(message: Message, dialect: Dialect) -> dict[str, Any]:
    if message.role == "tool":
        return {"role": "tool", "tool_call_id": message.tool_call_id, "content": message.content or ""}
    if message.role != "assistant":
        return {"role": message.role, "content": message.content or ""}
    encoded: dict[str, Any] = {"role": "assistant", "content": message.content or ""}
    if message.reasoning:
        encoded[dialect.reasoning_in] = message.reasoning
    if message.tool_calls:
        encoded["content"] = message.content or dialect.empty_content
        encoded["tool_calls"] = [_encode_call(call) for call in message.tool_calls]
    return encoded


def _encode_call(call: ToolCall) -> dict[str, Any]:
    return {
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments_text},
    }
