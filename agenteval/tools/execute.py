"""One tool call on a world. Whatever a model calls, the answer is a result: a text, never an exception."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from agenteval.canonical import JsonProblem, parse_json
from agenteval.match import ABSENT, matches
from agenteval.messages import ToolCall
from agenteval.schema import violations
from agenteval.script import Json, MockTool, Rule, Scenario
from agenteval.template import MissingPath, TemplateProblem, as_text, get_path, substitute
from agenteval.tools.returns import result_of
from agenteval.tools.world import NotOnce, World, changed

MAX_RESULT = 64 * 1024
MAX_FAULTS = 5

ErrorKind = Literal["unknown_tool", "invalid_arguments", "tool_error", "broken_rule"]
"""`tool_error`: the tool says no, as its scenario wants it. `broken_rule`: no rule answers, or one cannot be done."""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What the model gets to read. `error_kind` is None for a call that worked."""

    content: str
    is_error: bool = False
    error_kind: ErrorKind | None = None


def execute(scenario: Scenario, world: World, call: ToolCall) -> ToolResult:
    """Carry out a call of a bound scenario's tool: its real effect on the world, and its result.

    A call that cannot be carried out (no such tool, broken arguments) says so and changes nothing; so does a rule
    that fails half-way.
    """
    tool = next((tool for tool in scenario.tools if tool.spec.name == call.name), None)
    if tool is None:
        names = ", ".join(tool.spec.name for tool in scenario.tools) or "none"
        return _error("unknown_tool", f"Error: there is no tool named {call.name!r}. Available tools: {names}.")
    arguments = _arguments(tool, call)
    return arguments if isinstance(arguments, ToolResult) else _answer(tool, world, arguments)


def _arguments(tool: MockTool, call: ToolCall) -> Mapping[str, Json] | ToolResult:
    name = tool.spec.name
    try:
        arguments = parse_json(call.arguments_text)
    except JsonProblem as problem:
        return _error("invalid_arguments", f"Error: the arguments of {name} are not valid JSON: {problem}.")
    if not isinstance(arguments, dict):
        return _error("invalid_arguments", f"Error: the arguments of {name} are not a JSON object.")
    faults = violations(tool.spec.parameters, arguments)[:MAX_FAULTS]
    if faults:
        listed = "; ".join(str(fault) for fault in faults)
        return _error("invalid_arguments", f"Error: invalid arguments for {name}: {listed}.")
    return arguments


def _answer(tool: MockTool, world: World, arguments: Mapping[str, Json]) -> ToolResult:
    rule = next((rule for rule in tool.rules if _holds(rule, world.state, arguments)), None)
    if rule is None:
        return _error("broken_rule", f"Error: {tool.spec.name} has no answer to these arguments.")
    try:
        return _carry_out(rule, world, arguments)
    except TemplateProblem as problem:
        return _error("tool_error" if isinstance(problem, NotOnce) else "broken_rule", f"Error: {problem}.")


def _holds(rule: Rule, state: Json, arguments: Mapping[str, Json]) -> bool:
    """Whether a rule's conditions hold. One that looks at something that is not there does not."""
    scopes = {"args": arguments, "world": state}
    try:
        return all(
            matches(substitute(matcher, scopes, partial=True), arguments.get(name, ABSENT))
            for name, matcher in rule.when.items()
        ) and all(
            matches(substitute(matcher, scopes, partial=True), _present(state, path, scopes))
            for path, matcher in rule.state.items()
        )
    except TemplateProblem:
        return False


def _present(state: Json, path: str, scopes: Mapping[str, Json]) -> Json:
    try:
        return get_path(state, path, scopes)
    except MissingPath:
        return ABSENT


def _carry_out(rule: Rule, world: World, arguments: Mapping[str, Json]) -> ToolResult:
    """The rule's changes one after the other, then its result as the world is afterwards; all of it or nothing."""
    state = world.state
    for change in rule.changes:
        state = changed(state, change, arguments)
    scopes = {"args": arguments, "world": state}
    if rule.error is not None:
        result = _error("tool_error", as_text(substitute(rule.error, scopes, partial=True)))
    else:
        result = ToolResult(_bounded(as_text(result_of(rule.returns, scopes))))
    world.state = state
    return result


def _error(kind: ErrorKind, text: str) -> ToolResult:
    return ToolResult(_bounded(text), True, kind)


def _bounded(text: str) -> str:
    """Text of at most `MAX_RESULT` bytes, which can be sent whatever stands in it."""
    data = text.encode(errors="replace")
    if len(data) <= MAX_RESULT:
        return data.decode()
    note = f"\n[cut: the result has {len(data):,} bytes]"
    return data[: MAX_RESULT - len(note)].decode(errors="ignore") + note
