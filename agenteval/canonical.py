"""The only hashing: canonical JSON, tagged hashes, and the seeds that are derived from them.

Canonical JSON sorts keys, has no spaces, writes 25.0 as 25 and refuses NaN, so that equal values have equal
hashes. `parse_json` is the strict reader for a model's arguments.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, NoReturn

MAX_JSON_DEPTH = 64
_HALF_PAIR = re.compile("[\ud800-\udfff]")
_WRITER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


class JsonProblem(ValueError):
    """A text that is not JSON, with the reason in words."""


def normal(value: Any) -> Any:
    """The same value with integral floats as integers, and tuples as lists."""
    if isinstance(value, dict):
        return {str(key): normal(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [normal(item) for item in value]
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return int(value)
    return value


def canonical_json(value: Any) -> str:
    """One spelling per value: sorted keys, no spaces, integral floats as integers. Raises ValueError for NaN."""
    text = _WRITER.encode(value)
    integral = ".0" in text or "e+" in text  # as Python spells such floats: 25.0, 1e+16
    return _WRITER.encode(normal(value)) if integral else text


def tagged_hash(value: Any) -> str:
    """`sha256:` and 64 hex digits of the canonical JSON of a value (of the bytes, for bytes)."""
    data = value if isinstance(value, bytes) else canonical_json(value).encode("utf-8", "surrogatepass")
    return "sha256:" + hashlib.sha256(data).hexdigest()


class ListHash:
    """`tagged_hash` of a list that grows at its end: what was hashed before is not hashed again."""

    def __init__(self) -> None:
        self._states: list[Any] = []

    def of(self, items: Sequence[Any], kept: int) -> str:
        """The hash of the list of these items, of which the first `kept` are those of the last time."""
        del self._states[kept:]
        for item in items[kept:]:
            state = self._states[-1].copy() if self._states else hashlib.sha256(b"[")
            state.update(f"{',' if self._states else ''}{canonical_json(item)}".encode("utf-8", "surrogatepass"))
            self._states.append(state)
        whole = self._states[-1].copy() if self._states else hashlib.sha256(b"[")
        whole.update(b"]")
        return f"sha256:{whole.hexdigest()}"


def short_hash(value: Any, digits: int = 12) -> str:
    """The first hex digits of `tagged_hash`, for names."""
    return tagged_hash(value).removeprefix("sha256:")[:digits]


def seed_of(*parts: str | int) -> int:
    """A 31-bit seed that depends on all parts and nothing else (servers take signed 32-bit seeds)."""
    return int(short_hash(list(parts), 16), 16) & 0x7FFF_FFFF


def _refuse_constant(name: str) -> NoReturn:
    raise JsonProblem(f"{name} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise JsonProblem("a number beyond all bounds")
    return number


_READER = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)


def parse_json(text: str) -> Any:
    """Strict JSON: no NaN or Infinity, no number beyond all bounds, no half surrogate pair, at most `MAX_JSON_DEPTH`
    levels; of a repeated key the last one wins.

    Whatever it returns can be written as JSON again. Raises JsonProblem with a reason that fits into a sentence.
    """
    try:
        value = _READER.decode(text)
    except json.JSONDecodeError as error:
        raise JsonProblem(f"{error.msg} at character {error.pos}") from error
    except RecursionError as error:
        raise JsonProblem("nested too deeply") from error
    except JsonProblem:
        raise
    except ValueError as error:  # integers of more digits than Python converts
        raise JsonProblem(str(error)) from error
    if text.count("[") + text.count("{") >= MAX_JSON_DEPTH:
        _refuse_depth(value)
    if not text.isascii() or "\\u" in text:
        _refuse_half_pairs(value)
    return value


def _levels(value: Any) -> Iterator[list[Any]]:
    """The value, what stands in it, what stands in that, …: level by level, so that no depth can exhaust the stack."""
    level = [value]
    while level:
        yield level
        level = [child for item in level for child in _children(item)]


def _children(item: Any) -> Iterable[Any]:
    return (*item, *item.values()) if isinstance(item, dict) else item if isinstance(item, list) else ()


def _refuse_depth(value: Any) -> None:
    if any(depth >= MAX_JSON_DEPTH for depth, _ in enumerate(_levels(value))):
        raise JsonProblem(f"nested deeper than {MAX_JSON_DEPTH} levels")


def _refuse_half_pairs(value: Any) -> None:
    for item in chain.from_iterable(_levels(value)):
        if isinstance(item, str) and not item.isascii() and _HALF_PAIR.search(item):
            raise JsonProblem("half a surrogate pair in a string")
