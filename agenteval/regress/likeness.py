"""When two readings of a reply are the same."""

from __future__ import annotations

import json
from typing import Any

from agenteval.parsers import ParsedMessage


def same(one: ParsedMessage, other: ParsedMessage, *, exact: bool) -> bool:
    """Exactly: to the letter. Else blanks around content and reasoning do not count, and arguments are compared as JSON
    values: spelling and the order of keys do not count, types do."""
    return one == other or (not exact and _plain(one) == _plain(other))


def differing(one: ParsedMessage, other: ParsedMessage) -> frozenset[str]:
    """The parts in which two readings differ, and how: the signature of a fault while its input is made smaller."""
    found = set[str]()
    for what, here, there in (("reasoning", one.reasoning, other.reasoning), ("content", one.content, other.content)):
        if here.strip() != there.strip():
            found.add(f"{what} {'lost' if not there.strip() else 'added' if not here.strip() else 'changed'}")
    if len(one.calls) != len(other.calls):
        found.add("calls lost" if len(one.calls) > len(other.calls) else "calls added")
    for here_call, there_call in zip(one.calls, other.calls, strict=False):
        if here_call.name != there_call.name:
            found.add("names")
        elif value_of(here_call.arguments_text) != value_of(there_call.arguments_text):
            found.add(f"arguments {is_json(here_call.arguments_text)} {is_json(there_call.arguments_text)}")
    return frozenset(found)


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _plain(message: ParsedMessage) -> tuple[str, str, list[tuple[str, str]]]:
    calls = [(call.name, value_of(call.arguments_text)) for call in message.calls]
    return message.reasoning.strip(), message.content.strip(), calls


def value_of(arguments: str) -> str:
    """A JSON value in one spelling per value and type; text that is none as it stands."""
    try:
        value: Any = json.loads(arguments)
    except (ValueError, RecursionError):
        return f"no JSON: {arguments.strip()}"
    return json.dumps(value, sort_keys=True)
