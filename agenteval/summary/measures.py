"""What one side of a comparison achieved, over the conversations that it brought to an end. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agenteval.canonical import JsonProblem, canonical_json, parse_json
from agenteval.match import matches
from agenteval.outcome import FactOutcome, RecordedCall, RecordedExpectation, RecordedFact, StepRecord
from agenteval.stats import pass_hat_k
from agenteval.summary.costs import Cost, cost_of, steps_by_turn, untimed
from agenteval.summary.sides import Played, Side

SURVIVAL_TOKENS = (
    *(500, 1_000, 1_500, 2_000, 3_000, 4_000, 6_000, 8_000, 12_000, 16_000),
    *(32_000, 64_000, 128_000, 256_000, 512_000, 1_024_000),
)


@dataclass(frozen=True, slots=True)
class Survival:
    """`alive` of the `at_risk` conversations that have such a turn had no failing one up to it, `at` included."""

    at: int
    at_risk: int
    alive: int


@dataclass(frozen=True, slots=True)
class Endured:
    """`share` of conversations without a failing turn up to `at` context tokens, by Kaplan and Meier's estimate (1958):
    those that end well leave the count at their largest size. A failing turn has the size of its first failing prompt.
    `failed`: so many up to here; `larger`: so many went on above it."""

    at: int
    share: float
    failed: int
    larger: int


@dataclass(frozen=True, slots=True)
class Retention:
    """What became of facts of one age (turns, or calls within a turn) where they were needed. `n`: those that had come
    up; `guessed`: of the lost ones, those in whose place a stale or an invented value was given; `not_reached`: further
    ones that never came up, because the conversation had gone wrong before."""

    age: int
    unit: str
    n: int
    outcomes: Mapping[FactOutcome, int]
    guessed: int
    not_reached: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SideRow:
    """`cells_ok` of `cells` conversations are right from end to end. `pass_hat`: pass^k for k = 1, 2, … trials, mean of
    scenarios (None for a simulated side). `acted`: conversations in which the policy did something; `violations`: calls
    that a scenario forbids and standing rules that were broken; `recovered` of `errors` tool errors were followed by a
    turn that came right; `refetches`: calls made before with the same arguments and
    answered then, though the turn does not ask for them."""

    name: str
    planned: int
    cells: int
    cells_ok: int
    turns: int
    turns_ok: int
    pass_hat: tuple[float, ...] | None
    by_turn: tuple[Survival, ...]
    by_tokens: tuple[Endured, ...]
    retention: tuple[Retention, ...]
    violations: int
    errors: int
    recovered: int
    steps: int
    refetches: int
    acted: int
    cost: Cost


def side_row(side: Side) -> SideRow:
    """Measure one side."""
    played = list(side.played.values())
    errors, recovered = _recoveries(played)
    return SideRow(
        name=side.name,
        planned=len(side.planned),
        cells=len(played),
        cells_ok=sum(cell.ok for cell in played),
        turns=sum(len(cell.turns) for cell in played),
        turns_ok=sum(sum(cell.turns.values()) for cell in played),
        pass_hat=None if side.simulated else _pass_hat(played),
        by_turn=tuple(_by_turn(played)),
        by_tokens=tuple(_by_tokens(played)),
        retention=retention(fact for cell in played for step in cell.steps for fact in step.facts),
        violations=sum(map(violations, played)),
        errors=errors,
        recovered=recovered,
        steps=sum(len(cell.steps) for cell in played),
        refetches=sum(map(refetches, played)),
        acted=sum(map(acted, played)),
        cost=cost_of(played) if side.untimed is None else untimed(cost_of(played)),
    )


def acted(cell: Played) -> bool:
    """Whether the policy did anything in a conversation."""
    return any(step.policy_report.get("acted") for step in cell.steps)


def violations(cell: Played) -> int:
    """Forbidden calls, and standing rules that were broken, turn by turn: a rule is broken by a forbidden call of the
    same turn, so that the larger number counts there."""
    return sum(max(_forbidden(steps), _rules_broken(steps)) for _, steps in steps_by_turn(cell.steps))


def _forbidden(steps: Sequence[StepRecord]) -> int:
    return sum(finding.kind == "forbidden_call" for step in steps for finding in step.findings)


def _rules_broken(steps: Sequence[StepRecord]) -> int:
    return sum(
        fact.kind == "rule" and fact.outcome not in ("used", "unstated") for step in steps for fact in step.facts
    )


def refetches(cell: Played) -> int:
    """Calls that had been made before with the same arguments, however they are written, and had got no error then,
    but for those that the turn asks for."""
    seen: set[tuple[str | None, str]] = set()
    again = 0
    for _, steps in steps_by_turn(cell.steps):
        asked = list(steps[0].expected or ())
        for step in steps:
            failed = {result.id for result in step.tool_results if result.is_error}
            calls = step.reply.tool_calls if step.reply else ()
            unasked = [call for call in calls if not _taken(asked, call)]
            again += sum(_same_call(call) in seen for call in unasked)
            seen |= {_same_call(call) for call in calls if call.id not in failed}
    return again


def _taken(asked: list[RecordedExpectation], call: RecordedCall) -> bool:
    """Whether a turn still asks for this call; if so, it has been made now."""
    for at, wanted in enumerate(asked):
        if wanted.name == call.name and (wanted.arguments is None or matches(dict(wanted.arguments), _arguments(call))):
            del asked[at]
            return True
    return False


def _arguments(call: RecordedCall) -> Any:
    try:
        return parse_json(call.arguments_text)
    except JsonProblem:
        return None


def _same_call(call: RecordedCall) -> tuple[str | None, str]:
    """What two calls share that ask for the same: keys in any order, with any white space."""
    try:
        return call.name, canonical_json(parse_json(call.arguments_text))
    except JsonProblem:
        return call.name, call.arguments_text


def retention(facts: Iterable[RecordedFact]) -> tuple[Retention, ...]:
    """Counts by age, youngest first, calls of one turn before turns. Facts that never came up say nothing of memory:
    they are counted apart."""
    ages: dict[tuple[str, int], list[RecordedFact]] = {}
    for fact in facts:
        ages.setdefault((fact.age_unit, fact.age), []).append(fact)
    return tuple(_retained(age, unit, found) for (unit, age), found in sorted(ages.items()))


def _retained(age: int, unit: str, facts: Sequence[RecordedFact]) -> Retention:
    guessed = sum(fact.outcome == "lost" and fact.instead is not None for fact in facts)
    found = Counter(fact.outcome for fact in facts)
    not_reached = found.pop("unstated", 0)
    return Retention(age, unit, found.total(), dict(found), guessed, not_reached)


def _pass_hat(played: Sequence[Played]) -> tuple[float, ...]:
    arms: dict[tuple[str, str, str], list[bool]] = {}
    for cell in played:
        step = cell.steps[0]
        arms.setdefault((step.scenario, step.policy, step.thinking), []).append(cell.ok)
    most = min(map(len, arms.values()), default=0)
    hats = []
    for k in range(1, most + 1):
        found = [pass_hat_k(len(oks), sum(oks), k) for oks in arms.values()]
        hats.append(sum(value for value in found if value is not None) / len(found))
    return tuple(hats)


def _by_turn(played: Sequence[Played]) -> Iterable[Survival]:
    for turn in range(1, max((max(cell.turns) for cell in played), default=0) + 1):
        there = [cell for cell in played if turn in cell.turns]
        yield Survival(turn, len(there), sum(_first_failing(cell, turn + 1) > turn for cell in there))


def _first_failing(cell: Played, otherwise: int) -> int:
    return next((turn for turn, ok in cell.turns.items() if not ok), otherwise)


def _by_tokens(played: Sequence[Played]) -> Iterable[Endured]:
    """Up to the first bound that holds all."""
    failures = sorted(size for cell in played if (size := _failed_at(cell)) is not None)
    ends = failures + [_largest(cell.steps) for cell in played if _failed_at(cell) is None]
    share, below = 1.0, -1
    for bound in SURVIVAL_TOKENS:
        if below >= max(ends, default=-1):
            return
        for size in sorted(set(failures)):
            if below < size <= bound:
                share *= 1 - failures.count(size) / sum(end >= size for end in ends)
        yield Endured(bound, share, sum(size <= bound for size in failures), sum(end > bound for end in ends))
        below = bound


def _largest(steps: Sequence[StepRecord]) -> int:
    """The largest context; 0 if none is known."""
    return max((step.tokens.context or 0 for step in steps), default=0)


def _failed_at(cell: Played) -> int | None:
    """The context of the first failing step of the first failing turn; None if none failed."""
    failing = _first_failing(cell, 0)
    return next((step.tokens.context or 0 for step in cell.steps if step.turn == failing and not step.ok), None)


def _recoveries(played: Sequence[Played]) -> tuple[int, int]:
    errors = [
        cell.turns[step.turn]
        for cell in played
        for step in cell.steps
        for result in step.tool_results
        if result.is_error and step.turn in cell.turns
    ]
    return len(errors), sum(errors)
