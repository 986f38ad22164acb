"""Is it the call that was expected? Each call is put in the place of an expected one, or in none.

A call that is right takes the place of the expected call that it fits (of several the most particular one). Among
calls of the right name whose arguments are wrong, the first that is due counts as attempted. With `extra`, calls that
fit nothing are nobody's business; with `any_way` too, and none is missing. In exact order a call may come too late,
but only a call that never comes is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agenteval.match import ABSENT, Mismatch, describe, example_of, explain, matches
from agenteval.outcome import Finding
from agenteval.scoring.calls import ReadCall
from agenteval.scoring.progress import Progress
from agenteval.scoring.shown import stands
from agenteval.script import Expectation, ExpectedCall

Placed = tuple[Progress, tuple[Finding, ...]]


@dataclass(frozen=True, slots=True)
class Memory:
    """What a wrong value is compared with: all that the model was shown, and the values that were right in earlier
    turns, by tool and argument name."""

    shown: Callable[[], str]
    once_right: Mapping[tuple[str, str], tuple[Any, ...]]


def place_call(call: ReadCall, expect: Expectation, progress: Progress, memory: Memory) -> Placed:
    """The turn's progress after one call, and the findings on its place (not on the call alone)."""
    progress = progress.counted()
    if forbidden := _forbidden(call, expect):
        return progress, forbidden
    if expect.calls is None:
        return progress, ()
    in_order = expect.order == "exact" and not expect.any_way
    right = _fitting(call, (*progress.missed, *progress.open, *progress.skipped))
    if right is not None:
        late = in_order and any(item is right for item in progress.skipped)
        return progress.made(right, in_order=in_order), (_too_late(call),) if late else ()
    if expect.extra or expect.any_way:
        meant = _meant(call, progress)
        return (progress if meant is None else progress.near(meant, argument_findings(call, meant, memory))), ()
    return _attempt(call, progress, memory, in_order=in_order) or _misplaced(call, expect, progress)


def _forbidden(call: ReadCall, expect: Expectation) -> tuple[Finding, ...]:
    for item in expect.forbid:
        if item.name == call.name and _fits(item, call.arguments):
            return (Finding("forbidden_call", f"{call.name} is forbidden in this turn"),)
    return ()


def _too_late(call: ReadCall) -> Finding:
    return Finding("wrong_tool", f"{call.name} was expected before the calls that were made before it")


def _fits(expected: ExpectedCall, arguments: Any) -> bool:
    return expected.arguments is None or matches(dict(expected.arguments), arguments)


def _fitting(call: ReadCall, among: Sequence[ExpectedCall]) -> ExpectedCall | None:
    """The expected call that a sound call is; where several fit, the one with the fewest open matchers."""
    if call.findings or call.cut_off:
        return None
    fitting = [item for item in among if item.name == call.name and _fits(item, call.arguments)]
    return min(fitting, key=_openness, default=None)


def _openness(expected: ExpectedCall) -> int:
    """How many matchers stand where values could; an absent argument map is the most open of all."""
    return 1_000 if expected.arguments is None else sum(1 for _ in _matchers(dict(expected.arguments)))


def _matchers(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        if any(key.startswith("$") for key in value):
            yield value
        for item in value.values():
            yield from _matchers(item)
    elif isinstance(value, list):
        for item in value:
            yield from _matchers(item)


def _attempt(call: ReadCall, progress: Progress, memory: Memory, *, in_order: bool) -> Placed | None:
    """A call of the right name with wrong arguments: what is wrong with them."""
    meant = _meant(call, progress)
    if meant is None:
        return None
    return progress.spoilt(meant, in_order=in_order), argument_findings(call, meant, memory)


def _meant(call: ReadCall, progress: Progress) -> ExpectedCall | None:
    """The expected call that one with wrong arguments may be an attempt at."""
    due = (*progress.open, *progress.missed, *progress.skipped)
    return next((item for item in due if item.name == call.name), None)


def _misplaced(call: ReadCall, expect: Expectation, progress: Progress) -> Placed:
    """A call of a name that is not due."""
    unknown = any(finding.kind == "unknown_tool" for finding in call.findings)
    if not expect.calls:
        said = f"no call was expected, {call.name} was made"
        return progress, (() if unknown else (Finding("unexpected_tool_call", said),))
    if not progress.open:
        said = f"{call.name} was called beyond what was expected"
        return progress, (() if unknown or call.cut_off else (Finding("extra_tool_call", said),))
    wanted = progress.open[0]
    finding = Finding("wrong_tool", f"expected {wanted.name}, got {call.name}")
    return progress.spoilt(wanted, in_order=True), () if unknown or call.cut_off else (finding,)


def argument_findings(call: ReadCall, expected: ExpectedCall, memory: Memory) -> tuple[Finding, ...]:
    """One finding per argument that is not what was expected; none if the call itself was broken already."""
    if call.findings or call.cut_off:
        return ()
    return tuple(
        _argument_finding(call.name, item, memory) for item in explain(dict(expected.arguments or {}), call.arguments)
    )


def _argument_finding(tool: str, item: Mismatch, memory: Memory) -> Finding:
    detail = f"{tool}: expected {describe(item.expected)}, got {describe(item.got)}"
    argument = item.path.removeprefix("$").lstrip(".").split(".")[0].split("[")[0]
    if isinstance(item.got, bool) or not isinstance(item.got, str | int | float):
        return Finding("wrong_argument", detail, item.path)
    if any(matches(value, item.got) for value in memory.once_right.get((tool, argument), ())):
        return Finding("stale_argument", f"{detail} (right in an earlier turn)", item.path)
    if not stands(str(item.got), memory.shown()):
        return Finding("invented_argument", f"{detail} (which stands nowhere in the prompt)", item.path)
    return Finding("wrong_argument", detail, item.path)


def right_values(calls: Sequence[ExpectedCall]) -> list[tuple[tuple[str, str], Any]]:
    """The (tool, argument) → value pairs that are right for these expected calls."""
    pairs = (
        ((call.name, argument), example_of(value))
        for call in calls
        for argument, value in (call.arguments or {}).items()
    )
    return [(key, value) for key, value in pairs if value is not ABSENT]
