"""YAML text → JSON values that know where they stand.

Read from the parser's events, with JSON's types: only `true`, `false`, `null`, `~`, nothing at all and JSON's
numbers are not texts; `NO`, `12:30`, `00417`, dates, `0x10` and `1_000` stay what was written, and so does whatever
stands in quotes. Refused, each with its place: duplicate keys, tags, merge keys, keys that are no texts, more than
one document, tabs as indentation, bytes that are not UTF-8, files above `MAX_BYTES`, nesting above `MAX_DEPTH`, and
anchors that unfold to more than `MAX_NODES` values or `MAX_CHARACTERS` characters (counted before they unfold).

Not covered: comments are lost; a value that an alias repeats has the place of its anchor.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

from agenteval.errors import FileError, Problem
from agenteval.script import Json

MAX_BYTES = 2 * 1024 * 1024
MAX_NODES = 100_000
MAX_CHARACTERS = 2 * 1024 * 1024
MAX_DEPTH = 64
MAX_PROBLEMS = 50

Path: TypeAlias = tuple[str | int, ...]
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_WORDS: Mapping[str, Json] = {"true": True, "false": False, "null": None, "~": None, "": None}
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_SURROGATE = re.compile("[\ud800-\udfff]")
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Place:
    """Line and column, from 1."""

    line: int
    column: int


@dataclass(slots=True)
class Node:
    """A value with its place, and how large it is once its aliases are unfolded."""

    value: Json
    place: Place
    inside: dict[str | int, Node] = field(default_factory=dict)
    keys: dict[str, Place] = field(default_factory=dict)
    nodes: int = 1
    characters: int = 0
    height: int = 1


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says, and where."""

    file: str
    root: Node

    @property
    def value(self) -> Json:
        return self.root.value

    def place(self, path: Path, *, key: bool = False) -> Place:
        """Where the value at a path stands, or its key; for a path that is not there, what would hold it."""
        node, place = self.root, self.root.place
        for step in path:
            if step not in node.inside:
                return place
            place = node.keys.get(str(step), node.inside[step].place)
            node = node.inside[step]
        return place if key else node.place

    def problem(self, path: Path, message: str, *, key: bool = False) -> Problem:
        """A mistake at a path."""
        place = self.place(path, key=key)
        return Problem(self.file, place.line, place.column, spell(path), message)


def spell(path: Path) -> str:
    """A path as people write it: `turns[7].expect`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def read(data: bytes, file: str) -> Document:
    """The one document of a file. Raises FileError with everything that is wrong with it."""
    text = _decoded(data, file)
    builder = _Builder(file)
    try:
        for event in yaml.parse(text, Loader=LOADER):
            builder.take(event)
    except yaml.YAMLError as error:
        builder.problems.append(_syntax_problem(error, text, file))
    except (ValueError, OverflowError) as error:  # an escape like "\UFFFFFFFF", in the loader without C
        builder.complain(builder.last, f"not valid YAML: {error}")
    except _GiveUp:
        pass
    if builder.root is None and not builder.problems:
        builder.complain(Place(1, 1), "the file is empty")
    if builder.problems or builder.root is None:
        raise FileError(tuple(builder.problems[:MAX_PROBLEMS]))
    return Document(file, builder.root)


def _decoded(data: bytes, file: str) -> str:
    if len(data) > MAX_BYTES:
        raise FileError((Problem(file, 1, 1, "", f"the file is larger than {MAX_BYTES:,} bytes"),))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = _place_after(data[: error.start].decode("utf-8", "replace"))
        message = f"byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise FileError((Problem(file, place.line, place.column, "", message),)) from error
    if found := _UNPRINTABLE.search(text):
        place = _place_after(text[: found.start()])
        message = f"the character U+{ord(found[0]):04X} cannot stand in YAML; write it as an escape in double quotes"
        raise FileError((Problem(file, place.line, place.column, "", message),))
    return text


def _place_after(text: str) -> Place:
    return Place(text.count("\n") + 1, len(text) - (text.rfind("\n") + 1) + 1)


def _syntax_problem(error: yaml.YAMLError, text: str, file: str) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    place = Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
    line = (text.splitlines() or [""])[min(place.line, text.count("\n") + 1) - 1 :][:1]
    if line and "\t" in line[0][: len(line[0]) - len(line[0].lstrip())]:
        return Problem(file, place.line, place.column, "", "a tab cannot indent; use spaces")
    reason = ", ".join(filter(None, (getattr(error, "context", None), getattr(error, "problem", None))))
    begin = getattr(error, "context_mark", None)
    since = f" (begun in line {begin.line + 1})" if begin and begin.line + 1 < place.line else ""
    return Problem(file, place.line, place.column, "", f"not valid YAML: {reason or error}{since}")


class _GiveUp(Exception):
    """Nothing after this place can be understood."""


@dataclass(slots=True)
class _Open:
    """A list or map that is not closed yet."""

    node: Node
    anchor: str | None
    key: tuple[str, Place] | None = None


class _Builder:
    """Takes events, keeps the open lists and maps on a stack of its own, and hands out the finished root."""

    def __init__(self, file: str) -> None:
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self.last = Place(1, 1)
        self._file = file
        self._documents = 0
        self._stack: list[_Open] = []
        self._anchors: dict[str, Node | None] = {}

    def take(self, event: Any) -> None:
        self.last = Place(event.start_mark.line + 1, event.start_mark.column + 1)
        if getattr(event, "tag", None) is not None:
            self.complain(self.last, f"the tag {event.tag} is not allowed; values have JSON's types")
        taker = _TAKERS.get(type(event))
        if taker:
            taker(self, event)

    def complain(self, place: Place, message: str) -> None:
        key = spell(tuple(self._path()))
        self.problems.append(Problem(self._file, place.line, place.column, key[:120], message[:200]))
        if len(self.problems) >= MAX_PROBLEMS:
            raise _GiveUp

    def give_up(self, message: str) -> None:
        self.complain(self.last, message)
        raise _GiveUp

    def open_document(self, _: yaml.Event) -> None:
        self._documents += 1
        if self._documents > 1:
            self.give_up("a second document begins here; a file holds one")

    def scalar(self, event: Any) -> None:
        plain = bool(event.implicit[0])
        if _SURROGATE.search(event.value):
            self.complain(self.last, "half of a surrogate pair is no character")
        if self._expects_key():
            self._anchors[event.anchor] = Node(event.value, self.last)
            self._take_key(event.value, plain)
            return
        value = self._typed(event.value) if plain else event.value
        characters = len(value) if isinstance(value, str) else 0
        self._place(Node(value, self.last, characters=characters), event.anchor)

    def open(self, event: Any) -> None:
        if self._expects_key():
            self.give_up("a key has to be a text")
        if len(self._stack) >= MAX_DEPTH:
            self.give_up(f"nested deeper than {MAX_DEPTH} levels")
        value: Json = [] if isinstance(event, yaml.SequenceStartEvent) else {}
        if event.anchor:
            self._anchors[event.anchor] = None
        self._stack.append(_Open(Node(value, self.last), event.anchor))

    def close(self, _: yaml.Event) -> None:
        closed = self._stack.pop()
        self._place(closed.node, closed.anchor)

    def alias(self, event: Any) -> None:
        node = self._anchors.get(event.anchor)
        if node is None:
            known = event.anchor in self._anchors
            unknown = f"there is no &{event.anchor}; a text that begins with * stands in quotes"
            self.give_up(f"*{event.anchor} stands inside itself" if known else unknown)
        elif self._expects_key():
            self._take_key(node.value, plain=False)
        else:
            self._place(node, None)

    def _expects_key(self) -> bool:
        return bool(self._stack) and isinstance(self._stack[-1].node.value, dict) and not self._stack[-1].key

    def _take_key(self, text: Json, plain: bool) -> None:
        if not isinstance(text, str) or (plain and text == ""):
            self.give_up("a key has to be a text")
        if plain and text == "<<":
            self.complain(self.last, "merge keys (<<) are not supported; write the keys out")
        self._stack[-1].key = (text, self.last)

    def _place(self, node: Node, anchor: str | None) -> None:
        """Put a finished value where it belongs."""
        if anchor:
            self._anchors[anchor] = node
        if not self._stack:
            self.root = node
            return
        holder = self._stack[-1].node
        self._grow(holder, node)
        if isinstance(holder.value, list):
            holder.inside[len(holder.value)] = node
            holder.value.append(node.value)
        else:
            self._put(holder, node)

    def _put(self, holder: Node, node: Node) -> None:
        key, place = self._stack[-1].key or ("", self.last)
        self._stack[-1].key = None
        if key in holder.keys:
            self.complain(place, f"the key {key!r} stands twice; its first place is line {holder.keys[key].line}")
            return
        holder.keys[key], holder.inside[key], holder.value[key] = place, node, node.value
        holder.characters += len(key)

    def _grow(self, holder: Node, node: Node) -> None:
        holder.nodes += node.nodes
        holder.characters += node.characters
        holder.height = max(holder.height, node.height + 1)
        if holder.nodes > MAX_NODES or holder.characters > MAX_CHARACTERS:
            self.give_up(f"more than {MAX_NODES:,} values or {MAX_CHARACTERS:,} characters, aliases unfolded")
        if len(self._stack) + node.height > MAX_DEPTH:
            self.give_up(f"nested deeper than {MAX_DEPTH} levels, aliases unfolded")

    def _typed(self, text: str) -> Json:
        if text in _WORDS:
            return _WORDS[text]
        if not (found := _NUMBER.fullmatch(text)):
            return text
        number = float(text) if found[1] or found[2] else int(text) if len(text) < 100 else math.inf
        if number in (math.inf, -math.inf):
            self.complain(self.last, "this number is too large; write it in quotes if it is a text")
        return number

    def _path(self) -> Iterator[str | int]:
        for open_ in self._stack:
            if isinstance(open_.node.value, list):
                yield len(open_.node.value)
            elif open_.key:
                yield open_.key[0]


_TAKERS: Mapping[type[yaml.Event], Callable[[_Builder, yaml.Event], None]] = {
    yaml.DocumentStartEvent: _Builder.open_document,
    yaml.ScalarEvent: _Builder.scalar,
    yaml.SequenceStartEvent: _Builder.open,
    yaml.MappingStartEvent: _Builder.open,
    yaml.SequenceEndEvent: _Builder.close,
    yaml.MappingEndEvent: _Builder.close,
    yaml.AliasEvent: _Builder.alias,
}
