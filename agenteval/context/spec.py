"""`NAME[:key=value,…]`, several joined by `+`: how a policy is written on the command line and in a manifest."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from difflib import get_close_matches
from typing import Any

from agenteval.context.rule import Rule
from agenteval.context.trigger import read_trigger
from agenteval.errors import UsageError

Table = Mapping[str, type[Rule]]

_JOIN = re.compile(r"\+(?=[A-Za-z_])")
OWN = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
"""A user's own policy, `module:function`."""


def parse_rules(text: str, table: Table) -> tuple[Rule, ...]:
    """Read one policy. Raises UsageError that names what exists."""
    return tuple(_rule(part, table) for part in _JOIN.split(text))


def knobs_of(kind: type[Rule]) -> tuple[tuple[str, Any], ...]:
    """A policy's knobs with their defaults."""
    return tuple((item.name, item.default) for item in fields(kind))  # type: ignore[arg-type]


def shortest(rule: Rule) -> str:
    """The shortest way to write a rule: its knobs in their order, without those that have their default value."""
    knobs = [(name, getattr(rule, name)) for name, default in knobs_of(type(rule)) if getattr(rule, name) != default]
    return f"{rule.name}:{','.join(f'{name}={spelled(value)}' for name, value in knobs)}" if knobs else rule.name


def spelled(value: Any) -> str:
    """A knob's value as it is written."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "/".join(value) if isinstance(value, tuple) else str(value)


def _rule(text: str, table: Table) -> Rule:
    name, _, rest = text.partition(":")
    if name not in table:
        raise UsageError(f"no policy is called {name!r}{_suggest(name, table)}; there are: {', '.join(table)}")
    known = {item.name: str(item.type) for item in fields(table[name])}  # type: ignore[arg-type]
    knobs: dict[str, Any] = {}
    for part in filter(None, rest.split(",")):
        key, value = _pair(name, part, known)
        if key in knobs:
            raise UsageError(f"policy {name}: {key} is given twice; give it once")
        knobs[key] = value
    try:
        return table[name](**knobs)
    except UsageError as error:
        raise UsageError(f"policy {error}") from error


def _pair(policy: str, part: str, known: Mapping[str, str]) -> tuple[str, Any]:
    key, equals, value = part.partition("=")
    if not equals or key not in known:
        knobs = ", ".join(known) or "none"
        raise UsageError(f"policy {policy}: {shown(part)} is no knob=value of it; its knobs: {knobs}")
    if key == "placeholder" and not value.strip():
        raise UsageError(f"policy {policy}: placeholder takes a text that says what is gone; leave it out for its own")
    try:
        return key, READERS.get(known[key], str)(value)
    except UsageError as error:
        raise UsageError(f"policy {policy}: {key}: {error}") from error
    except ValueError as error:
        raise UsageError(f"policy {policy}: {key} takes {error}, not {shown(value)}") from error


def shown(value: str) -> str:
    """What was written, as far as it fits a sentence."""
    return repr(value) if len(value) <= LONGEST else f"{value[:LONGEST]!r}…"


LONGEST = 40
_WHOLE = re.compile(r"-?[0-9]{1,9}")


def _whole(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise ValueError("a whole number of at most nine digits")
    return int(text)


def _yes(text: str) -> bool:
    if text not in ("yes", "no"):
        raise ValueError("yes or no")
    return text == "yes"


READERS: dict[str, Callable[[str], Any]] = {
    "int": _whole,
    "bool": _yes,
    "Trigger": read_trigger,
    "Pin": lambda text: tuple(part for part in text.split("/") if part),
}
"""By type of a knob."""


def _suggest(name: str, table: Mapping[str, Any]) -> str:
    close = get_close_matches(name, table, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""
