"""What may stand where in a scenario's world: what is there at the beginning, and what rules may put there.

A step that only the run decides (an argument, something in the world, a value of the scenario) may lead to any of the
places that there are. So no path is called missing that could lead somewhere; that a path which could does so as well
shows when the golden course is played (`rehearsal`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import chain, islice

from agenteval.scenario.bind import AT_CALL
from agenteval.scenario.complaints import did_you_mean
from agenteval.script import Json, Scenario
from agenteval.template import Path, Reference, parse_path, placeholders
from agenteval.template.paths import NAME

ANY: Json = object()
"""Something that is not known before a call is made."""

MAX_SAMPLES = 1_000
"""A path that may lead to more places than these is not judged."""

MAX_NAMED = 8
_NEW_ITEM = Reference(("world",))


class Reach:
    """Where paths into one scenario's world may lead; paths are those below `world`."""

    def __init__(self, scenario: Scenario) -> None:
        self._world = scenario.world
        self._written = [
            ((*parse_path(change.target), *([_NEW_ITEM] if change.verb == "append" else [])), change.value)
            for tool in scenario.tools
            for rule in tool.rules
            for change in rule.changes
            if change.verb in ("set", "append")
        ]
        self._found: dict[Path, list[Json]] = {}

    def missing(self, path: Path) -> str | None:
        """Why a path can lead to nothing, in a sentence; None if it may lead somewhere."""
        for count, step in enumerate(path):
            if not self._at(path[: count + 1]):
                return self._lacks(path[:count], step)
        return None

    def unsettable(self, path: Path) -> str | None:
        """Why nothing can be put at a path; None if it may be possible."""
        *holder, last = path
        if not holder or any(item is ANY or isinstance(item, dict) for item in self._at(tuple(holder))):
            return None
        in_list = any(_below([item], (last,)) for item in self._at(tuple(holder)))
        return self.missing(tuple(holder)) or (None if in_list else self._lacks(tuple(holder), last))

    def _at(self, path: Path) -> list[Json]:
        """Samples of what may stand at a path; empty if nothing ever does."""
        if path not in self._found:
            written = (
                _below([value], path[len(target) :])
                for target, value in self._written
                if len(target) <= len(path) and all(map(_may_meet, target, path))
            )
            self._found[path] = _bounded(chain(_below([self._world], path), *written))
        return self._found[path]

    def _lacks(self, holder: Path, step: str | Reference) -> str:
        name = step if isinstance(step, str) else spell((step,))
        known = self._names(holder)
        if known:
            there = f"; there are {', '.join(known[:MAX_NAMED])}{', …' if len(known) > MAX_NAMED else ''}"
        else:
            there = "" if any(isinstance(item, list) for item in self._at(holder)) else ": nothing stands below it"
        if not holder:
            return f"`{name}` is not a part of the world{did_you_mean(name, known)}{there if known else ''}"
        return f"`world{spell(holder)}` has no `{name}`{did_you_mean(name, known)}{there}"

    def _names(self, holder: Path) -> list[str]:
        """What is known to stand below a path, by name."""
        maps = [item for item in self._at(holder) if isinstance(item, dict)]
        names = {key for item in maps for key in item}
        if maps:
            targets = (target for target, _ in self._written if len(target) == len(holder) + 1)
            last = (target[-1] for target in targets if all(map(_may_meet, target, holder)))
            names |= {name for name in last if isinstance(name, str)}
        return sorted(name for name in names if "${" not in name)


def spell(path: Path) -> str:
    """A path as it is written behind another: `.oven[args.id].celsius`."""
    return "".join(map(_spell_step, path))


def _spell_step(step: str | Reference) -> str:
    name = ".".join(step.names) if isinstance(step, Reference) else step
    plain = isinstance(step, str) and re.fullmatch(NAME, name) and not name.isdigit()
    return f".{name}" if plain else f"[{name}]"


def _below(values: list[Json], path: Path) -> list[Json]:
    """What stands at a path below some values."""
    for step in path:
        values = _bounded(child for value in values for child in _children(value, step))
    return values


def _children(value: Json, step: str | Reference) -> Iterable[Json]:
    if value is ANY or (isinstance(value, str) and any(found.head in AT_CALL for found in placeholders(value))):
        return (ANY,)
    if isinstance(value, dict):
        return value.values() if _is_open(step) else (item for key, item in value.items() if _may_meet(key, step))
    if isinstance(value, list):
        return value if _is_open(step) else (item for at, item in enumerate(value) if str(at) == step)
    return ()


def _bounded(values: Iterable[Json]) -> list[Json]:
    few = list(islice(values, MAX_SAMPLES + 1))
    return few if len(few) <= MAX_SAMPLES else [ANY]


def _may_meet(one: str | Reference, other: str | Reference) -> bool:
    return one == other or _is_open(one) or _is_open(other)


def _is_open(step: str | Reference) -> bool:
    """Whether only the run decides which name this is."""
    return isinstance(step, Reference) or "${" in step
