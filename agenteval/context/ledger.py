"""A ledger of what was done: one line a call and a user's message, newest last. Written as a record, not as calls, so
that no model takes it for a way to call."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from agenteval.canonical import JsonProblem, parse_json
from agenteval.context.items import Item
from agenteval.context.words import arguments_of, is_error, plain, text_tokens

TITLE = "Ledger of earlier messages that the harness removed; each result can be had again by using the tool again:"
ASKED, GIVEN, KEPT_FIELDS, VALUE = 160, 120, 6, 60
"""Characters of a user's message, of a result; fields of a JSON result; characters of one value."""


def ledger(items: Iterable[Item], limit: int, title: str = TITLE) -> str:
    """The newest lines that fit into so many tokens."""
    lines = [line for item in items if (line := _line(item))]
    kept: list[str] = []
    left = limit - text_tokens(title)
    for line in reversed(lines):
        left -= text_tokens(line) + 1
        if left < 0:
            kept.append(f"({len(lines) - len(kept)} older entries left out)")
            break
        kept.append(line)
    return "\n".join((title, *reversed(kept)))


def _line(item: Item) -> str:
    if item.message.role == "user":
        return f"- user asked | {plain(item.text, ASKED)}"
    if item.message.role != "tool" or item.call is None:
        return ""
    said = "; ".join(
        f"{plain(str(k), VALUE)} {plain(str(v), VALUE)}" for k, v in arguments_of(item.call.arguments_text).items()
    )
    gave = "failed" if is_error(item.text) else "gave"
    return f"- tool {plain(item.call.name, VALUE)} | {said or 'no arguments'} | {gave} {key_fields(item.text)}"


def key_fields(result: str) -> str:
    """Of a JSON object its first plain fields, else the start of the text."""
    value: Any = None
    if result.lstrip()[:1] == "{" and len(result) < 100_000:
        try:
            value = parse_json(result)
        except JsonProblem:
            value = None
    if isinstance(value, dict):
        flat = [(k, v) for k, v in value.items() if isinstance(v, str | int | float | bool)]
        if flat:
            return "; ".join(f"{plain(str(k), VALUE)} {plain(str(v), VALUE)}" for k, v in flat[:KEPT_FIELDS])
    return plain(result, GIVEN)
