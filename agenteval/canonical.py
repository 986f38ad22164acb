"""The only hashing: canonical JSON, tagged hashes, and the seeds that are derived from them.

Canonical JSON sorts keys, has no spaces, writes 25.0 as 25 and refuses NaN, so that equal values have equal
hashes. `parse_json` is the strict reader for a model's arguments.
"""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any, NoReturn

MAX_JSON_DEPTH = 64


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
    return json.dumps(normal(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def tagged_hash(value: Any) -> str:
    """`sha256:` and 64 hex digits of the canonical JSON of a value (of the bytes, for bytes)."""
    data = value if isinstance(value, bytes) else canonical_json(value).encode("utf-8", "surrogatepass")
    return "sha256:" + hashlib.sha256(data).hexdigest()


def short_hash(value: Any, digits: int = 12) -> str:
    """The first hex digits of `tagged_hash`, for names."""
    return tagged_hash(value).removeprefix("sha256:")[:digits]


def seed_of(*parts: str | int) -> int:
    """A 31-bit seed that depends on all parts and nothing else (servers take signed 32-bit seeds)."""
    return int(short_hash(list(parts), 16), 16) & 0x7FFF_FFFF


def _refuse_constant(name: str) -> NoReturn:
    raise JsonProblem(f"{name} is not JSON")


def parse_json(text: str) -> Any:
    """Strict JSON: no NaN or Infinity, at most `MAX_JSON_DEPTH` levels; of a repeated key the last one wins.

    Raises JsonProblem with a reason that fits into a sentence.
    """
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise JsonProblem(f"{error.msg} at character {error.pos}") from error
    except RecursionError as error:
        raise JsonProblem("nested too deeply") from error
    except ValueError as error:  # integers of more digits than Python converts
        raise JsonProblem(str(error)) from error
    if _deeper_than(value, MAX_JSON_DEPTH):
        raise JsonProblem(f"nested deeper than {MAX_JSON_DEPTH} levels")
    return value


def _deeper_than(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = [
            child
            for item in level
            if isinstance(item, dict | list)
            for child in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return False
    return True
