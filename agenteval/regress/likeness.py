"""When two readings of a reply are the same."""

from __future__ import annotations

import json
from typing import Any

from agenteval.parsers import ParsedMessage


def same(one: ParsedMessage, other: ParsedMessage, *, exact: bool) -> bool:
    """Exactly: to the letter. Else blanks around content and reasoning do not count, and arguments are compared as JSON
    values: spelling and the order of keys do not count, types do."""
    return one == other or (not exact and _plain(one) == _plain(other))


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _plain(message: ParsedMessage) -> tuple[str, str, list[tuple[str, str]]]:
    calls = [(call.name, _value(call.arguments_text)) for call in message.calls]
    return message.reasoning.strip(), message.content.strip(), calls


def _value(arguments: str) -> str:
    """A JSON value in one spelling per value and type; text that is none as it stands."""
    try:
        value: Any = json.loads(arguments)
    except (ValueError, RecursionError):
        return f"no JSON: {arguments.strip()}"
    return json.dumps(value, sort_keys=True)
