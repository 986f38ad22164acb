"""Short names for tables: of policies with many knobs what tells them apart, with a legend."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_JOIN = re.compile(r"\+(?=[A-Za-z_])")
_KNOBS = re.compile(r",(?=\w+=)")


def short_names(names: Sequence[str]) -> dict[str, str]:
    """Each name → what stands for it in a table: without knobs, or with those that others of its kind lack or have
    otherwise. No two share one."""
    kinds: dict[str, list[str]] = {}
    for name in names:
        kinds.setdefault(_bare(name), []).append(name)
    short: dict[str, str] = {}
    for bare, alike in kinds.items():
        common = set.intersection(*(set(_knobs(name)) for name in alike))
        short |= {name: _apart(name, common) if len(alike) > 1 else bare for name in alike}
    return short if len(set(short.values())) == len(set(names)) else dict(zip(names, names, strict=True))


def legend(short: Mapping[str, str]) -> str:
    """Which names are shortened, in one sentence; empty if none is."""
    told = [f"{brief} is {name}" for name, brief in short.items() if brief != name]
    return f"In tables {'; '.join(told)}." if told else ""


def _parts(name: str) -> list[tuple[str, tuple[str, ...]]]:
    """The policies that a name joins, each with its knobs. What has no knobs, like a user's own `module:function`,
    stands as it is."""
    found = []
    for part in _JOIN.split(name):
        bare, _, rest = part.partition(":")
        found.append((bare, tuple(_KNOBS.split(rest))) if "=" in rest else (part, ()))
    return found


def _bare(name: str) -> str:
    return "+".join(bare for bare, _ in _parts(name))


def _knobs(name: str) -> list[tuple[int, str]]:
    return [(at, knob) for at, (_, knobs) in enumerate(_parts(name)) for knob in knobs]


def _apart(name: str, common: set[tuple[int, str]]) -> str:
    parts = []
    for at, (bare, knobs) in enumerate(_parts(name)):
        kept = ",".join(knob for knob in knobs if (at, knob) not in common)
        parts.append(f"{bare}:{kept}" if kept else bare)
    return "+".join(parts)
