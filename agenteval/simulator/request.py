"""A request body as a server reads it: hostile JSON in, a typed request out, or the HTTP error to answer with.

As strict as SGLang where that matters to a client: arguments in the history must be a JSON object, roles must be
known, types right, text valid Unicode. Fields that it does not know are ignored. Reasoning is read from
`reasoning_content` only; under another name it is lost, as with the servers that GLM's template serves. Logprobs
are told without probabilities.
Not covered: images, `n` above 1, `stop` strings, grammars, a forced `tool_choice` (read as `auto`), and
`reasoning_effort` (ignored: prompts of gpt-oss always say medium).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agenteval.canonical import JsonProblem, parse_json
from agenteval.errors import AgentevalError
from agenteval.messages import Message, Role, ToolCall, ToolSpec, Transcript

ROLES: Mapping[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
}

KINDS: Mapping[str, tuple[type, ...]] = {
    "a string": (str,),
    "an object": (dict,),
    "a list": (list,),
    "true or false": (bool,),
    "an integer": (int,),
    "a number": (int, float),
}

PLAIN_FIELDS: Mapping[str, str] = {
    "model": "a string",
    "tools": "a list",
    "stream": "true or false",
    "stream_options": "an object",
    "chat_template_kwargs": "an object",
    "max_tokens": "an integer",
    "max_completion_tokens": "an integer",
    "seed": "an integer",
    "temperature": "a number",
    "top_p": "a number",
    "n": "an integer",
    "ignore_eos": "true or false",
    "cache_salt": "a string",
    "logprobs": "true or false",
}

RANGES: Mapping[str, tuple[float, float]] = {
    "max_tokens": (1, float("inf")),
    "max_completion_tokens": (1, float("inf")),
    "temperature": (0, float("inf")),
    "top_p": (0, 1),
    "n": (1, 1),
}


class Refusal(AgentevalError):
    """The endpoint answers with an HTTP error; `param` names the field at fault."""

    def __init__(self, status: int, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.param = param


@dataclass(frozen=True, slots=True)
class Received:
    """A valid request. `counted`: the stream ends with usage; `running`: every engine step carries usage; `salt`:
    requests with different salts share nothing in the prefix cache."""

    model: str | None
    messages: Transcript
    tools: tuple[ToolSpec, ...]
    may_call: bool
    thinking: bool
    keep_reasoning: bool
    max_tokens: int | None
    seed: int | None
    stream: bool
    counted: bool
    running: bool
    ignore_eos: bool
    logprobs: bool
    salt: str = ""


def read_body(body: bytes) -> dict[str, Any]:
    """The JSON object in a request's bytes. Raises Refusal."""
    try:
        value = parse_json(body.decode("utf-8"))
    except ValueError as problem:  # no UTF-8, no JSON
        raise Refusal(400, f"the body is not JSON: {problem}") from problem
    members: dict[str, Any] = _kind(value, "an object", "the body")
    return members


def read_request(body: Mapping[str, Any]) -> Received:
    """The request in a body. Raises Refusal (400) that names the field and what was expected there."""
    for name, kind in PLAIN_FIELDS.items():
        _field(body, name, kind)
    _check_ranges(body)
    template = body.get("chat_template_kwargs") or {}
    options = body.get("stream_options") or {}
    return Received(
        model=body.get("model"),
        messages=_messages(body),
        tools=tuple(_tool(tool, f"tools[{at}]") for at, tool in enumerate(body.get("tools") or ())),
        may_call=_may_call(body.get("tool_choice")),
        thinking=bool(template.get("enable_thinking", True)),
        keep_reasoning=not template.get("clear_thinking", True),
        max_tokens=body.get("max_completion_tokens") or body.get("max_tokens"),
        seed=body.get("seed"),
        stream=bool(body.get("stream")),
        counted=bool(options.get("include_usage")),
        running=bool(options.get("continuous_usage_stats")),
        ignore_eos=bool(body.get("ignore_eos")),
        salt=body.get("cache_salt") or "",
        logprobs=bool(body.get("logprobs")),
    )


def _kind(value: Any, kind: str, path: str) -> Any:
    wanted = KINDS[kind]
    if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
        raise Refusal(400, f"{path} must be {kind}", path)
    return value


def _field(owner: Mapping[str, Any], key: str, kind: str, path: str = "") -> Any:
    """An optional field: None if it is absent or null."""
    value = owner.get(key)
    return None if value is None else _kind(value, kind, f"{path}{key}")


def _required(owner: Mapping[str, Any], key: str, kind: str, path: str) -> Any:
    return _kind(owner.get(key), kind, f"{path}{key}")


def _check_ranges(body: Mapping[str, Any]) -> None:
    for name, (low, high) in RANGES.items():
        value = body.get(name)
        if value is not None and not low <= value <= high:
            wanted = f"at least {low:g}" if high == float("inf") else f"from {low:g} to {high:g}"
            raise Refusal(400, f"{name} must be {wanted}, not {value}", name)


def _may_call(choice: Any) -> bool:
    if not (choice is None or choice in ("auto", "none", "required") or isinstance(choice, dict)):
        raise Refusal(400, "tool_choice must be auto, none, required or an object", "tool_choice")
    return bool(choice != "none")


def _messages(body: Mapping[str, Any]) -> Transcript:
    messages = _required(body, "messages", "a list", "")
    if not messages:
        raise Refusal(400, "messages must not be empty", "messages")
    return tuple(_message(message, f"messages[{at}]") for at, message in enumerate(messages))


def _message(value: Any, path: str) -> Message:
    _kind(value, "an object", path)
    role = ROLES.get(_required(value, "role", "a string", f"{path}."))
    if role is None:
        raise Refusal(400, f"{path}.role must be one of {', '.join(ROLES)}", f"{path}.role")
    if role == "user" and value.get("content") is None:
        raise Refusal(400, f"{path}.content must be a string or a list of parts", f"{path}.content")
    assistant = role == "assistant"
    return Message(
        role=role,
        content=_content(value.get("content"), f"{path}.content"),
        reasoning=_field(value, "reasoning_content", "a string", f"{path}.") if assistant else None,
        tool_calls=_calls(value, f"{path}.") if assistant else (),
        tool_call_id=_field(value, "tool_call_id", "a string", f"{path}.") if role == "tool" else None,
    )


def _content(value: Any, path: str) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if not isinstance(value, list):
        raise Refusal(400, f"{path} must be a string or a list of parts", path)
    return "".join(_part(part, f"{path}[{at}]") for at, part in enumerate(value))


def _part(value: Any, path: str) -> str:
    _kind(value, "an object", path)
    if value.get("type") != "text":
        raise Refusal(400, f"{path}.type must be text: this model reads nothing else", f"{path}.type")
    text: str = _required(value, "text", "a string", f"{path}.")
    return text


def _calls(message: Mapping[str, Any], path: str) -> tuple[ToolCall, ...]:
    calls = _field(message, "tool_calls", "a list", path) or []
    return tuple(_call(call, f"{path}tool_calls[{at}].") for at, call in enumerate(calls))


def _call(value: Any, path: str) -> ToolCall:
    _kind(value, "an object", path.rstrip("."))
    function = _required(value, "function", "an object", path)
    return ToolCall(
        id=_field(value, "id", "a string", path) or "",
        name=_required(function, "name", "a string", f"{path}function."),
        arguments_text=_arguments(function.get("arguments"), f"{path}function.arguments"),
    )


def _arguments(value: Any, path: str) -> str:
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    text: str = _kind(value, "a string", path)
    try:
        arguments = parse_json(text)
    except JsonProblem as problem:
        raise Refusal(400, f"{path} must be a JSON object: {problem}", path) from problem
    if not isinstance(arguments, dict):
        raise Refusal(400, f"{path} must be a JSON object, not {text[:40]}", path)
    return text


def _tool(value: Any, path: str) -> ToolSpec:
    _kind(value, "an object", path)
    if value.get("type", "function") != "function":
        raise Refusal(400, f"{path}.type must be function", f"{path}.type")
    function: Mapping[str, Any] = _required(value, "function", "an object", f"{path}.")
    at = f"{path}.function."
    return ToolSpec(
        name=_required(function, "name", "a string", at),
        description=_field(function, "description", "a string", at) or "",
        parameters=_field(function, "parameters", "an object", at) or {},
    )
