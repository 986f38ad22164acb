"""Is each call valid by itself? Nothing here knows what was expected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agenteval.canonical import JsonProblem, parse_json
from agenteval.messages import ToolSpec
from agenteval.outcome import Finding
from agenteval.schema import violations
from agenteval.stream import CallReply

MAX_VIOLATIONS = 5


@dataclass(frozen=True, slots=True)
class ReadCall:
    """A call with its arguments, None if they could not be read. `findings` are those on the call alone;
    `cut_off`: generation ended inside it."""

    name: str
    arguments: Any
    findings: tuple[Finding, ...] = ()
    cut_off: bool = False


def read_call(call: CallReply, offered: Mapping[str, ToolSpec], *, last_of_cut_reply: bool) -> ReadCall:
    """Parse and validate one call. The last call of a reply that was cut is excused from being complete."""
    name = call.name or ""
    arguments, problem = _parsed(call.arguments_text)
    if problem is not None and last_of_cut_reply:
        return ReadCall(name, None, cut_off=True)
    spec = offered.get(name)
    if spec is None:
        known = ", ".join(offered) or "none"
        return ReadCall(name, arguments, (Finding("unknown_tool", f"{name!r} was never offered (offered: {known})"),))
    if problem is not None:
        return ReadCall(name, None, (_not_json(name, call.arguments_text, problem),))
    return ReadCall(name, arguments, _faults(spec, arguments))


def _faults(spec: ToolSpec, arguments: Any) -> tuple[Finding, ...]:
    if not isinstance(arguments, dict):
        return (Finding("arguments_not_object", f"{spec.name}: arguments are {_kind(arguments)}, not an object"),)
    return tuple(
        Finding("schema_violation", f"{spec.name}: {item.message}", item.path)
        for item in violations(spec.parameters, arguments)[:MAX_VIOLATIONS]
    )


def _parsed(text: str) -> tuple[Any, JsonProblem | None]:
    try:
        return parse_json(text), None
    except JsonProblem as problem:
        return None, problem


def _not_json(name: str, text: str, problem: JsonProblem) -> Finding:
    shown = text if len(text) <= 120 else text[:117] + "…"
    return Finding("invalid_json", f"{name}: arguments are not JSON ({problem}): {shown}")


def _kind(value: Any) -> str:
    names: tuple[tuple[type, str], ...] = (
        (bool, "a boolean"),
        (str, "a string"),
        (list, "an array"),
        (int, "a number"),
        (float, "a number"),
    )
    return next((name for kind, name in names if isinstance(value, kind)), "null")
