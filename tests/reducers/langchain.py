"""LangChain's `trim_messages`, by its defaults and as its documentation advises for chat models with tools."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import convert_to_messages, trim_messages
from langchain_core.messages.utils import count_tokens_approximately

Messages = list[dict[str, Any]]
TOKENS = 300


def by_default(messages: Messages) -> Messages:
    return _trimmed(messages)


def as_advised(messages: Messages) -> Messages:
    return _trimmed(messages, start_on="human", end_on=("human", "tool"), include_system=True)


def _trimmed(messages: Messages, **options: Any) -> Messages:
    """Its messages are told apart by their ids, so that ours come back as they were: what changes is its doing."""
    given = convert_to_messages(messages)
    for at, message in enumerate(given):
        message.id = str(at)
    kept = trim_messages(given, max_tokens=TOKENS, token_counter=count_tokens_approximately, **options)
    return [messages[int(message.id)] for message in kept]
