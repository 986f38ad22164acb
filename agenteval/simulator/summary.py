"""The scripted model's summaries: made of the prompt that it received and of nothing else; the oldest entries go first.

It keeps the beginning of every message and loses the rest, as a careless summariser does. What a note behind a user's
message lists, the last summary for one, it takes over line by line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from agenteval.context import without_note
from agenteval.messages import Transcript, last_user_index
from agenteval.simulator.request import Received

_WANTED = re.compile(r"\b(?:summary|summarise|summarize)\b", re.IGNORECASE)
_ORDER = re.compile(r"\bat most (\d{1,5}) words\b", re.IGNORECASE)
SHOWN, WORDS = 160, 200
"""Characters of a message that are kept; words of a summary where no number is asked for."""


def asks_for_summary(messages: Transcript) -> bool:
    """Whether the last word is a user's who begins with the wish for a summary."""
    if not messages or messages[-1].role != "user":
        return False
    return _WANTED.search((messages[-1].content or "")[:200]) is not None


def summary_of(received: Received) -> str:
    """Lines of what was asked, used, given and said, at most as many words as were allowed."""
    at = last_user_index(received.messages)
    order = received.messages[at].content or ""
    before = received.messages[:at]
    lines = list(_entries(before)) if any(m.role == "user" for m in before) else order.splitlines()[2:]
    allowed = _ORDER.search(order)
    left = int(allowed[1]) if allowed else WORDS
    kept: list[str] = []
    for line in reversed(lines):
        short = " ".join(line.split())[:SHOWN]
        left -= len(short.split()) + 1
        if left < 0:
            break
        kept.append(f"- {short}")
    return "\n".join(["Facts and what was done:", *reversed(kept)])


def _entries(messages: Transcript) -> Iterator[str]:
    for message in messages:
        if message.role == "user":
            text = message.content or ""
            yield f"asked: {without_note(text)}"
            yield from (line[2:] for line in text[len(without_note(text)) :].splitlines() if line.startswith("- "))
        elif message.role == "tool":
            yield f"result: {message.content}"
        elif message.role == "assistant" and message.content:
            yield f"answered: {message.content}"
        for call in message.tool_calls:
            yield f"used {call.name} with {call.arguments_text}"
