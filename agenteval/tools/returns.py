"""What a rule returns: JSON with placeholders, and projections that look at the world.

    {$keys: world.files, prefix: src/}                           the keys of a map, sorted
    {$count: world.orders}                                       how many entries a map or list has
    {$grep: {in: world.files, for: "${args.query}"}}             "path:line: text" of each line that holds the text
    {$lines: {of: "world.files[args.path]", from: 3, to: 8}}     these lines of a text, from 1, both ends included

An argument that is left out counts as no prefix, the first line, the last line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice

from agenteval.script import Json
from agenteval.template import MissingPath, TemplateProblem, as_text, get_path, substitute

MAX_HITS = 50
MAX_HIT = 200

_Scopes = Mapping[str, Json]


def result_of(returns: Json, scopes: _Scopes) -> Json:
    """The value that a rule returns. Raises TemplateProblem."""
    if isinstance(returns, Mapping):
        word = next((key for key in returns if key in _PROJECTIONS), None)
        if word is not None:
            return _PROJECTIONS[word](returns, scopes)
        return {as_text(_filled(key, scopes)): result_of(item, scopes) for key, item in returns.items()}
    if isinstance(returns, list):
        return [result_of(item, scopes) for item in returns]
    return _filled(returns, scopes)


def _filled(value: Json, scopes: _Scopes) -> Json:
    return substitute(value, scopes, partial=True)


def _optional(value: Json, default: Json, scopes: _Scopes) -> Json:
    try:
        return _filled(value, scopes)
    except MissingPath:
        return default


def _keys(returns: Mapping[str, Json], scopes: _Scopes) -> list[str]:
    holder = get_path(scopes, returns["$keys"], scopes)
    if not isinstance(holder, Mapping):
        raise TemplateProblem(f"`{returns['$keys']}` is not a map")
    prefix = as_text(_optional(returns.get("prefix", ""), "", scopes))
    return sorted(key for key in holder if key.startswith(prefix))


def _count(returns: Mapping[str, Json], scopes: _Scopes) -> int:
    holder = get_path(scopes, returns["$count"], scopes)
    if not isinstance(holder, Mapping | list):
        raise TemplateProblem(f"`{returns['$count']}` is neither a map nor a list")
    return len(holder)


def _grep(returns: Mapping[str, Json], scopes: _Scopes) -> list[str]:
    wanted = returns["$grep"]
    texts, part = get_path(scopes, wanted["in"], scopes), as_text(_filled(wanted["for"], scopes))
    if not isinstance(texts, Mapping):
        raise TemplateProblem(f"`{wanted['in']}` is not a map of texts")
    if not part:
        raise TemplateProblem("an empty text is found everywhere; say what to look for")
    hits = list(islice(_hits(texts, part), MAX_HITS + 1))
    return hits if len(hits) <= MAX_HITS else [*hits[:MAX_HITS], f"… more than {MAX_HITS} lines; narrow the search"]


def _hits(texts: Mapping[str, Json], part: str) -> Iterator[str]:
    for name in sorted(texts):
        lines = texts[name].splitlines() if isinstance(texts[name], str) else ()
        for number, line in enumerate(lines, start=1):
            if part in line:
                yield f"{name}:{number}: {line[:MAX_HIT]}"


def _lines(returns: Mapping[str, Json], scopes: _Scopes) -> str:
    wanted = returns["$lines"]
    text = get_path(scopes, wanted["of"], scopes)
    if not isinstance(text, str):
        raise TemplateProblem(f"`{wanted['of']}` is not a text")
    lines = text.splitlines()
    first = _line_number(wanted.get("from"), 1, scopes)
    last = _line_number(wanted.get("to"), len(lines), scopes)
    return "\n".join(lines[max(first, 1) - 1 : max(last, 0)])


def _line_number(value: Json, default: int, scopes: _Scopes) -> int:
    number = _optional(value, None, scopes)
    if number is None:
        return default
    if not isinstance(number, int) or isinstance(number, bool):
        raise TemplateProblem(f"{as_text(number)} is not a line number")
    return number


_PROJECTIONS: Mapping[str, Callable[[Mapping[str, Json], _Scopes], Json]] = {
    "$keys": _keys,
    "$count": _count,
    "$grep": _grep,
    "$lines": _lines,
}
