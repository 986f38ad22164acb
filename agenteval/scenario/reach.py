"""What may stand where in a scenario's world: what is there at the beginning, and what rules may put there.

A step that only the run decides (an argument, something in the world, a value of the scenario) may lead to any of the
places that there are. So no path is called missing that could lead somewhere; that a path which could does so as well
shows when the golden course is played (`rehearsal`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import chain, islice
from typing import TypeGuard

from agenteval.document.complaints import did_you_mean
from agenteval.scenario.bind import AT_CALL
from agenteval.script import Json, Scenario
from agenteval.template import Path, Reference, parse_path, placeholders
from agenteval.template.paths import NAME

ANY: Json = object()
"""Something that is not known before a call is made."""

MAX_SAMPLES = 1_000
"""A path that may lead to more places than these, or that more rules may write to, is not judged."""

MAX_NAMED = 8
MAX_GUESSED = 200
_NEW_ITEM = Reference(("world",))
_Written = tuple[Path, Json]


class Reach:
    """Where paths into one scenario's world may lead; paths are those below `world`."""

    def __init__(self, scenario: Scenario) -> None:
        self._world = scenario.world
        self._written: dict[tuple[str | Reference, ...], list[_Written]] = {}
        self._found: dict[Path, list[Json]] = {}
        self._named: dict[Path, list[str]] = {}
        self._open: dict[int, list[str]] = {}
        for change in (change for tool in scenario.tools for rule in tool.rules for change in rule.changes):
            if change.verb in ("set", "append"):
                target = (*parse_path(change.target), *([_NEW_ITEM] if change.verb == "append" else []))
                for key in {(), target[:1], _shelf(target)}:
                    self._written.setdefault(key, []).append((target, change.value))

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
        in_list = any(self._below([item], (last,)) for item in self._at(tuple(holder)))
        return self.missing(tuple(holder)) or (None if in_list else self._lacks(tuple(holder), last))

    def _at(self, path: Path) -> list[Json]:
        """Samples of what may stand at a path; empty if nothing ever does."""
        if path not in self._found:
            writers = self._writers(path)
            written = (
                self._below([value], path[len(target) :])
                for target, value in writers
                if len(target) <= len(path) and all(map(_may_meet, target, path))
            )
            found = chain(self._below([self._world], path), *written) if len(writers) <= MAX_SAMPLES else [ANY]
            self._found[path] = _bounded(found)
        return self._found[path]

    def _below(self, values: list[Json], path: Path) -> list[Json]:
        """What stands at a path below some values."""
        for step in path:
            values = _bounded(child for value in values for child in self._children(value, step))
        return values

    def _children(self, value: Json, step: str | Reference) -> Iterable[Json]:
        if value is ANY or (isinstance(value, str) and any(found.head in AT_CALL for found in placeholders(value))):
            return (ANY,)
        if isinstance(value, dict):
            keys = value if _is_open(step) else (step, *self._open_keys(value))
            return (value[key] for key in keys if key in value)
        if isinstance(value, list):
            return value if _is_open(step) else value[int(step) :][:1] if _is_place(step) else ()
        return ()

    def _open_keys(self, holder: dict[str, Json]) -> list[str]:
        """Keys that only the run decides, of a map that belongs to the scenario."""
        if id(holder) not in self._open:
            self._open[id(holder)] = [key for key in holder if _is_open(key)]
        return self._open[id(holder)]

    def _writers(self, path: Path) -> list[_Written]:
        """What rules write, as far as it may concern a path: looked up by its first two steps."""
        if len(path) < 2:
            return self._written.get((*path, ""), [])
        if _is_open(path[1]):
            return self._written.get(path[:1], [])
        return [one for key in (path[:2], (path[0], _NEW_ITEM), (path[0], "")) for one in self._written.get(key, [])]

    def _lacks(self, holder: Path, step: str | Reference) -> str:
        name = step if isinstance(step, str) else spell((step,))
        known = self._names(holder)
        guess = did_you_mean(name, known) if len(known) <= MAX_GUESSED else ""
        if known:
            there = f"; there are {', '.join(known[:MAX_NAMED])}{', …' if len(known) > MAX_NAMED else ''}"
        else:
            empty = all(item is not ANY and not isinstance(item, list) for item in self._at(holder))
            there = ": nothing stands below it" if empty else ""
        if not holder:
            return f"`{name}` is not a part of the world{guess}{there if known else ''}"
        return f"`world{spell(holder)}` has no `{name}`{guess}{there}"

    def _names(self, holder: Path) -> list[str]:
        """What is known to stand below a path, by name."""
        if holder not in self._named:
            maps = [item for item in self._at(holder) if isinstance(item, dict)]
            writers = self._writers(holder) if len(holder) > 1 else self._written.get(holder, [])
            below = (target for target, _ in writers if maps and len(target) == len(holder) + 1)
            last = {target[-1] for target in below if all(map(_may_meet, target, holder))}
            names = {key for item in maps for key in item} | {name for name in last if isinstance(name, str)}
            self._named[holder] = sorted(name for name in names if "${" not in name)
        return self._named[holder]


def _shelf(target: Path) -> tuple[str | Reference, ...]:
    """Under which first two steps a target is looked up: a second step that only the run decides is any."""
    second = target[1] if len(target) > 1 else ""
    return (target[0], _NEW_ITEM if _is_open(second) else second)


def spell(path: Path) -> str:
    """A path as it is written behind another: `.oven[args.id].celsius`."""
    return "".join(map(_spell_step, path))


def _spell_step(step: str | Reference) -> str:
    name = ".".join(step.names) if isinstance(step, Reference) else step
    plain = isinstance(step, str) and re.fullmatch(NAME, name) and not name.isdigit()
    return f".{name}" if plain else f"[{name}]"


def _bounded(values: Iterable[Json]) -> list[Json]:
    few = list(islice(values, MAX_SAMPLES + 1))
    return few if len(few) <= MAX_SAMPLES else [ANY]


def _may_meet(one: str | Reference, other: str | Reference) -> bool:
    return one == other or _is_open(one) or _is_open(other)


def _is_place(step: str | Reference) -> TypeGuard[str]:
    return isinstance(step, str) and len(step) < 10 and step.isascii() and step.isdigit()


def _is_open(step: str | Reference) -> bool:
    """Whether only the run decides which name this is."""
    return isinstance(step, Reference) or "${" in step
