"""`${…}` placeholders inside JSON values: a path in braces, and nothing else.

`$${` stands for a literal `${`. Filling in happens twice: when a scenario is bound to a seed everything is filled
in but what is left for later, and when a tool is called the rest is, and only that, so that texts which merely
look like placeholders pass unchanged.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from agenteval.template.paths import PATH, Json, Path, Reference, Scopes, TemplateProblem, follow, parse_path, resolve

MAX_DEPTH = 96
MAX_SIZE = 8_000_000
"""The most characters that one substitution may produce; any value counts for `_COST` of them."""
_COST = 32

_PLACEHOLDER = re.compile(rf"(\$?)\$\{{({PATH})\}}|\$\$\{{")
_OPENING = re.compile(r"\$\{[^}]{0,40}\}?")


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One `${…}`: as it is written, and its path."""

    text: str
    path: Path

    @property
    def head(self) -> str:
        return str(self.path[0])


def substitute(value: Json, scopes: Scopes, *, partial: bool = False, later: Collection[str] = ()) -> Json:
    """`value` with its placeholders filled in, in keys too. Raises MissingPath.

    A text that is one placeholder becomes the typed value; inside longer text and in keys it becomes text. What
    begins with a name of `later` stays as it is written, escaped or not; with `partial`, so does everything that
    does not begin with a name in scope.
    """
    return _Filling(scopes, partial, later).fill(value, 0)


def quoted(text: str, scopes: Collection[str]) -> str:
    """A text that says the same after substitution, but for placeholders that begin with a name in scope."""
    return _PLACEHOLDER.sub(lambda it: it[0] if it[2] and parse_path(it[2])[0] in scopes else f"${it[0]}", text)


def placeholders(value: Json) -> tuple[Placeholder, ...]:
    """All placeholders in a value, also in its keys and in each other's brackets; not the escaped ones."""
    return tuple(found for text in _texts(value) for found in _placeholders_in(text))


def malformed(value: Json) -> tuple[str, ...]:
    """All `${` that open no placeholder and are not escaped, each with the text that follows."""
    return tuple(found[0] for text in _texts(value) for found in _OPENING.finditer(_PLACEHOLDER.sub(" ", text)))


def as_text(value: Json) -> str:
    """A value as it stands inside a text: texts as they are, everything else as compact JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _placeholders_in(text: str) -> Iterator[Placeholder]:
    for found in _PLACEHOLDER.finditer(text):
        if found[2] and not found[1]:
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

    def __init__(self, scopes: Scopes, partial: bool, later: Collection[str]) -> None:
        self._scopes = scopes
        self._partial = partial
        self._later = later
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
        if not whole or whole[1] or not whole[2] or self._stays(whole[2]):
            return self._text(text)
        value = self._at(whole[2])
        self._measure(value, depth)
        return value

    def _text(self, text: str) -> str:
        self._spend(len(text))
        return _PLACEHOLDER.sub(self._piece, text) if "${" in text else text

    def _piece(self, found: re.Match[str]) -> str:
        if not found[2]:
            return found[0] if self._partial else "${"
        if self._stays(found[2]):
            return found[0] if found[1] else "${" + self._text(found[2]) + "}"
        if found[1]:
            return found[0][1:]
        value = self._at(found[2])
        self._measure(value, 0)
        return as_text(value)

    def _stays(self, path: str) -> bool:
        head, *steps = parse_path(path)
        if not self._partial:
            return head in self._later
        heads = [head, *(step.names[0] for step in steps if isinstance(step, Reference))]
        return any(name not in self._scopes for name in heads)

    def _at(self, path: str) -> Json:
        return follow(self._scopes, resolve(path, self._scopes))

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
    if isinstance(value, Mapping):
        yield from value
        yield from value.values()
    elif isinstance(value, list):
        yield from value
