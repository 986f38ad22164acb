"""Whether a value keeps a JSON Schema: 2020-12, or draft-07 where `$schema` declares it.

Nothing here touches the network, and nothing runs without an end: references to other documents are refused,
patterns (searched for with `regex`) share `PATTERN_SECONDS` for one value, and all keywords together have
`MAX_STEPS`. What cannot be decided is a violation that says so, and so is any value under an invalid schema.
Multiples are exact decimals: 0.3 is a multiple of 0.1.

Not covered: `format` (an annotation), `unevaluatedProperties` beside `patternProperties`, other drafts,
references to metaschemas or to places of the schema that are no schema.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import islice
from typing import Any, TypeAlias

import regex
from jsonschema import Draft7Validator, Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend, validator_for
from referencing import Registry, Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import specification_with

from agenteval.canonical import canonical_json, normal
from agenteval.clock import NS_PER_S, RealClock

Json: TypeAlias = Any

MAX_STEPS = 100_000
PATTERN_SECONDS = 0.25
MAX_VIOLATIONS = 20
MAX_MESSAGE = 200

_INFINITE = (math.inf, -math.inf)
_DATA_KEYWORDS = frozenset({"const", "default", "enum", "examples"})


@dataclass(frozen=True, slots=True)
class Violation:
    """One place where a value breaks its schema; the path begins at the value: `$.days[0]`."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


def violations(schema: Mapping[str, Json], value: Json) -> tuple[Violation, ...]:
    """Where a value breaks a schema, at most `MAX_VIOLATIONS` places; empty: it keeps it. Never raises."""
    compiled = _compiled(schema)
    if compiled.validator is None:
        return (Violation("$", _clip(f"the schema is invalid: {compiled.problems[0]}")),)
    return tuple(_judge(compiled.validator, value))


@dataclass(frozen=True, slots=True)
class SchemaFault:
    """What is wrong with a schema, in a sentence, and the steps to where it is wrong."""

    place: tuple[str | int, ...]
    message: str

    def __str__(self) -> str:
        return f"{_spelt(self.place)}: {self.message}" if self.place else self.message


def check_schema(schema: Json) -> list[SchemaFault]:
    """All that is wrong with a schema; a reference that leads out of it is wrong too."""
    return list(_compiled(schema).problems)


@dataclass(frozen=True, slots=True)
class _Compiled:
    """Without problems, and then with a validator; or the other way round."""

    problems: tuple[SchemaFault, ...]
    validator: Validator | None = None


def _compiled(schema: Json) -> _Compiled:
    try:
        return _compiled_text(canonical_json(schema))
    except (ValueError, TypeError, RecursionError):
        return _Compiled((SchemaFault((), "the schema is not JSON, or nested too deeply"),))


@lru_cache(maxsize=1024)
def _compiled_text(text: str) -> _Compiled:
    schema = json.loads(text)
    draft, inner = _draft_of(schema), _without_declarations(schema)
    if problems := [SchemaFault(place, _clip(said)) for place, said in _problems(schema, inner, draft)]:
        return _Compiled(tuple(problems))
    validator = draft(inner, registry=Registry())
    endless = [SchemaFault((), found.message) for found in _judge(validator, {}) if found.message in _ENDLESS]
    return _Compiled(tuple(endless), None if endless else validator)


def _draft_of(schema: Json) -> type[Validator]:
    declared = schema.get("$schema") if isinstance(schema, dict) else None
    return _DRAFT7 if isinstance(declared, str) and "draft-07" in declared else _DRAFT202012


def _without_declarations(schema: Json) -> Json:
    """Without `$schema`, because a nested one would switch to a validator that is not bounded."""
    if isinstance(schema, list):
        return [_without_declarations(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: item if key in _DATA_KEYWORDS else _without_declarations(item)
        for key, item in schema.items()
        if not (key == "$schema" and isinstance(item, str))
    }


_Fault: TypeAlias = tuple[tuple[str | int, ...], str]


def _problems(schema: Json, inner: Json, draft: type[Validator]) -> Iterator[_Fault]:
    if not isinstance(schema, dict):
        yield (), "a schema is a map"
        return
    declared = schema.get("$schema", "2020-12")
    if not isinstance(declared, str) or not ("2020-12" in declared or "draft-07" in declared):
        yield ("$schema",), f"`$schema` names {declared}; there are 2020-12 (the default) and draft-07"
    errors = validator_for(draft.META_SCHEMA)(draft.META_SCHEMA).iter_errors(schema)
    farthest = (max(error.context or [error], key=lambda inner: len(inner.absolute_path)) for error in errors)
    faults = [(tuple(error.absolute_path), error.message) for error in islice(farthest, MAX_VIOLATIONS)]
    yield from faults
    if not faults:
        yield from _inner_problems(inner, draft)


def _inner_problems(schema: Json, draft: type[Validator]) -> Iterator[_Fault]:
    try:
        parts = _parts(specification_with(str(draft.META_SCHEMA["$id"])).create_resource(schema))
    except (Unresolvable, ValueError) as error:
        yield (), f"its identifiers cannot be read: {error}"
        return
    places = dict(_places(schema, ()))
    for part, resolver in parts:
        place = places.get(id(part), ())
        for word in ("$ref", "$dynamicRef"):
            if part.get(word) and not _leads_into(parts, part[word], resolver):
                said = f"`{part[word]}` is no part of the schema, and other documents are never fetched"
                yield (*place, word), said
        yield from ((place + below, said) for below, said in _pattern_problems(part))
    if {"unevaluatedProperties", "patternProperties"} <= {keyword for part, _ in parts for keyword in part}:
        yield (), "`unevaluatedProperties` and `patternProperties` cannot be used together here"


def _places(value: Json, above: tuple[str | int, ...]) -> Iterator[tuple[int, tuple[str | int, ...]]]:
    """The id of each map in a schema, and where it stands."""
    if isinstance(value, dict):
        yield id(value), above
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in items:
        yield from _places(item, (*above, step))


def _parts(root: Resource[Json]) -> list[tuple[dict[str, Json], Any]]:
    """All schemas inside a schema that are maps, each with what resolves its references."""
    resolver = Registry().with_resource(root.id() or "", root).crawl().resolver_with_root(root)
    waiting, parts = [(root, resolver)], []
    while waiting:
        resource, resolver = waiting.pop()
        if isinstance(resource.contents, dict):
            parts.append((resource.contents, resolver))
        waiting += [(inner, resolver.in_subresource(inner)) for inner in resource.subresources()]
    return parts


def _leads_into(parts: list[tuple[dict[str, Json], Any]], reference: str, resolver: Any) -> bool:
    try:
        target = resolver.lookup(reference).contents
    except (Unresolvable, ValueError):
        return False
    return isinstance(target, bool) or any(target is part for part, _ in parts)


def _pattern_problems(schema: dict[str, Json]) -> Iterator[_Fault]:
    named = ((("patternProperties", pattern), pattern) for pattern in schema.get("patternProperties", ()))
    for place, pattern in ((("pattern",), schema.get("pattern", "")), *named):
        try:
            regex.compile(pattern)
        except (regex.error, OverflowError, RecursionError, ValueError) as error:
            yield place, f"the pattern {pattern!r} is not valid: {error}"


class _Undecided(Exception):
    """Carries the reason through jsonschema up to `_judge`."""


class _Budget:
    """What one value may still cost."""

    def __init__(self) -> None:
        self.steps = MAX_STEPS
        self.pattern_ns = int(PATTERN_SECONDS * NS_PER_S)

    def step(self) -> None:
        self.steps -= 1
        if self.steps < 0:
            raise _Undecided(_ENDLESS[0])

    def finds(self, pattern: str, text: str) -> bool:
        """Whether a pattern is found in a text, as long as there is time."""
        before = RealClock.now()
        try:
            return regex.search(pattern, text, timeout=max(self.pattern_ns / NS_PER_S, 0.001)) is not None
        except TimeoutError:
            raise _Undecided(f"cannot be decided: the pattern {pattern!r} takes too long") from None
        finally:
            self.pattern_ns -= RealClock.now() - before


_BUDGET: ContextVar[_Budget] = ContextVar("_BUDGET")
_ENDLESS = (
    "cannot be decided: checking it takes too many steps",
    "cannot be decided: the schema refers to itself without end, or the value is nested too deeply",
)


def _judge(validator: Validator, value: Json) -> Iterator[Violation]:
    token = _BUDGET.set(_Budget())
    try:
        for error in islice(validator.iter_errors(value), MAX_VIOLATIONS):
            yield Violation(_spelt(error.absolute_path), _clip(error.message))
    except _Undecided as reason:
        yield Violation("$", _clip(str(reason)))
    except RecursionError:
        yield Violation("$", _ENDLESS[1])
    finally:
        _BUDGET.reset(token)


def _spelt(place: Iterable[str | int]) -> str:
    """`$.days[0]`."""
    return "$" + "".join(
        f".{part}" if isinstance(part, str) and part.isidentifier() else f"[{json.dumps(part)}]" for part in place
    )


def _clip(message: str) -> str:
    """Both ends of a long message: values stand in front, what is wrong with them behind."""
    half = MAX_MESSAGE // 2
    return message if len(message) <= MAX_MESSAGE else f"{message[: half - 1]}…{message[-half:]}"


_Keyword: TypeAlias = Callable[[Validator, Any, Any, Any], Iterator[ValidationError]]


def _counted(keyword: _Keyword) -> _Keyword:
    def count(validator: Validator, wanted: Json, value: Json, schema: Json) -> Iterator[ValidationError]:
        _BUDGET.get().step()
        return keyword(validator, wanted, value, schema)

    return count


def _pattern(validator: Validator, pattern: str, value: Json, _: Json) -> Iterator[ValidationError]:
    if isinstance(value, str) and not _BUDGET.get().finds(pattern, value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


def _pattern_properties(validator: Any, patterns: Json, value: Json, _: Json) -> Iterator[ValidationError]:
    if isinstance(value, dict):
        for pattern, schema in patterns.items():
            for key in value:
                if _BUDGET.get().finds(pattern, key):
                    yield from validator.descend(value[key], schema, path=key, schema_path=pattern)


def _additional(validator: Any, wanted: Json, value: Json, schema: Json) -> Iterator[ValidationError]:
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    for key in value if isinstance(value, dict) else ():
        if key in known or any(_BUDGET.get().finds(pattern, key) for pattern in patterns):
            continue
        if wanted is False:
            yield ValidationError(f"{key!r} is not a known property")
        else:
            yield from validator.descend(value[key], wanted, path=key)


def _multiple_of(validator: Validator, unit: Json, value: Json, _: Json) -> Iterator[ValidationError]:
    if validator.is_type(value, "number") and (value in _INFINITE or _exact(value) % _exact(unit)):
        yield ValidationError(f"{value!r} is not a multiple of {unit}")


def _exact(number: float) -> Fraction:
    return Fraction(number if isinstance(number, int) else str(number))


def _unique(_: Validator, wanted: Json, value: Json, __: Json) -> Iterator[ValidationError]:
    if wanted and isinstance(value, list):
        spellings = {json.dumps(normal(item), sort_keys=True) for item in value}
        if len(spellings) < len(value):
            yield ValidationError(f"{value!r} has non-unique elements")


_BOUNDED: Mapping[str, _Keyword] = {
    "additionalProperties": _additional,
    "multipleOf": _multiple_of,
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "uniqueItems": _unique,
}


def _bounded(stock: type[Validator]) -> type[Validator]:
    keywords = {**stock.VALIDATORS, **_BOUNDED}
    counted = {name: _counted(keyword) for name, keyword in keywords.items()}
    return extend(stock, counted)  # type: ignore[no-untyped-call, no-any-return]  # the stubs say nothing


_DRAFT202012 = _bounded(Draft202012Validator)
_DRAFT7 = _bounded(Draft7Validator)
