"""What a model was shown: the text that it could take a value from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import chain

from agenteval.messages import Message, ToolSpec, Transcript, last_user_index


def shown_text(messages: Transcript, tools: Sequence[ToolSpec]) -> str:
    """All that stands in a prompt: messages with reasoning and calls, and the tools with their schemas."""
    return "\n".join(chain(chain.from_iterable(map(message_texts, messages)), map(tool_text, tools)))


def message_texts(message: Message) -> tuple[str, ...]:
    """What of a message stands in a prompt."""
    calls = (f"{call.name} {call.arguments_text}" for call in message.tool_calls)
    return (message.content or "", message.reasoning or "", *calls)


def tool_text(tool: ToolSpec) -> str:
    """What of a tool stands in a prompt."""
    return f"{tool.name} {tool.description} {json.dumps(tool.parameters, ensure_ascii=False, default=str)}"


def told_text(messages: Transcript) -> str:
    """What others said to the model: system, users, tools. What it said itself is no excuse for saying it again."""
    return "\n".join(message.content or "" for message in messages if message.role != "assistant")


def said_text(messages: Transcript) -> str:
    """What others said to the model, and what it said itself in earlier turns."""
    now = last_user_index(messages)
    return "\n".join(m.content or "" for at, m in enumerate(messages) if m.role != "assistant" or at < now)


def stands(value: str, text: str) -> bool:
    """Whether a value stands in a text, as it is or as it is written inside JSON."""
    return value in text or json.dumps(value, ensure_ascii=False)[1:-1] in text
