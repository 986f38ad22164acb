"""Matchers: what a scenario expects of a JSON value.

A plain value is exact: 25 equals 25.0, true is not 1, a map has exactly these keys, a list exactly these
items. A map with one of the `$` words is a matcher; it may stand anywhere inside a plain value.

    {$any: true}                      anything, if only it is there
    {$regex: "^BUG-[0-9]+$"}          a text in which the pattern is found (anchor it to match the whole)
    {$one_of: [a, {$regex: b}]}       at least one of these matchers holds
    {$approx: 3.14, tolerance: 0.01}  a number at most that far away
    {$contains: x}                    a text with this part, or a list with an item that x matches
    {$subset: {id: 7}}                a map with at least these keys (maps inside it are exact again)
    {$in: [a, b]}                     one of a list's items, or one of a map's keys
    {$absent: true}                   the key is not there (alone, or as an option of $one_of)

Beside a word may stand `example:`, a value that it accepts; open matchers need one where somebody has to
write the value. A pattern that is not decided within `REGEX_SECONDS`, or faces more than `MAX_SUBJECT`
characters, does not hold. Not covered: a plain map that itself has keys beginning with `$`.
"""

from __future__ import annotations

import enum
import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from typing import Any, Final, TypeAlias

import regex

from agenteval.errors import UsageError

Json: TypeAlias = Any

REGEX_SECONDS = 0.25
MAX_PATTERN = 2_000
MAX_SUBJECT = 100_000
MAX_MISMATCHES = 20


class _Absence(enum.Enum):
    ABSENT = "nothing"


ABSENT: Final = _Absence.ABSENT
"""Stands for a value that is not there; only `$absent` matches it."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Where a value is not what was expected. A value that is not there, or should not be, is `ABSENT`."""

    path: str
    expected: Json
    got: Json
    undecided: bool = False

    def __str__(self) -> str:
        if self.undecided:
            return f"{self.path}: {describe(self.expected)} takes too long to decide"
        return f"{self.path}: expected {describe(self.expected)}, got {describe(self.got)}"


def matches(matcher: Json, value: Json) -> bool:
    """Whether a value is what the matcher expects."""
    return next(_differences(matcher, value, "$"), None) is None


def explain(matcher: Json, value: Json) -> tuple[Mismatch, ...]:
    """Every place where a value is not what the matcher expects, the first `MAX_MISMATCHES` of them."""
    return tuple(islice(_differences(matcher, value, "$"), MAX_MISMATCHES))


def example_of(matcher: Json) -> Json:
    """A value that the matcher accepts. Raises UsageError for an open matcher without an `example`."""
    if (name := _word_of(matcher)) is not None:
        if "example" in matcher:
            return matcher["example"]
        word = _WORDS.get(name)
        if word is None or word.example is None or word.problem(matcher[name]):
            raise UsageError(f"the matcher {describe(matcher)} needs an `example:` beside it")
        return word.example(matcher)
    if isinstance(matcher, Mapping):
        return _example_of_map(matcher)
    if isinstance(matcher, list):
        return [example for item in matcher if (example := example_of(item)) is not ABSENT]
    return matcher


def check_matcher(matcher: Json, *, needs_example: bool = True) -> list[str]:
    """What is wrong with a matcher, in sentences. Texts with an open `${…}` are taken to be right."""
    return list(_problems(matcher, "$", needs_example))


def describe(value: Json) -> str:
    """A value or matcher in at most 80 characters."""
    text = str(value.value) if value is ABSENT else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else text[:79] + "…"


# --- comparing ----------------------------------------------------------------------------------------------


def _word_of(matcher: Json) -> str | None:
    """The matcher's word; None for a plain value."""
    if not isinstance(matcher, Mapping):
        return None
    return next((key for key in matcher if key.startswith("$")), None)


def _differences(matcher: Json, value: Json, path: str) -> Iterator[Mismatch]:
    name = _word_of(matcher)
    if name == "$subset" and isinstance(value, Mapping) and isinstance(matcher[name], Mapping):
        yield from _map_differences(matcher[name], value, path, matcher[name])
    elif name is not None:
        holds = _WORDS[name].holds(matcher, value) if name in _WORDS else False
        if not holds:
            yield Mismatch(path, matcher, value, undecided=holds is None)
    elif isinstance(matcher, Mapping) and isinstance(value, Mapping):
        yield from _map_differences(matcher, value, path, {**matcher, **value})
    elif isinstance(matcher, list) and isinstance(value, list) and len(matcher) == len(value):
        for place, (item_matcher, item) in enumerate(zip(matcher, value, strict=True)):
            yield from _differences(item_matcher, item, f"{path}[{place}]")
    elif not _equal(matcher, value):
        yield Mismatch(path, matcher, value)


def _map_differences(
    matcher: Mapping[str, Json], value: Mapping[str, Json], path: str, keys: Mapping[str, Json]
) -> Iterator[Mismatch]:
    for key in keys:
        below = f"{path}.{key}" if key.isidentifier() else f"{path}[{json.dumps(key, ensure_ascii=False)}]"
        if key in matcher:
            yield from _differences(matcher[key], value.get(key, ABSENT), below)
        else:
            yield Mismatch(below, ABSENT, value[key])


def _equal(one: Json, other: Json) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_equal(item, other[key]) for key, item in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    return bool(one == other)


# --- the words ----------------------------------------------------------------------------------------------


def _regex(matcher: Mapping[str, Json], value: Json) -> bool | None:
    if not isinstance(value, str) or _regex_problem(matcher["$regex"]):
        return False
    if len(value) > MAX_SUBJECT:
        return None
    try:
        return regex.search(matcher["$regex"], value, timeout=REGEX_SECONDS) is not None
    except TimeoutError:
        return None


def _approx(matcher: Mapping[str, Json], value: Json) -> bool:
    numbers = (matcher["$approx"], matcher.get("tolerance", 0), value)
    if not all(map(_is_number, numbers)):
        return False
    wanted, tolerance, got = map(Fraction, numbers)
    return abs(wanted - got) <= tolerance


def _is_number(value: Json) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def _contains(matcher: Mapping[str, Json], value: Json) -> bool:
    part = matcher["$contains"]
    if isinstance(value, list):
        return any(matches(part, item) for item in value)
    return isinstance(value, str) and isinstance(part, str) and part in value


def _in(matcher: Mapping[str, Json], value: Json) -> bool:
    holder = matcher["$in"]
    if isinstance(holder, Mapping):
        return isinstance(value, str) and value in holder
    return isinstance(holder, list) and any(_equal(item, value) for item in holder)


def _one_of(matcher: Mapping[str, Json], value: Json) -> bool:
    options = matcher["$one_of"]
    return isinstance(options, list) and any(matches(option, value) for option in options)


def _example_of_map(matcher: Mapping[str, Json]) -> dict[str, Json]:
    examples = {key: example_of(item) for key, item in matcher.items()}
    return {key: example for key, example in examples.items() if example is not ABSENT}


# --- their problems -----------------------------------------------------------------------------------------


def _problems(matcher: Json, path: str, needs_example: bool) -> Iterator[str]:
    if (name := _word_of(matcher)) is not None:
        yield from (f"{path}: {text}" for text in _word_problems(matcher, name, needs_example))
        matcher, needs_example = _inside(matcher, name), needs_example and "example" not in matcher
    if isinstance(matcher, Mapping):
        for key, item in matcher.items():
            yield from _problems(item, f"{path}.{key}", needs_example)
    elif isinstance(matcher, list):
        for place, item in enumerate(matcher):
            yield from _problems(item, f"{path}[{place}]", needs_example)


def _inside(matcher: Mapping[str, Json], name: str) -> Json:
    """The matchers inside a matcher."""
    return matcher[name] if name in ("$one_of", "$subset", "$contains") else None


def _word_problems(matcher: Mapping[str, Json], name: str, needs_example: bool) -> Iterator[str]:
    word = _WORDS.get(name)
    if word is None:
        yield f"`{name}` is no matcher; there are {', '.join(_WORDS)}"
        return
    beside = {"example", "tolerance"} if name == "$approx" else {"example"}
    if strange := sorted(matcher.keys() - beside - {name}):
        yield f"`{strange[0]}` cannot stand beside `{name}`"
    problem = word.problem(matcher[name])
    if problem:
        yield problem
    if name == "$approx" and not _is_number(matcher.get("tolerance")):
        yield "`$approx` needs a number as `tolerance:` beside it"
    if "example" in matcher:
        if not problem and not _open(matcher) and not matches(matcher, matcher["example"]):
            yield f"its example {describe(matcher['example'])} does not match"
    elif needs_example and word.example is None:
        yield f"`{name}` needs an `example:` beside it"


def _open(value: Json) -> bool:
    return "${" in json.dumps(value, ensure_ascii=False, default=str)


def _regex_problem(pattern: Json) -> str | None:
    if not isinstance(pattern, str) or len(pattern) > MAX_PATTERN:
        return f"`$regex` needs a pattern of at most {MAX_PATTERN} characters"
    try:
        regex.compile(pattern)
    except (regex.error, OverflowError, RecursionError, ValueError) as error:
        return f"`$regex` is not a valid pattern: {error}"
    return None


def _needs(test: Callable[[Json], bool], sentence: str) -> Callable[[Json], str | None]:
    return lambda value: None if test(value) or (isinstance(value, str) and "${" in value) else sentence


@dataclass(frozen=True, slots=True)
class _Word:
    """What a word accepts, what may be wrong with what stands after it, and a value that it accepts."""

    holds: Callable[[Mapping[str, Json], Json], bool | None]
    problem: Callable[[Json], str | None]
    example: Callable[[Mapping[str, Json]], Json] | None = None


_WORDS: Mapping[str, _Word] = {
    "$any": _Word(
        lambda _, value: value is not ABSENT,
        _needs(lambda it: it is True, "write `$any: true`"),
    ),
    "$regex": _Word(_regex, lambda it: None if isinstance(it, str) and "${" in it else _regex_problem(it)),
    "$one_of": _Word(
        _one_of,
        _needs(lambda it: isinstance(it, list) and bool(it), "`$one_of` needs a list of matchers"),
        lambda matcher: example_of(matcher["$one_of"][0]),
    ),
    "$approx": _Word(_approx, _needs(_is_number, "`$approx` needs a number"), lambda matcher: matcher["$approx"]),
    "$contains": _Word(_contains, lambda _: None),
    "$subset": _Word(
        lambda *_: False,
        _needs(lambda it: isinstance(it, Mapping), "`$subset` needs a map"),
        lambda matcher: example_of(matcher["$subset"]),
    ),
    "$in": _Word(
        _in,
        _needs(lambda it: isinstance(it, list | Mapping) and bool(it), "`$in` needs a list or a map"),
        lambda matcher: next(iter(matcher["$in"])),
    ),
    "$absent": _Word(
        lambda _, value: value is ABSENT,
        _needs(lambda it: it is True, "write `$absent: true`"),
        lambda _: ABSENT,
    ),
}
