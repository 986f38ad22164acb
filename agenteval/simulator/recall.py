"""What a model can still know. It remembers nothing but its prompt: a text that stood in the conversation as it
should have gone, and does not stand in the messages that were received, is lost.

Where a lost text is needed, another one comes out: of the same shape, and valid by the tool's schema, so that only
its meaning is wrong. Not covered: numbers, texts that are spelled differently where they were said, references
(`$ref`) to lists of allowed values; where no other value is valid the right one stays.
"""

from __future__ import annotations

import json
import re
import string
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from itertools import chain
from typing import Any

from agenteval.canonical import JsonProblem, parse_json
from agenteval.messages import Message
from agenteval.schema import violations

Json = Any
Path = tuple[str | int, ...]


class Recall:
    """What was said (`golden`) and what is still there (`seen`), both as one text that is made when it is needed."""

    def __init__(self, golden: Callable[[], str], seen: Callable[[], str]) -> None:
        self._golden = cache(golden)
        self._seen = cache(seen)

    def stands(self, text: str) -> bool:
        """Whether a text is still there."""
        return _stands(text, self._seen())

    def lost(self, text: str) -> bool:
        """Whether a text was said once and is not there any more."""
        return not _stands(text, self._seen()) and _stands(text, self._golden())


def misremembered(
    arguments: Mapping[str, Json],
    schema: Mapping[str, Json],
    recall: Recall,
    values: Iterable[str],
    before: Mapping[str, str],
) -> dict[str, Json]:
    """A call's arguments as the model can still write them: with another text for each that is lost.

    `values` are texts that count on their own when they are part of a longer one; `before` tells of a text what was
    right in its place before, and still is there.
    """
    written: dict[str, Json] = dict(arguments)
    values = tuple(values)
    for path, text in list(_leaves(arguments, ())):
        gone = next((part for part in (text, *values) if part in text and recall.lost(part)), None)
        if gone is not None:
            others = chain((before[gone],) if gone in before else (), variants(gone))
            written = _with_another(written, schema, path, gone, others)
    return written


def outdated(arguments: Mapping[str, Json], before: Mapping[str, str]) -> dict[str, Json]:
    """A call's arguments with what was right before in place of what is right now."""
    written: dict[str, Json] = dict(arguments)
    for path, text in list(_leaves(arguments, ())):
        for now, old in before.items():
            if now in text:
                written = _replaced(written, path, text.replace(now, old))
    return written


def _with_another(
    arguments: dict[str, Json], schema: Mapping[str, Json], path: Path, gone: str, others: Iterable[str]
) -> dict[str, Json]:
    """The first of the others in place of `gone` at a path that keeps the schema."""
    text = _at(arguments, path)
    members = [member for member in _allowed(schema, path) if isinstance(member, str) and member != text]
    for other in chain(members, (text.replace(gone, variant) for variant in others)):
        changed: dict[str, Json] = _replaced(arguments, path, other)
        if not violations(schema, changed):
            return changed
    return arguments


def variants(text: str) -> Iterator[str]:
    """Other texts of the same shape: other digits if it has some, else other letters in its longest word."""
    place = max(re.finditer(r"[0-9]+|[A-Za-z]+", text), key=_weight, default=None)
    if place is None:
        yield from (f"{text}{digit}" for digit in string.digits)
        return
    for shift in range(1, 10):
        turned = "".join(_turned(character, shift) for character in place[0])
        yield text[: place.start()] + turned + text[place.end() :]


def _weight(word: re.Match[str]) -> tuple[bool, int]:
    return word[0][0].isdigit(), len(word[0])


def _turned(character: str, shift: int) -> str:
    for ring in (string.digits, string.ascii_lowercase, string.ascii_uppercase):
        if character in ring:
            return ring[(ring.index(character) + shift) % len(ring)]
    return character


def _stands(text: str, where: str) -> bool:
    """Whether a text stands in another, as it is or as a part of JSON."""
    return text in where or json.dumps(text, ensure_ascii=False)[1:-1] in where


def message_text(message: Message) -> str:
    """All that is said in a message."""
    return "\n".join(_texts(message))


def _texts(message: Message) -> Iterator[str]:
    yield message.content or ""
    yield message.reasoning or ""
    for call in message.tool_calls:
        yield call.arguments_text
        yield from (text for _, text in _leaves(_parsed(call.arguments_text), ()))


def _parsed(text: str) -> Json:
    try:
        return parse_json(text)
    except JsonProblem:
        return None


def texts_of(value: Json) -> list[str]:
    """All texts in a value."""
    return [text for _, text in _leaves(value, ())]


def _leaves(value: Json, path: Path) -> Iterator[tuple[Path, str]]:
    """All texts in a value, with the way to each; keys are not texts."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from _leaves(item, (*path, at))


def _at(value: Json, path: Path) -> Json:
    for step in path:
        value = value[step]
    return value


def _replaced(value: Json, path: Path, item: Json) -> Json:
    if not path:
        return item
    step, *rest = path
    changed = dict(value) if isinstance(value, Mapping) else list(value)
    changed[step] = _replaced(value[step], tuple(rest), item)  # type: ignore[index]
    return changed


def _allowed(schema: Json, path: Path) -> list[Json]:
    """The members of the `enum` at a path, as far as `properties` and `items` lead there."""
    for step in path:
        key = "items" if isinstance(step, int) else "properties"
        schema = schema.get(key) if isinstance(schema, Mapping) else None
        if isinstance(step, str) and isinstance(schema, Mapping):
            schema = schema.get(step)
    members = schema.get("enum") if isinstance(schema, Mapping) else None
    return members if isinstance(members, list) else []
