"""Whether every `${…}` of a scenario, and every path in its rules, can lead somewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from agenteval.document.complaints import did_you_mean
from agenteval.document.reader import Path
from agenteval.errors import Problem
from agenteval.scenario.bind import AT_CALL
from agenteval.scenario.loader import Source
from agenteval.scenario.projections import projection_path, projections
from agenteval.scenario.reach import Reach, spell
from agenteval.script import Json, MockTool, Rule
from agenteval.template import Path as Steps
from agenteval.template import Reference, malformed, parse_path, placeholders

_RULE_VERBS = frozenset({"set", "append", "delete", "replace"})


@dataclass(frozen=True, slots=True)
class _Text:
    """A text or key of the file, with its place."""

    path: Path
    text: str
    is_key: bool = False


def reference_problems(source: Source) -> Iterator[Problem]:
    """Placeholders that nothing can fill in, paths that begin nowhere, values that nobody uses."""
    names, reach = frozenset(source.scenario.values), Reach(source.scenario)
    for key in ("system", "world", "history", "turns", "facts"):
        yield from _text_problems(source, _texts(source.document.value.get(key), (key,)), names)
    for place, tool in enumerate(source.scenario.tools):
        yield from _tool_problems(source, ("tools", place), tool, reach)
    for place, turn in enumerate(source.scenario.turns):
        for target in turn.expect.state:
            if message := reach.missing(parse_path(target)):
                yield source.document.problem(("turns", place, "expect", "state", target), message, key=True)
    yield from _unused(source)


def _tool_problems(source: Source, path: Path, tool: MockTool, reach: Reach) -> Iterator[Problem]:
    names = frozenset(source.scenario.values)
    file = source.document.value["tools"][path[1]]
    for key in ("description", "parameters"):
        yield from _text_problems(source, _texts(file.get(key), (*path, key)), names)
    scope = _Scope(source, tool.spec.parameters, reach)
    for place, rule in enumerate(tool.rules):
        raw = file["mock"][place]
        yield from scope.problems(raw, (*path, "mock", place), rule)


def _text_problems(source: Source, texts: Iterator[_Text], names: Collection[str]) -> Iterator[Problem]:
    """Where only values are known, a placeholder is the name of one."""
    for text in texts:
        for found in placeholders(text.text):
            if found.head not in names:
                message = f"`{found.text}`: there is no value `{found.head}`{did_you_mean(found.head, sorted(names))}"
                yield source.document.problem(text.path, message, key=text.is_key)
            elif len(found.path) > 1:
                yield source.document.problem(text.path, f"`{found.text}`: a value has no parts", key=text.is_key)
        yield from _malformed(source, text)


def _malformed(source: Source, text: _Text) -> Iterator[Problem]:
    for snippet in malformed(text.text):
        message = f"`{snippet}` is no placeholder; write `$${{` for a literal `${{`"
        yield source.document.problem(text.path, message, key=text.is_key)


@dataclass(frozen=True, slots=True)
class _Scope:
    """What the rules of one tool can see: its arguments, by their schema, and the world."""

    source: Source
    arguments: Json
    world: Reach

    def problems(self, raw: dict[str, Json], path: Path, rule: Rule) -> Iterator[Problem]:
        names = frozenset(self.source.scenario.values)
        for text in _texts(raw, path):
            for found in placeholders(text.text):
                if found.head in AT_CALL:
                    yield from self._complain(text, self._path_problems(found.path))
                elif found.head not in names:
                    yield from _text_problems(self.source, iter((text,)), names | AT_CALL)
            yield from _malformed(self.source, text)
            yield from self._complain(text, self._plain_path_problems(text))
        for projection in projections(rule.returns):
            steps = parse_path(projection_path(projection))
            yield from self._complain(_Text((*path, "returns"), ""), self._path_problems(steps))

    def _complain(self, text: _Text, messages: Iterator[str]) -> Iterator[Problem]:
        for message in messages:
            yield self.source.document.problem(text.path, message, key=text.is_key)

    def _plain_path_problems(self, text: _Text) -> Iterator[str]:
        """A path that stands by itself: what a verb works on, or what a condition on the state looks at."""
        where, key = text.path[4:5], text.path[5:]
        if text.is_key and len(key) == 1 and where and (where[0] in _RULE_VERBS or where[0] == "state"):
            yield from self._below_world(text.text, where[0] == "set")
        elif where == ("delete",) and not text.is_key:
            yield from self._below_world(text.text, False)

    def _below_world(self, text: str, creates: bool) -> Iterator[str]:
        if any(found.head in AT_CALL for found in placeholders(text)):
            yield f"`{text}`: inside a path write [args.x] instead of [${{args.x}}]"
            return
        steps = parse_path(text)
        if message := self.world.unsettable(steps) if creates else self.world.missing(steps):
            yield message
        yield from self._reference_problems(steps)

    def _path_problems(self, steps: Steps) -> Iterator[str]:
        if message := self._missing(steps):
            yield message
        yield from self._reference_problems(steps)

    def _reference_problems(self, steps: Steps) -> Iterator[str]:
        """Those of `[args.x]` and `[world.y]` inside a path."""
        inner = (self._missing(step.names) for step in steps if isinstance(step, Reference))
        yield from (message for message in inner if message)

    def _missing(self, steps: Steps) -> str | None:
        return self.world.missing(steps[1:]) if steps[0] == "world" else _not_an_argument(self.arguments, steps[1:])


def _not_an_argument(schema: Json, steps: Steps) -> str | None:
    """Why a path below `args` can lead to nothing, as far as the schema lists properties; None if it may."""
    for place, step in enumerate(steps):
        known = schema.get("properties") if isinstance(schema, dict) else None
        if not isinstance(known, dict) or not isinstance(step, str):
            return None
        if step not in known:
            there = f"; there are {', '.join(sorted(known))}" if known else ""
            what = f"`args{spell(steps[:place])}` has no `{step}`" if place else f"`{step}` is not an argument"
            return f"{what}{did_you_mean(step, sorted(known))}{there}"
        schema = known[step]
    return None


def _unused(source: Source) -> Iterator[Problem]:
    scenario = source.scenario
    content = {key: item for key, item in source.document.value.items() if key != "values"}
    results = [rule.returns for tool in scenario.tools for rule in tool.rules]
    said = [turn.user for turn in scenario.turns] + [text for turn in scenario.history for text in turn.texts]
    used = {found.head for found in placeholders([content, scenario.system, scenario.world, results, said])}
    for name in scenario.values:
        if name not in used:
            message = f"the value `{name}` is not used; write it as ${{{name}}}"
            yield source.document.problem(("values", name), message, key=True)


def _texts(value: Json, path: Path) -> Iterator[_Text]:
    """All texts and keys below a place of the file."""
    if isinstance(value, str):
        yield _Text(path, value)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield _Text((*path, key), key, is_key=True)
            yield from _texts(item, (*path, key))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _texts(item, (*path, place))
