"""Paths into JSON values: a name, then `.name`, `[name]` or `[0]`, as in `files[src/app.py]` and `orders[2].total`.

What stands in brackets is taken as it is written (any character but `]`), with one exception: `[args.x]` and
`[world.y.z]` are paths themselves, and what they lead to is the name. There are no expressions. Values are never
changed in place: `set_path` and `delete_path` return a new value that shares what stays the same.

Not covered: names that contain a `]`, names like `args.x` themselves, paths of more than 32 steps.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

Json: TypeAlias = Any
Scopes: TypeAlias = Mapping[str, Json]
"""What a path may begin with, and the value behind it."""

NAME = r"[\w-]{1,256}+"
PATH = rf"{NAME}(?:\.{NAME}|\[[^\]]{{1,256}}+\]){{0,31}}+"
_WHOLE_PATH = re.compile(PATH)
_STEP = re.compile(rf"\.?({NAME})|\[([^\]]+)\]")
_REFERENCE = re.compile(rf"(?:args|world)(?:\.{NAME})+")
_NO_SCOPES: Scopes = {}


class TemplateProblem(ValueError):
    """A path or placeholder that cannot be followed, with the reason in words."""


class MissingPath(TemplateProblem):
    """A path that leads to nothing."""


@dataclass(frozen=True, slots=True)
class Reference:
    """`[args.path]` inside a path: the name that stands there is looked up first."""

    names: tuple[str, ...]


Path: TypeAlias = tuple[str | Reference, ...]


@lru_cache(maxsize=4096)
def parse_path(text: str) -> Path:
    """The steps of a path. Raises TemplateProblem for anything that is no path."""
    if not _WHOLE_PATH.fullmatch(text):
        raise TemplateProblem(f"`{_clip(text)}` is not a path like files[src/app.py] or order.total")
    return tuple(_step(name, bracketed) for name, bracketed in _STEP.findall(text))


def _step(name: str, bracketed: str) -> str | Reference:
    if _REFERENCE.fullmatch(bracketed):
        return Reference(tuple(bracketed.split(".")))
    return name or str(bracketed)


def get_path(value: Json, path: str, scopes: Scopes = _NO_SCOPES) -> Json:
    """What stands at a path below `value`. Raises MissingPath."""
    return follow(value, resolve(path, scopes))


def set_path(value: Json, path: str, item: Json, scopes: Scopes = _NO_SCOPES) -> Json:
    """`value` with `item` at a path. What holds it must exist, in a list the place itself as well."""
    names = resolve(path, scopes)
    if not isinstance(follow(value, names[:-1]), Mapping):
        follow(value, names)
    return _rebuilt(value, names, lambda holder, name: _put(holder, name, item))


def delete_path(value: Json, path: str, scopes: Scopes = _NO_SCOPES) -> Json:
    """`value` without what stands at a path. Raises MissingPath."""
    names = resolve(path, scopes)
    follow(value, names)
    return _rebuilt(value, names, _without)


def resolve(path: str, scopes: Scopes) -> tuple[str, ...]:
    """The names that a path consists of, once its references are looked up."""
    return tuple(step if isinstance(step, str) else _name_at(step, scopes) for step in parse_path(path))


def _name_at(reference: Reference, scopes: Scopes) -> str:
    name = follow(scopes, reference.names)
    if isinstance(name, str):
        return name
    if isinstance(name, int) and not isinstance(name, bool):
        return str(name)
    raise TemplateProblem(f"`{_spell(reference.names)}` is neither a text nor a whole number: it names nothing")


def follow(value: Json, names: tuple[str, ...]) -> Json:
    """What stands below `value`, name after name. Raises MissingPath."""
    for place, name in enumerate(names, start=1):
        value = _child(value, name)
        if value is _NOTHING:
            raise MissingPath(f"there is no `{_spell(names[:place])}`")
    return value


_NOTHING = object()


def _child(holder: Json, name: str) -> Json:
    if isinstance(holder, Mapping):
        return holder.get(name, _NOTHING)
    if isinstance(holder, list) and _is_place(holder, name):
        return holder[int(name)]
    return _NOTHING


def _is_place(holder: list[Json], name: str) -> bool:
    return len(name) < 10 and name.isascii() and name.isdigit() and int(name) < len(holder)


def _rebuilt(value: Json, names: tuple[str, ...], change: Callable[[Json, str], Json]) -> Json:
    """`value` with a change to what holds the last of the names; everything beside the way is shared."""
    if len(names) == 1:
        return change(value, names[0])
    return _put(value, names[0], _rebuilt(_child(value, names[0]), names[1:], change))


def _put(holder: Json, name: str, item: Json) -> Json:
    if isinstance(holder, Mapping):
        return {**holder, name: item}
    return [*holder[: int(name)], item, *holder[int(name) + 1 :]]


def _without(holder: Json, name: str) -> Json:
    if isinstance(holder, Mapping):
        return {key: item for key, item in holder.items() if key != name}
    return [*holder[: int(name)], *holder[int(name) + 1 :]]


def _spell(names: tuple[str, ...]) -> str:
    """A path as it would be written."""
    first, *rest = names
    return _clip(first + "".join(f".{n}" if re.fullmatch(NAME, n) else f"[{n}]" for n in rest))


def _clip(text: str) -> str:
    return text if len(text) <= 80 else text[:79] + "…"
