"""A checked file → the values of `script`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from agenteval.canonical import tagged_hash
from agenteval.messages import ToolSpec
from agenteval.scenario.model import (
    AnswerFile,
    CallFile,
    DefaultsFile,
    ExpectFile,
    FactFile,
    PastTurnFile,
    RuleFile,
    ScenarioFile,
    ToolFile,
    ValueFile,
)
from agenteval.script import (
    Change,
    Defaults,
    Expectation,
    ExpectedAnswer,
    ExpectedCall,
    Fact,
    Json,
    MockTool,
    PastCall,
    PastTurn,
    Rule,
    Scenario,
    Turn,
    ValueSpec,
)

_IDENTITY = frozenset({"description", "tags", "defaults", "idle"})


def scenario(file: ScenarioFile, content: Mapping[str, Json], source: str, common: DefaultsFile) -> Scenario:
    """The scenario of a file. `common` are the suite's defaults; what the file itself says goes first."""
    defaults = merged(common, file.defaults)
    return Scenario(
        name=file.name,
        description=file.description,
        tags=tuple(file.tags),
        system=file.system,
        tools=tuple(
            _tool(tool, raw.get("mock", ())) for tool, raw in zip(file.tools, content.get("tools", ()), strict=True)
        ),
        turns=tuple(Turn(turn.user, _expectation(turn.expect)) for turn in file.turns),
        world=file.world,
        values={name: _value(value) for name, value in file.values.items()},
        defaults=defaults,
        source=source,
        hash=_hash(content, defaults),
        facts=tuple(_fact(name, fact) for name, fact in file.facts.items()),
        idle=file.idle,
        history=tuple(map(_past, file.history)),
    )


def merged(common: DefaultsFile, own: DefaultsFile) -> Defaults:
    """The program's defaults, overridden by the suite's, overridden by the scenario's own."""
    defaults = Defaults()
    for part in (common, own):
        defaults = replace(defaults, **part.model_dump(exclude_unset=True))
    return defaults


def _hash(content: Mapping[str, Json], defaults: Defaults) -> str:
    """Of all that a run depends on: what only describes the scenario may change without a new identity."""
    lasting = {key: item for key, item in content.items() if key not in _IDENTITY}
    settings = [defaults.max_steps, defaults.max_tokens, defaults.temperature]
    return tagged_hash({**lasting, "defaults": settings})


def _tool(file: ToolFile, mock: list[Mapping[str, Json]]) -> MockTool:
    rules = tuple(_rule(rule, raw) for rule, raw in zip(file.mock, mock, strict=True))
    read_only = not any(rule.changes for rule in rules)
    return MockTool(ToolSpec(file.name, file.description, file.parameters, read_only), rules)


def _rule(file: RuleFile, raw: Mapping[str, Json]) -> Rule:
    changes = {
        "set": [Change("set", path, value) for path, value in file.set.items()],
        "append": [Change("append", path, value) for path, value in file.append.items()],
        "delete": [Change("delete", path) for path in file.delete],
        "replace": [Change("replace", path, edit.model_dump()) for path, edit in file.replace.items()],
    }
    in_written_order = tuple(change for verb in raw for change in changes.get(verb, ()))
    return Rule(file.when, file.state, in_written_order, file.returns, file.error)


def _value(file: ValueFile) -> ValueSpec:
    return ValueSpec(file.nonce, tuple(file.choice or ()))


def _fact(name: str, file: FactFile) -> Fact:
    where = (file.stated, file.needed, file.stated_call, file.needed_call)
    return Fact(name, file.kind, file.value, *where, tuple(file.stale))


def _past(file: PastTurnFile) -> PastTurn:
    calls = (
        PastCall(
            call.name, call.arguments, (call.result if call.error is None else call.error) or "", call.error is not None
        )
        for call in file.calls
    )
    return PastTurn(file.user, file.answer, tuple(calls), file.parallel)


def _call(file: CallFile) -> ExpectedCall:
    return ExpectedCall(file.name, file.arguments)


def _answer(file: AnswerFile) -> ExpectedAnswer:
    contains = tuple((item,) if isinstance(item, str) else tuple(item) for item in file.contains)
    return ExpectedAnswer(contains, tuple(file.excludes), file.example)


def _expectation(file: ExpectFile) -> Expectation:
    return Expectation(
        calls=None if file.calls is None else tuple(map(_call, file.calls)),
        order=file.order,
        extra=file.extra,
        any_way=file.any_way,
        parallel=file.parallel,
        forbid=tuple(map(_call, file.forbid)),
        answer=_answer(file.answer) if file.answer else None,
        state=file.state,
    )
