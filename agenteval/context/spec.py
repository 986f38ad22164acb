"""`NAME[:key=value,…]`: how a policy is written on the command line and in a manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from typing import Any

from agenteval.errors import UsageError

NOT_KNOBS = frozenset({"name", "tools"})


@dataclass(frozen=True, slots=True)
class PolicySpec:
    name: str
    knobs: Mapping[str, int | str] = field(default_factory=dict)


def parse_policy(text: str, table: Mapping[str, Any]) -> PolicySpec:
    """Read one policy. Raises UsageError that names what exists."""
    name, _, rest = text.partition(":")
    if name not in table:
        raise UsageError(f"no policy is called {name!r}{_suggest(name, table)}; there are: {', '.join(table)}")
    known = {item.name: item.type for item in fields(table[name]) if item.name not in NOT_KNOBS}
    pairs = [_pair(name, part, known) for part in rest.split(",") if part]
    return PolicySpec(name, dict(pairs))


def shortest(policy: Any) -> str:
    """The shortest way to write a policy: its knobs in their order, without those that have their default value."""
    knobs = [item for item in fields(policy) if item.name not in NOT_KNOBS]
    set_ = [f"{item.name}={getattr(policy, item.name)}" for item in knobs if getattr(policy, item.name) != item.default]
    return f"{policy.name}:{','.join(set_)}" if set_ else str(policy.name)


def _pair(policy: str, part: str, known: Mapping[str, Any]) -> tuple[str, int | str]:
    key, equals, value = part.partition("=")
    if not equals or key not in known:
        knobs = ", ".join(known) or "none"
        raise UsageError(f"policy {policy}: {part!r} is no knob=value of it; its knobs: {knobs}")
    if known[key] == "int":
        try:
            return key, int(value)
        except ValueError as error:
            raise UsageError(f"policy {policy}: {key} takes a whole number, not {value!r}") from error
    return key, value


def _suggest(name: str, table: Mapping[str, Any]) -> str:
    close = get_close_matches(name, table, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""
