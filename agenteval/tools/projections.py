"""What a rule returns beside plain values: `$keys`, `$grep`, `$lines`, `$count`, taken from the world."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from agenteval.script import Json
from agenteval.template import TemplateProblem, get_path, substitute

MAX_HITS = 50


def project(returns: Json, scopes: Mapping[str, Json]) -> Json:
    """A rule's result with placeholders filled in and projections carried out, at any depth."""
    if isinstance(returns, dict):
        word = next((key for key in returns if key in PROJECTIONS), None)
        if word is not None:
            return PROJECTIONS[word](returns, scopes)
        return {key: project(item, scopes) for key, item in zip(_keys(returns, scopes), returns.values(), strict=True)}
    if isinstance(returns, list):
        return [project(item, scopes) for item in returns]
    return substitute(returns, scopes)


def _keys(returns: Mapping[str, Json], scopes: Mapping[str, Json]) -> list[str]:
    return [str(substitute(key, scopes)) for key in returns]


def _place(path: Json, scopes: Mapping[str, Json]) -> Json:
    """What stands at a path like `world.files[args.path]`."""
    root, _, rest = str(path).partition(".")
    if root != "world" or not rest:
        raise TemplateProblem(f"{path!r} does not begin with `world.`")
    return get_path(scopes["world"], rest, scopes)


def _listed(returns: Mapping[str, Json], scopes: Mapping[str, Json]) -> Json:
    """`{$keys: PATH, prefix: TEXT}`: the names in a map, sorted."""
    holder = _place(returns["$keys"], scopes)
    prefix = str(substitute(returns.get("prefix", ""), scopes))
    names = holder if isinstance(holder, dict) else {}
    return sorted(name for name in names if name.startswith(prefix))


def _found(returns: Mapping[str, Json], scopes: Mapping[str, Json]) -> Json:
    """`{$grep: {in: PATH, for: TEXT}}`: lines of a map of texts that hold a text, as `name:line: text`."""
    inside, wanted = returns["$grep"]["in"], str(substitute(returns["$grep"]["for"], scopes))
    texts = _place(inside, scopes)
    hits = (
        f"{name}:{number}: {line.strip()}"
        for name, text in sorted(texts.items() if isinstance(texts, dict) else ())
        if isinstance(text, str)
        for number, line in enumerate(text.splitlines(), start=1)
        if wanted and wanted in line
    )
    return [hit for hit, _ in zip(hits, range(MAX_HITS), strict=False)]


def _lines(returns: Mapping[str, Json], scopes: Mapping[str, Json]) -> Json:
    """`{$lines: {of: PATH, from: N, to: N}}`: lines of a text, both ends included, counted from 1."""
    part = returns["$lines"]
    text = _place(part["of"], scopes)
    first, last = (substitute(part[end], scopes) for end in ("from", "to"))
    if not isinstance(text, str) or not isinstance(first, int) or not isinstance(last, int):
        raise TemplateProblem("lines can only be taken from a text, by whole numbers")
    return "\n".join(text.splitlines()[max(first, 1) - 1 : max(last, 0)])


def _counted(returns: Mapping[str, Json], scopes: Mapping[str, Json]) -> Json:
    """`{$count: PATH}`: how many there are in a list or map."""
    holder = _place(returns["$count"], scopes)
    return len(holder) if isinstance(holder, list | dict) else 0


PROJECTIONS: dict[str, Callable[[Mapping[str, Json], Mapping[str, Json]], Json]] = {
    "$keys": _listed,
    "$grep": _found,
    "$lines": _lines,
    "$count": _counted,
}
