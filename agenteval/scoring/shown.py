"""What a model was shown: the text that it could take a value from."""

from __future__ import annotations

import json
from collections.abc import Sequence

from agenteval.messages import ToolSpec, Transcript


def shown_text(messages: Transcript, tools: Sequence[ToolSpec]) -> str:
    """All that stands in a prompt: messages with reasoning and calls, and the tools with their schemas."""
    parts: list[str] = []
    for message in messages:
        parts += (message.content or "", message.reasoning or "")
        parts += (f"{call.name} {call.arguments_text}" for call in message.tool_calls)
    parts += (
        f"{tool.name} {tool.description} {json.dumps(tool.parameters, ensure_ascii=False, default=str)}"
        for tool in tools
    )
    return "\n".join(parts)


def told_text(messages: Transcript) -> str:
    """What others said to the model: system, users, tools. What it said itself is no excuse for saying it again."""
    return "\n".join(message.content or "" for message in messages if message.role != "assistant")


def stands(value: str, text: str) -> bool:
    """Whether a value stands in a text, as it is or as it is written inside JSON."""
    return value in text or json.dumps(value, ensure_ascii=False)[1:-1] in text
