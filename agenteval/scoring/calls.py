"""Is each call valid by itself, and is it the call that was expected?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from agenteval.canonical import JsonProblem, canonical_json, parse_json
from agenteval.match import Mismatch, describe, example_of, explain, matches
from agenteval.messages import ToolSpec
from agenteval.outcome import Finding
from agenteval.schema import violations
from agenteval.scoring.progress import Progress
from agenteval.script import Expectation, ExpectedCall
from agenteval.stream import CallReply

MAX_VIOLATIONS = 5


@dataclass(frozen=True, slots=True)
class ReadCall:
    """A call with its arguments as far as they could be read. `findings` are those on the call alone."""

    name: str
    arguments: Any
    findings: tuple[Finding, ...]


def read_call(call: CallReply, offered: Mapping[str, ToolSpec], *, cut_off: bool) -> ReadCall:
    """Parse and validate one call. `cut_off`: generation ended inside it, so broken JSON is no news."""
    name = call.name or ""
    try:
        arguments = parse_json(call.arguments_text)
    except JsonProblem as problem:
        return ReadCall(name, None, () if cut_off else (_not_json(name, call.arguments_text, problem),))
    spec = offered.get(name)
    if spec is None:
        known = ", ".join(offered) or "none"
        detail = f"{name!r} was never offered (offered: {known})"
        return ReadCall(name, arguments, (Finding("unknown_tool", detail),))
    if not isinstance(arguments, dict):
        detail = f"{name}: arguments are {_kind(arguments)}, not an object"
        return ReadCall(name, arguments, (Finding("arguments_not_object", detail),))
    broken = violations(spec.parameters, arguments)[:MAX_VIOLATIONS]
    return ReadCall(
        name,
        arguments,
        tuple(Finding("schema_violation", f"{name}: {item.message}", item.path) for item in broken),
    )


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


@dataclass(frozen=True, slots=True)
class Memory:
    """What a wrong value is compared with: the text of the view, and the values that were right in earlier turns,
    by tool and argument name."""

    view_text: str
    once_right: Mapping[tuple[str, str], tuple[Any, ...]]


def match_call(
    call: ReadCall, expect: Expectation, progress: Progress, memory: Memory
) -> tuple[Progress, tuple[Finding, ...]]:
    """Put one call in its place among the expected ones; findings are those on the place, not on the call alone."""
    forbidden = _forbidden(call, expect)
    progress = replace(progress, calls_made=progress.calls_made + 1)
    if forbidden or expect.calls is None:
        return progress, forbidden
    if (late := _find(call, progress.missed)) is not None:
        return replace(progress, missed=_without(progress.missed, late)), ()
    candidates = progress.open if expect.order == "any" else progress.open[:1]
    exact = _find(call, candidates)
    if exact is not None:
        return replace(progress, open=_without(progress.open, exact)), ()
    named = next((item for item in candidates if item.name == call.name), None)
    if named is not None:
        missed = replace(progress, open=_without(progress.open, named), missed=(*progress.missed, named))
        return missed, argument_findings(call, named, memory)
    return _misplaced(call, expect, progress)


def _misplaced(call: ReadCall, expect: Expectation, progress: Progress) -> tuple[Progress, tuple[Finding, ...]]:
    if not expect.calls:
        return progress, (Finding("unexpected_tool_call", f"no call was expected, {call.name} was made"),)
    if expect.extra:
        return progress, ()
    if any(finding.kind == "unknown_tool" for finding in call.findings):
        return replace(progress, open=progress.open[1:], missed=(*progress.missed, *progress.open[:1])), ()
    if not progress.open:
        return progress, (Finding("extra_tool_call", f"{call.name} was called beyond what was expected"),)
    wanted = progress.open[0]
    return (
        replace(progress, open=progress.open[1:], missed=(*progress.missed, wanted)),
        (Finding("wrong_tool", f"expected {wanted.name}, got {call.name}"),),
    )


def _forbidden(call: ReadCall, expect: Expectation) -> tuple[Finding, ...]:
    for item in expect.forbid:
        if item.name == call.name and _arguments_match(item, call.arguments):
            return (Finding("forbidden_call", f"{call.name} is forbidden in this turn"),)
    return ()


def _arguments_match(expected: ExpectedCall, arguments: Any) -> bool:
    return expected.arguments is None or matches(dict(expected.arguments), arguments)


def _find(call: ReadCall, among: Sequence[ExpectedCall]) -> ExpectedCall | None:
    return next((item for item in among if item.name == call.name and _arguments_match(item, call.arguments)), None)


def _without(calls: tuple[ExpectedCall, ...], one: ExpectedCall) -> tuple[ExpectedCall, ...]:
    at = next(index for index, item in enumerate(calls) if item is one)
    return calls[:at] + calls[at + 1 :]


def argument_findings(call: ReadCall, expected: ExpectedCall, memory: Memory) -> tuple[Finding, ...]:
    """One finding per argument that is not what was expected; none if the call itself was broken already."""
    if call.findings or not isinstance(call.arguments, dict):
        return ()
    return tuple(
        _argument_finding(call.name, item, memory) for item in explain(dict(expected.arguments or {}), call.arguments)
    )


def _argument_finding(tool: str, item: Mismatch, memory: Memory) -> Finding:
    detail = f"{tool}: expected {describe(item.expected)}, got {describe(item.got)}"
    argument = item.path.removeprefix("$").lstrip(".").split(".")[0].split("[")[0]
    if isinstance(item.got, bool) or not isinstance(item.got, str | int | float):
        return Finding("wrong_argument", detail, item.path)
    if any(canonical_json(value) == canonical_json(item.got) for value in memory.once_right.get((tool, argument), ())):
        return Finding("stale_argument", f"{detail} (right in an earlier turn)", item.path)
    if str(item.got) not in memory.view_text:
        return Finding("invented_argument", f"{detail} (which stands nowhere in the prompt)", item.path)
    return Finding("wrong_argument", detail, item.path)


def right_values(calls: Sequence[ExpectedCall]) -> list[tuple[tuple[str, str], Any]]:
    """The (tool, argument) → value pairs that are right for these expected calls."""
    return [
        ((call.name, argument), example_of(value))
        for call in calls
        for argument, value in (call.arguments or {}).items()
    ]
