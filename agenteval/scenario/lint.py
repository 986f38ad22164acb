"""Everything that is wrong with a suite, at once: its files (`loader`), its `${…}` (`references`), whether tools, rules
and expectations agree; and then, whether what is expected brings about what is expected (`rehearsal`).

Not covered: other values than those of seed 0, and other ways to the same end than the golden one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

from agenteval.document.complaints import did_you_mean
from agenteval.document.reader import Path
from agenteval.errors import Problem, UsageError
from agenteval.match import check_matcher, example_of, matches
from agenteval.scenario.bind import AT_CALL, bind, draw
from agenteval.scenario.facts import fact_problems
from agenteval.scenario.loader import Loaded, Source, load
from agenteval.scenario.references import reference_problems
from agenteval.scenario.rehearsal import rehearsal_problems
from agenteval.scenario.sizes import size_problems
from agenteval.schema import check_schema, violations
from agenteval.script import Expectation, ExpectedAnswer, ExpectedCall, Json, MockTool, Rule, Turn
from agenteval.template import TemplateProblem, as_text, substitute
from agenteval.tools import play
from agenteval.wording import either, folded, near_miss, says, stem

SEED = 0
"""The values with which files are checked and rehearsed."""

MISSPELT = 0.8
"""How much a forbidden tool's name must resemble that of a declared one to be taken for it (`difflib`'s ratio)."""


def lint(name_or_path: str) -> list[Problem]:
    """All problems of a suite, file by file. Raises UsageError if there is nothing of that name."""
    return list(linted(name_or_path).problems)


def linted(name_or_path: str) -> Loaded:
    """A suite with all its problems, file by file. Raises UsageError if there is nothing of that name."""
    loaded = load(name_or_path)
    found = [problem for source in loaded.sources for problem in check(source)]
    each = dict.fromkeys((*loaded.problems, *found))
    return replace(loaded, problems=tuple(sorted(each, key=lambda it: (it.file, it.line, it.column))))


def check(source: Source) -> list[Problem]:
    """The problems of one scenario whose file could be loaded; if there are none, those of its rehearsal."""
    return [*reference_problems(source), *_Checker(source).problems()] or [*_rehearsed(source)]


def _rehearsed(source: Source) -> Iterator[Problem]:
    try:
        bound = bind(source.scenario, SEED)
    except UsageError as error:
        yield source.document.problem((), str(error).removeprefix(f"{source.scenario.source}: "))
        return
    problems = list(rehearsal_problems(source, bound))
    yield from problems
    if not problems and (bound.facts or source.size):
        golden = play(bound)
        yield from fact_problems(source, bound, golden)
        yield from size_problems(source, bound, golden)


@dataclass(slots=True)
class _Checker:
    """Checks one scenario, with the values of seed 0 filled in where a value matters."""

    source: Source
    sample: Mapping[str, Json] = field(init=False)
    tools: dict[str, MockTool] = field(default_factory=dict)
    users: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sample = draw(self.source.scenario, SEED)

    def problems(self) -> Iterator[Problem]:
        for place, tool in enumerate(self.source.scenario.tools):
            yield from self._tool(tool, ("tools", place))
        for place, past in enumerate(self.source.scenario.history):
            yield from self._user(past.user, ("history", place), "of the history")
        for place, turn in enumerate(self.source.scenario.turns):
            yield from self._turn(turn, ("turns", place))

    def _tool(self, tool: MockTool, path: Path) -> Iterator[Problem]:
        if tool.spec.name in self.tools:
            yield self._problem((*path, "name"), f"there is already a tool {tool.spec.name!r}")
        self.tools.setdefault(tool.spec.name, tool)
        for fault in check_schema(tool.spec.parameters):
            yield self._problem((*path, "parameters", *fault.place), f"not a valid JSON Schema: {fault.message}")
        if tool.spec.parameters.get("type") != "object":
            yield self._problem((*path, "parameters"), "a tool's arguments are an object; write `type: object`")
        for place, rule in enumerate(tool.rules):
            yield from self._rule(rule, tool, (*path, "mock", place))

    def _rule(self, rule: Rule, tool: MockTool, path: Path) -> Iterator[Problem]:
        yield from self._argument_names(rule.when, tool, (*path, "when"))
        for key, matchers in (("when", rule.when), ("state", rule.state)):
            for name, matcher in matchers.items():
                yield from self._matcher(matcher, (*path, key, name), needs_example=False)

    def _user(self, text: str, path: Path, where: str = "") -> Iterator[Problem]:
        turn = f"turn {int(path[1]) + 1} {where}".rstrip()
        first = self.users.setdefault(text, turn)
        if first != turn:
            yield self._problem((*path, "user"), f"the same text as in {first}; each must be unique")

    def _turn(self, turn: Turn, path: Path) -> Iterator[Problem]:
        yield from self._user(turn.user, path)
        path = (*path, "expect")
        for place, call in enumerate(turn.expect.calls or ()):
            yield from self._call(call, turn.expect, (*path, "calls", place))
        for place, call in enumerate(turn.expect.forbid):
            # a tool that is not offered may be forbidden, too, if it is no slip of the pen
            if call.name in self.tools or get_close_matches(call.name, self.tools, n=1, cutoff=MISSPELT):
                yield from self._named_call(call, (*path, "forbid", place), needs_example=False)
        for name, matcher in turn.expect.state.items():
            yield from self._matcher(matcher, (*path, "state", name), needs_example=False)
        if turn.expect.any_way and not (turn.expect.calls and turn.expect.state):
            yield self._problem((*path, "any_way"), "where any way will do, `calls` show one and a `state` decides")
        yield from self._answer(turn.expect.answer, (*path, "answer"))
        yield from self._steps(turn.expect, (*path, "calls"))

    def _steps(self, expect: Expectation, path: Path) -> Iterator[Problem]:
        calls = len(expect.calls or ())
        steps = (1 if expect.parallel and calls else calls) + 1
        if steps > self.source.scenario.defaults.max_steps:
            message = f"needs {steps} steps, but max_steps is {self.source.scenario.defaults.max_steps}"
            yield self._problem(path, message)

    def _call(self, call: ExpectedCall, expect: Expectation, path: Path) -> Iterator[Problem]:
        faults = list(self._named_call(call, path, needs_example=True))
        yield from faults
        tool = self.tools.get(call.name)
        if faults or not tool or check_schema(tool.spec.parameters):
            return
        try:
            example = example_of(dict(self._filled(call.arguments) or {}))
        except UsageError as error:
            yield self._problem((*path, "arguments"), str(error))
            return
        for fault in violations(tool.spec.parameters, example):
            yield self._problem((*path, "arguments"), f"breaks the schema of {call.name}: {fault}")
        if not tool.rules:
            yield self._problem((*path, "name"), f"{call.name} is expected and has no `mock` rules to answer with")
        if any(_covers(self._filled(one.arguments), example) for one in expect.forbid if one.name == call.name):
            yield self._problem(path, f"{call.name} is expected and forbidden in the same turn")

    def _named_call(self, call: ExpectedCall, path: Path, *, needs_example: bool) -> Iterator[Problem]:
        tool = self.tools.get(call.name)
        if tool is None:
            known = sorted(self.tools)
            message = f"there is no tool {call.name!r}{did_you_mean(call.name, known)}; there are {', '.join(known)}"
            yield self._problem((*path, "name"), message)
        else:
            yield from self._argument_names(call.arguments or {}, tool, (*path, "arguments"))
        for name, matcher in (call.arguments or {}).items():
            yield from self._matcher(matcher, (*path, "arguments", name), needs_example=needs_example)

    def _argument_names(self, arguments: Mapping[str, Json], tool: MockTool, path: Path) -> Iterator[Problem]:
        properties = tool.spec.parameters.get("properties")
        if not isinstance(properties, dict):
            return
        for name in arguments:
            if name not in properties:
                message = f"{tool.spec.name} has no argument {name!r}{did_you_mean(name, sorted(properties))}"
                yield self._problem((*path, name), message, key=True)

    def _matcher(self, matcher: Json, path: Path, *, needs_example: bool) -> Iterator[Problem]:
        for fault in check_matcher(self._filled(matcher), needs_example=needs_example):
            yield self._problem(path, fault.removeprefix("$: "))

    def _answer(self, answer: ExpectedAnswer | None, path: Path) -> Iterator[Problem]:
        if answer is None:
            return
        yield from self._wanted(answer, (*path, "contains"))
        if answer.example is None:
            return
        said = self._text(answer.example)
        for spellings in answer.contains:
            if not says(said, map(self._text, spellings)):
                lacks = either(spellings) + near_miss(said, map(self._text, spellings))
                yield self._problem((*path, "example"), f"the example does not contain {lacks}")
        for text in answer.excludes:
            if says(said, (self._text(text),)):
                yield self._problem((*path, "example"), f"the example contains {text!r}, which is excluded")

    def _wanted(self, answer: ExpectedAnswer, path: Path) -> Iterator[Problem]:
        """Spellings that say nothing new, and those that no right answer can have."""
        asked: dict[frozenset[str], int] = {}
        for place, spellings in enumerate(answer.contains):
            known: dict[str, int] = {}
            for number, text in enumerate(spellings):
                where = (*path, place, number) if len(spellings) > 1 else (*path, place)
                first = known.setdefault(folded(self._text(text)), number)
                if first != number:
                    yield self._problem(where, f"the same as {spellings[first]!r}: case and spacing do not count")
                for unwanted in answer.excludes:
                    if says(stem(self._text(text)), (self._text(unwanted),)):
                        yield self._problem(where, f"no answer may say {text!r}, because {unwanted!r} is excluded")
            before = asked.setdefault(frozenset(known), place)
            if before != place:
                yield self._problem((*path, place), f"asks for the same as contains[{before}]")

    def _text(self, text: str) -> str:
        return as_text(self._filled(text))

    def _filled(self, value: Json) -> Json:
        """With sample values; as it is, where a placeholder cannot be filled in (`references` says so)."""
        try:
            return substitute(value, self.sample, later=AT_CALL)
        except TemplateProblem:
            return value

    def _problem(self, path: Path, message: str, *, key: bool = False) -> Problem:
        return self.source.document.problem(path, message, key=key)


def _covers(forbidden: Mapping[str, Json] | None, arguments: Json) -> bool:
    return forbidden is None or matches(forbidden, arguments)
