"""Paths into JSON values, and the `${…}` placeholders that are made of them.

A path is a name, then `.name`, `[name]` or `[0]`: `files[src/app.py]`, `orders[2].total`. What stands in
brackets is taken as it is written (any character but `]`), with one exception: `[args.x]` and `[world.y.z]`
are paths themselves, and what they lead to is the name. There are no expressions. A placeholder is filled in
when the first name of its path is in scope; where it would be, `$${…}` stands for a literal `${…}`.

Values are never changed in place: `set_path` and `delete_path` return a new value that shares what stays the
same. Whatever cannot be done is a `TemplateProblem` in words, never another exception. Not covered: names
that contain a `]`, names like `args.x` themselves, paths of more than 32 steps.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

Json: TypeAlias = Any
Scopes: TypeAlias = Mapping[str, Json]
"""What a placeholder may begin with, and the value behind it."""

MAX_DEPTH = 96
MAX_SIZE = 16_000_000
"""The most characters that one substitution may produce; any value counts for `_COST` of them."""
_COST = 8

_NAME = r"[\w-]{1,256}+"
_PATH = rf"{_NAME}(?:\.{_NAME}|\[[^\]]{{1,256}}+\]){{0,31}}+"
_WHOLE_PATH = re.compile(_PATH)
_STEP = re.compile(rf"\.?({_NAME})|\[([^\]]+)\]")
_REFERENCE = re.compile(rf"(?:args|world)(?:\.{_NAME})+")
_PLACEHOLDER = re.compile(rf"(\$?)\$\{{({_PATH})\}}")
_OPENING = re.compile(r"\$?\$\{[^}]{0,40}\}?")
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


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One `${…}`: as it is written, and its path."""

    text: str
    path: Path

    @property
    def head(self) -> str:
        return str(self.path[0])


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
    return _follow(value, _resolve(path, scopes))


def set_path(value: Json, path: str, item: Json, scopes: Scopes = _NO_SCOPES) -> Json:
    """`value` with `item` at a path. What holds it must exist, in a list the place itself as well."""
    return _rebuilt(value, _resolve(path, scopes), lambda holder, name: _put(holder, name, item))


def delete_path(value: Json, path: str, scopes: Scopes = _NO_SCOPES) -> Json:
    """`value` without what stands at a path. Raises MissingPath."""
    return _rebuilt(value, _resolve(path, scopes), _without)


def _resolve(path: str, scopes: Scopes) -> tuple[str, ...]:
    return tuple(step if isinstance(step, str) else _name_at(step, scopes) for step in parse_path(path))


def _name_at(reference: Reference, scopes: Scopes) -> str:
    name = _follow(scopes, reference.names)
    if isinstance(name, str):
        return name
    if isinstance(name, int) and not isinstance(name, bool):
        return str(name)
    raise TemplateProblem(
        f"`{_spell(reference.names)}` is neither a text nor a whole number: it names nothing"
    )


def _follow(value: Json, names: tuple[str, ...]) -> Json:
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
    holder = _follow(value, names[:-1])
    if len(names) == 1:
        return change(holder, names[0])
    return _put(value, names[0], _rebuilt(_child(value, names[0]), names[1:], change))


def _put(holder: Json, name: str, item: Json) -> Json:
    if isinstance(holder, dict):
        return {**holder, name: item}
    _follow(holder, (name,))
    return [*holder[: int(name)], item, *holder[int(name) + 1 :]]


def _without(holder: Json, name: str) -> Json:
    _follow(holder, (name,))
    if isinstance(holder, dict):
        return {key: item for key, item in holder.items() if key != name}
    return [*holder[: int(name)], *holder[int(name) + 1 :]]


def _spell(names: tuple[str, ...]) -> str:
    """A path as it would be written."""
    first, *rest = names
    return _clip(first + "".join(f".{n}" if re.fullmatch(_NAME, n) else f"[{n}]" for n in rest))


def _clip(text: str) -> str:
    return text if len(text) <= 80 else text[:79] + "…"


def substitute(value: Json, scopes: Scopes, *, partial: bool = False) -> Json:
    """`value` with its placeholders filled in, in keys too.

    A text that is one placeholder becomes the typed value; inside longer text and in keys it becomes text.
    With `partial`, a placeholder whose first name is not in scope stays; without, it is a MissingPath.
    """
    return _Filling(scopes, partial).fill(value, 0)


def placeholders(value: Json) -> tuple[Placeholder, ...]:
    """All placeholders in a value, also in its keys and in each other's brackets; not the escaped ones."""
    return tuple(found for text in _texts(value) for found in _placeholders_in(text))


def malformed(value: Json) -> tuple[str, ...]:
    """All `${` that open no placeholder, each with the text that follows."""
    return tuple(
        found[0]
        for text in _texts(value)
        for found in _OPENING.finditer(_PLACEHOLDER.sub(" ", text))
        if not found[0].startswith("$$")
    )


def _placeholders_in(text: str) -> Iterator[Placeholder]:
    for found in _PLACEHOLDER.finditer(text):
        if not found[1]:
            yield Placeholder(found[0], parse_path(found[2]))
            yield from _placeholders_in(found[2])


def _texts(value: Json) -> Iterator[str]:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, Mapping):
            waiting += [part for pair in reversed(list(item.items())) for part in reversed(pair)]
        elif isinstance(item, list | tuple):
            waiting += reversed(item)


class _Filling:
    """One substitution, with what it may still produce."""

    def __init__(self, scopes: Scopes, partial: bool) -> None:
        self._scopes = scopes
        self._partial = partial
        self._left = MAX_SIZE

    def fill(self, value: Json, depth: int) -> Json:
        self._check_depth(depth)
        self._spend(_COST)
        if isinstance(value, str):
            return self._filled(value, depth)
        if isinstance(value, Mapping):
            return self._filled_map(value, depth)
        if isinstance(value, list | tuple):
            return [self.fill(item, depth + 1) for item in value]
        return value

    def _filled_map(self, value: Mapping[str, Json], depth: int) -> dict[str, Json]:
        filled = {self._text(key): self.fill(item, depth + 1) for key, item in value.items()}
        if len(filled) < len(value):
            raise TemplateProblem("two keys of a map become the same when their placeholders are filled in")
        return filled

    def _filled(self, text: str, depth: int) -> Json:
        whole = _PLACEHOLDER.fullmatch(text)
        if not whole or whole[1] or not self._in_scope(whole[2]):
            return self._text(text)
        value = self._at(whole[2])
        self._measure(value, depth)
        return value

    def _text(self, text: str) -> str:
        self._spend(len(text))
        return _PLACEHOLDER.sub(self._piece, text) if "${" in text else text

    def _piece(self, found: re.Match[str]) -> str:
        if not self._in_scope(found[2]):
            return found[0] if found[1] else "${" + self._text(found[2]) + "}"
        if found[1]:
            return found[0][1:]
        value = self._at(found[2])
        self._measure(value, 0)
        return as_text(value)

    def _in_scope(self, path: str) -> bool:
        return not self._partial or all(
            (step if isinstance(step, str) else step.names[0]) in self._scopes
            for place, step in enumerate(parse_path(path))
            if place == 0 or isinstance(step, Reference)
        )

    def _at(self, path: str) -> Json:
        return _follow(self._scopes, _resolve(path, self._scopes))

    def _measure(self, value: Json, depth: int) -> None:
        """Pay for a value that is put in as it is, before it is copied or written anywhere."""
        level = [value]
        while level:
            self._check_depth(depth)
            self._spend(sum(len(item) if isinstance(item, str) else _COST for item in level))
            level = [child for item in level for child in _children(item)]
            depth += 1

    def _check_depth(self, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise TemplateProblem(f"the result is nested deeper than {MAX_DEPTH} levels")

    def _spend(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise TemplateProblem(f"the result is larger than {MAX_SIZE:,} characters")


def _children(value: Json) -> Iterator[Json]:
    if isinstance(value, dict):
        yield from value
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def as_text(value: Json) -> str:
    """A value as it stands inside a text: texts as they are, everything else as compact JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
