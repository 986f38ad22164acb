"""The world that tools work on: JSON that rules change, with every earlier state still intact."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from agenteval.canonical import tagged_hash
from agenteval.script import Change, Json
from agenteval.template import TemplateProblem, delete_path, get_path, set_path, substitute
from agenteval.template.placeholders import MAX_SIZE


class NotOnce(TemplateProblem):
    """An edit whose old text stands there never, or more than once."""


@dataclass(slots=True)
class World:
    """A scenario's state, deep-copied at the beginning. Changes replace `state` and never alter what it was before."""

    state: Json

    def __post_init__(self) -> None:
        self.state = copy.deepcopy(self.state)

    def copy(self) -> World:
        """A world that goes its own way from here."""
        return copy.copy(self)

    def hash(self) -> str:
        """`sha256:…`, equal for equal states."""
        return tagged_hash(self.state)


def changed(state: Json, change: Change, arguments: Mapping[str, Json]) -> Json:
    """The state after one change. Raises TemplateProblem if it cannot be made."""
    scopes = {"args": arguments, "world": state}
    value = substitute(change.value, scopes, partial=True)
    return _VERBS[change.verb](state, change.target, value, scopes)


_Scopes = Mapping[str, Json]


def _set(state: Json, target: str, value: Json, scopes: _Scopes) -> Json:
    return set_path(state, target, value, scopes)


def _append(state: Json, target: str, value: Json, scopes: _Scopes) -> Json:
    """To a list its new last item, to a text more text."""
    present = get_path(state, target, scopes)
    if isinstance(present, list):
        return set_path(state, target, [*present, value], scopes)
    if isinstance(present, str) and isinstance(value, str):
        return set_path(state, target, _bounded(present + value), scopes)
    raise TemplateProblem(f"nothing can be appended to `{target}`: it is no list, and not both are texts")


def _delete(state: Json, target: str, _: Json, scopes: _Scopes) -> Json:
    return delete_path(state, target, scopes)


def _replace(state: Json, target: str, value: Json, scopes: _Scopes) -> Json:
    """An edit of a text, in which `old` has to stand exactly once."""
    text, old, new = get_path(state, target, scopes), value["old"], value["new"]
    if not (isinstance(text, str) and isinstance(old, str) and isinstance(new, str)) or not old:
        raise TemplateProblem("only a text can be replaced, by a text, in a text")
    times = text.count(old)
    if times != 1:
        raise NotOnce(f"the text to be replaced stands there {times} times; it has to stand there exactly once")
    return set_path(state, target, _bounded(text.replace(old, new)), scopes)


def _bounded(text: str) -> str:
    if len(text) > MAX_SIZE:
        raise TemplateProblem(f"the text would be larger than {MAX_SIZE:,} characters")
    return text


_VERBS: Mapping[str, Callable[[Json, str, Json, _Scopes], Json]] = {
    "set": _set,
    "append": _append,
    "delete": _delete,
    "replace": _replace,
}
