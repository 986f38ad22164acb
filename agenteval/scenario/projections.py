"""The projections that may stand in a rule's result: which there are, and whether they are written right.

What they give is in `tools.returns`.
"""

from __future__ import annotations

from collections.abc import Iterator

from agenteval.script import Json
from agenteval.template import parse_path

PROJECTION_PATHS = {"$keys": None, "$count": None, "$grep": "in", "$lines": "of"}
"""Where the path stands in each projection: after the word itself, or under this key."""

_PROJECTION_KEYS = {
    "$grep": (frozenset({"in", "for"}), frozenset({"in", "for"})),
    "$lines": (frozenset({"of"}), frozenset({"of", "from", "to"})),
}
_BESIDE = {"$keys": frozenset({"prefix"})}


def projections(value: Json) -> Iterator[dict[str, Json]]:
    """All `{$keys: …}`, `{$grep: …}`, … inside a value: every map that has a key beginning with `$`."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict) and any(key.startswith("$") and not key.startswith("${") for key in item):
            yield item
        elif isinstance(item, dict):
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item


def projection_path(projection: dict[str, Json]) -> Json:
    """The path that a projection looks at."""
    word = next(key for key in projection if key.startswith("$"))
    key = PROJECTION_PATHS[word]
    return projection[word] if key is None else projection[word][key]


def checked_result(value: Json) -> Json:
    """What a rule returns, if its projections are right. Raises ValueError."""
    for projection in projections(value):
        _check_projection(projection)
    return value


def _check_projection(projection: dict[str, Json]) -> None:
    word = next(key for key in projection if key.startswith("$"))
    if word not in PROJECTION_PATHS:
        raise ValueError(f"`{word}` is unknown in a result; there are {', '.join(PROJECTION_PATHS)}")
    if strange := sorted(projection.keys() - {word} - _BESIDE.get(word, frozenset())):
        raise ValueError(f"`{strange[0]}` cannot stand beside `{word}`")
    if word in _PROJECTION_KEYS:
        required, allowed = _PROJECTION_KEYS[word]
        keys = projection[word].keys() if isinstance(projection[word], dict) else frozenset()
        if not required <= keys <= allowed:
            raise ValueError(f"`{word}` needs {' and '.join(sorted(required))}, and takes {', '.join(sorted(allowed))}")
    path = projection_path(projection)
    if not isinstance(path, str) or parse_path(path)[0] not in ("world", "args"):
        raise ValueError(f"`{word}` needs a path that begins with world. or args., without ${{}}")
