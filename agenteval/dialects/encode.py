"""View → request body. What the model wrote goes back as it was written, or repaired where a server would refuse
the whole request, and then the repair is told.

Rules. Arguments are sent verbatim when they are a JSON object; otherwise `{}` stands in their place (SGLang answers
400 and llama.cpp 500 to a history with anything else). Reasoning goes back in the field that the server reads: none
under `off`, that of the newest user turn under `on` (the templates drop the rest), all of it under `preserved`; of a
family that always thinks that of the newest turn, which is the open tool loop.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agenteval.canonical import JsonProblem, parse_json
from agenteval.dialects.dialect import ALWAYS_THINKING, Dialect
from agenteval.messages import Message, ToolCall, ToolSpec, Transcript, last_user_index, tool_object
from agenteval.outcome import Repair
from agenteval.thinking import Thinking


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One model request before it is spelled for a server. `extra` goes into the body as it is, last; `family`: the
    model's native format, which decides how thinking is asked for (None: unknown)."""

    model: str
    messages: Transcript
    tools: tuple[ToolSpec, ...]
    thinking: Thinking
    max_tokens: int
    temperature: float | None
    seed: int
    stream: bool = True
    extra: Mapping[str, Any] = field(default_factory=dict)
    family: str | None = None


@dataclass(frozen=True, slots=True)
class EncodedRequest:
    body: Mapping[str, Any]
    repairs: tuple[Repair, ...]


def encode(request: ChatRequest, dialect: Dialect) -> EncodedRequest:
    """The body of `POST /v1/chat/completions` in a dialect, and what had to be repaired in the history."""
    repairs: list[Repair] = []
    body: dict[str, Any] = {
        "model": request.model,
        "messages": _encode_messages(request, dialect, repairs),
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
    return EncodedRequest(_merged(body, request.extra), tuple(repairs))


def _merged(body: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """`extra` over `body`; objects are merged one level deep, so that template arguments can be added to."""
    for key, value in extra.items():
        old = body.get(key)
        body[key] = {**old, **value} if isinstance(old, dict) and isinstance(value, dict) else value
    return body


def _encode_messages(request: ChatRequest, dialect: Dialect, repairs: list[Repair]) -> list[dict[str, Any]]:
    reasoning_from = _reasoning_from(request)
    return [
        _encode_message(message, dialect, keep_reasoning=index >= reasoning_from, repairs=repairs)
        for index, message in enumerate(request.messages)
    ]


def _reasoning_from(request: ChatRequest) -> int:
    """Index of the first message whose reasoning is sent back."""
    if request.thinking == "off":
        return len(request.messages)
    preserved = request.thinking == "preserved" and request.family not in ALWAYS_THINKING
    return 0 if preserved else last_user_index(request.messages)


def _encode_message(
    message: Message, dialect: Dialect, *, keep_reasoning: bool, repairs: list[Repair]
) -> dict[str, Any]:
    if message.role == "tool":
        return {"role": "tool", "tool_call_id": message.tool_call_id, "content": message.content or ""}
    if message.role != "assistant":
        return {"role": message.role, "content": message.content or ""}
    encoded: dict[str, Any] = {"role": "assistant", "content": message.content or ""}
    if keep_reasoning and message.reasoning:
        encoded[dialect.reasoning_in] = message.reasoning
    if message.tool_calls:
        encoded["content"] = message.content or dialect.empty_content
        encoded["tool_calls"] = [_encode_call(call, repairs) for call in message.tool_calls]
    return encoded


def _encode_call(call: ToolCall, repairs: list[Repair]) -> dict[str, Any]:
    return {
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": _sendable_arguments(call, repairs)},
    }


def _sendable_arguments(call: ToolCall, repairs: list[Repair]) -> str:
    try:
        value = parse_json(call.arguments_text)
    except JsonProblem as problem:
        repairs.append(Repair(call.id, f"arguments are not JSON: {problem}", "{}"))
        return "{}"
    if not isinstance(value, dict):
        repairs.append(Repair(call.id, "arguments are JSON but no object", "{}"))
        return "{}"
    return call.arguments_text
