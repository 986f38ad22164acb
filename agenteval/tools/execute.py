"""One call → its result and its effect on the world, as a real harness would answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from agenteval.canonical import JsonProblem, parse_json
from agenteval.match import matches
from agenteval.messages import ToolCall
from agenteval.schema import violations
from agenteval.script import Change, Json, MockTool, Rule, Scenario
from agenteval.template import TemplateProblem, as_text, delete_path, get_path, set_path, substitute
from agenteval.tools.projections import project
from agenteval.tools.world import World

MAX_RESULT = 64 * 1024
"""Characters of a result; what is longer is cut, and says so."""

MAX_TOLD = 3

ErrorKind = Literal["unknown_tool", "invalid_arguments", "tool_error"]


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What the model reads. `error_kind` None: the call succeeded."""

    content: str
    error_kind: ErrorKind | None = None

    @property
    def is_error(self) -> bool:
        return self.error_kind is not None


class _Refused(Exception):
    """A tool cannot do what was asked; the text is for the model."""


def execute(scenario: Scenario, world: World, call: ToolCall) -> ToolResult:
    """Carry out a call of a bound scenario's tools; changes `world` if a rule says so."""
    tool = next((item for item in scenario.tools if item.spec.name == call.name), None)
    if tool is None:
        names = ", ".join(item.spec.name for item in scenario.tools) or "none"
        return ToolResult(f"Error: there is no tool {call.name!r}. Available tools: {names}.", "unknown_tool")
    try:
        arguments = _arguments(tool, call.arguments_text)
    except _Refused as problem:
        return ToolResult(f"Error: {problem}", "invalid_arguments")
    try:
        return ToolResult(_cut(_answer(tool, world, arguments)))
    except (_Refused, TemplateProblem) as problem:
        return ToolResult(_cut(f"Error: {problem}"), "tool_error")


def _arguments(tool: MockTool, text: str) -> dict[str, Any]:
    try:
        arguments = parse_json(text)
    except JsonProblem as problem:
        raise _Refused(f"the arguments of {tool.spec.name} are not valid JSON: {problem}") from problem
    if not isinstance(arguments, dict):
        raise _Refused(f"the arguments of {tool.spec.name} must be a JSON object")
    broken = violations(tool.spec.parameters, arguments)
    if broken:
        told = "; ".join(f"{item.path}: {item.message}" for item in broken[:MAX_TOLD])
        raise _Refused(f"invalid arguments for {tool.spec.name}: {told}")
    return arguments


def _answer(tool: MockTool, world: World, arguments: Mapping[str, Json]) -> str:
    """The text of the first rule that holds, its changes done; none of them if one cannot be."""
    scopes = {"args": arguments, "world": world.state}
    rule = next((rule for rule in tool.rules if _holds(rule, scopes)), None)
    if rule is None:
        raise _Refused(f"{tool.spec.name} cannot do this with these arguments")
    state = world.state
    for change in rule.changes:
        state = _changed(state, change, {**scopes, "world": state})
    scopes = {"args": arguments, "world": state}
    if rule.error is not None:
        world.state = state
        raise _Refused(as_text(substitute(rule.error, scopes)))
    text = as_text(project(rule.returns, scopes))
    world.state = state
    return text


def _holds(rule: Rule, scopes: Mapping[str, Json]) -> bool:
    try:
        return _arguments_hold(rule, scopes) and _state_holds(rule, scopes)
    except TemplateProblem:
        return False


def _arguments_hold(rule: Rule, scopes: Mapping[str, Json]) -> bool:
    arguments = scopes["args"]
    return all(
        name in arguments and matches(substitute(matcher, scopes), arguments[name])
        for name, matcher in rule.when.items()
    )


def _state_holds(rule: Rule, scopes: Mapping[str, Json]) -> bool:
    return all(
        matches(substitute(matcher, scopes), get_path(scopes["world"], path, scopes))
        for path, matcher in rule.state.items()
    )


def _changed(state: Json, change: Change, scopes: Mapping[str, Json]) -> Json:
    if change.verb == "delete":
        return delete_path(state, change.target, scopes)
    value = substitute(change.value, scopes)
    if change.verb == "set":
        return set_path(state, change.target, value, scopes)
    old = get_path(state, change.target, scopes)
    new = _appended(old, value) if change.verb == "append" else _edited(old, value, change.target)
    return set_path(state, change.target, new, scopes)


def _appended(old: Json, value: Json) -> Json:
    if isinstance(old, list):
        return [*old, value]
    if isinstance(old, str) and isinstance(value, str):
        return old + value
    raise _Refused("nothing can be appended there")


def _edited(old: Json, edit: Json, target: str) -> str:
    """A text with one passage replaced, which must stand there exactly once."""
    if not isinstance(old, str):
        raise _Refused(f"{target} is no text")
    passage, by = as_text(edit["old"]), as_text(edit["new"])
    found = old.count(passage) if passage else 0
    if found != 1:
        raise _Refused(f"the text to replace was found {found} times, it must be there exactly once")
    return old.replace(passage, by)


def _cut(text: str) -> str:
    if len(text) <= MAX_RESULT:
        return text
    return f"{text[:MAX_RESULT]}\n… cut, {len(text) - MAX_RESULT} more characters"
