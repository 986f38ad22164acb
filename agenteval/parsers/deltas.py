"""What a parser says about a model's text, piece by piece, and the message that the pieces make.

A delta is a statement that is never taken back. Within one reply, call indices begin with 0 and rise by one
in the order of first appearance; the first delta of a call carries its name, no later one does; the argument
fragments of a call, joined, are the text of its JSON object. No delta is empty.

Deltas are made by the thousand, one for each token: therefore they are structs, which cost an eighth of a dataclass.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeAlias, cast

import msgspec


class ReasoningDelta(msgspec.Struct, frozen=True, gc=False):
    text: str


class ContentDelta(msgspec.Struct, frozen=True, gc=False):
    text: str


class CallDelta(msgspec.Struct, frozen=True, gc=False):
    """The beginning of call `index` (with its name), or more of its arguments, or both."""

    index: int
    name: str | None = None
    arguments: str = ""


Delta: TypeAlias = ReasoningDelta | ContentDelta | CallDelta


@dataclass(frozen=True, slots=True)
class ParsedCall:
    """One call; `arguments_text` is the text of a JSON object, or the beginning of one if the reply was
    cut."""

    name: str
    arguments_text: str


@dataclass(frozen=True, slots=True)
class ParsedMessage:
    """All of a reply. What was not said is an empty string: a model's text knows no null."""

    reasoning: str = ""
    content: str = ""
    calls: tuple[ParsedCall, ...] = ()


def fold(deltas: Iterable[Delta]) -> ParsedMessage:
    """The message that a sequence of deltas describes."""
    said = list(deltas)
    names: dict[int, str] = {}
    arguments: dict[int, list[str]] = {}
    for delta in said:
        if isinstance(delta, CallDelta):
            names.setdefault(delta.index, delta.name or "")
            arguments.setdefault(delta.index, []).append(delta.arguments)
    return ParsedMessage(
        reasoning="".join(delta.text for delta in said if isinstance(delta, ReasoningDelta)),
        content="".join(delta.text for delta in said if isinstance(delta, ContentDelta)),
        calls=tuple(ParsedCall(name, "".join(arguments[index])) for index, name in names.items()),
    )


def merged(deltas: Sequence[Delta]) -> list[Delta]:
    """The same statements with neighbours that continue each other joined into one."""
    if len(deltas) < 2:
        return list(deltas)
    return [_joined(list(group)) for _, group in groupby(deltas, key=_subject)]


def _subject(delta: Delta) -> tuple[type[Delta], int]:
    return type(delta), delta.index if isinstance(delta, CallDelta) else 0


def _joined(run: list[Delta]) -> Delta:
    first = run[0]
    if len(run) == 1:
        return first
    if isinstance(first, CallDelta):
        fragments = cast("list[CallDelta]", run)
        return CallDelta(first.index, first.name, "".join(delta.arguments for delta in fragments))
    texts = cast("list[ReasoningDelta | ContentDelta]", run)
    return type(first)("".join(delta.text for delta in texts))
