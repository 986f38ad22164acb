"""What is said in a conversation: messages, tool calls, tool specs. Values that know nothing of wire or storage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Role = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call as the model wrote it: `arguments_text` is kept verbatim, JSON or not."""

    id: str
    name: str
    arguments_text: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `tool_call_id` names the call that a `tool` message answers; `failed`: whoever carried it out knows
    that it failed (never sent: a server sees the text)."""

    role: Role
    content: str | None = None
    reasoning: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    failed: bool = False


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as it is offered to the model; `parameters` is a JSON Schema. `read_only`: a call changes nothing and may
    be made again, as MCP's readOnlyHint says it (never sent); None: not known."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    read_only: bool | None = None

    @property
    def narrows(self) -> bool:
        """Whether it is known to be read-only and has an argument that may be left out, such as a range or a limit."""
        properties, required = self.parameters.get("properties"), self.parameters.get("required", ())
        if not self.read_only or not isinstance(properties, Mapping):
            return False
        return not isinstance(required, list | tuple) or any(name not in required for name in properties)


def tool_object(tool: ToolSpec) -> dict[str, Any]:
    """A tool as clients send it and chat templates print it."""
    return {
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)},
    }


Transcript: TypeAlias = tuple[Message, ...]
"""The append-only history of a cell."""


def last_user_index(messages: Sequence[Message]) -> int:
    """Index of the last user message, -1 if there is none."""
    for index in range(len(messages) - 1, -1, -1):
        if messages[index].role == "user":
            return index
    return -1


def last_answer_index(messages: Sequence[Message]) -> int:
    """Index of the last assistant message in words and without calls, -1 if there is none."""
    return next((at for at in range(len(messages) - 1, -1, -1) if _answers(messages[at])), -1)


def _answers(message: Message) -> bool:
    return message.role == "assistant" and bool(message.content) and not message.tool_calls
