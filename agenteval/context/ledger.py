"""A ledger of what was done: one line a call and a user's message, newest last. Written as a record, not as calls, so
that no model takes it for a way to call."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from agenteval.canonical import JsonProblem, parse_json
from agenteval.context.items import Item
from agenteval.context.words import KEPT_DONE, arguments_of, plain, text_tokens

TITLE = f"Ledger of earlier messages that the harness removed; {KEPT_DONE}:"
DID = {True: "read", False: "did", None: "tool"}
"""How a line begins, by whether its tool is known to change nothing."""
ASKED, GIVEN, KEPT_FIELDS, VALUE = 160, 120, 6, 60
"""Characters of a user's message, of a result; fields of a JSON result; characters of one value."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """The newest lines, as many as fit into a limit, and how many older ones there were."""

    lines: tuple[str, ...] = ()
    older: int = 0

    def grown(self, items: Iterable[Item], limit: int, title: str = TITLE) -> Ledger:
        """With these items as the newest, within so many tokens. What does not fit now never does later."""
        lines = (*self.lines, *(line for item in items if (line := _line(item))))
        left = limit - text_tokens(title)
        at = len(lines)
        while at and (left := left - text_tokens(lines[at - 1]) - 1) >= 0:
            at -= 1
        return Ledger(lines[at:], self.older + at)

    def text(self, title: str = TITLE) -> str:
        left_out = (f"({self.older} older entries left out)",) if self.older else ()
        return "\n".join((title, *left_out, *self.lines))


def _line(item: Item) -> str:
    if item.message.role == "user":
        return f"- user asked | {plain(item.text, ASKED)}"
    if item.message.role != "tool" or item.call is None:
        return ""
    said = "; ".join(
        f"{plain(str(k), VALUE)} {plain(str(v), VALUE)}" for k, v in arguments_of(item.call.arguments_text).items()
    )
    did, gave = DID[item.read_only], "failed" if item.failed else "gave"
    return f"- {did} {plain(item.call.name, VALUE)} | {said or 'no arguments'} | {gave} {key_fields(item.text)}"


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
