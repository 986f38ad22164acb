"""What one side of a comparison achieved and what it cost, over the conversations that it brought to an end. Pure.

Tokens are the server's where it tells them. Unknown is None.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeVar

from agenteval.canonical import JsonProblem, canonical_json, parse_json
from agenteval.outcome import FactOutcome, RecordedCall, RecordedFact, StepRecord
from agenteval.stats import median, pass_hat_k
from agenteval.summary.rows import cache_hit_rate, known, speeds
from agenteval.summary.sides import Played, Side

Number = TypeVar("Number", int, float)

SURVIVAL_TOKENS = (500, 1_000, 1_500, 2_000, 3_000, 4_000, 6_000, 8_000, 12_000, 16_000, 32_000, 64_000)

LARGEST_BLOCK = 256
"""Tokens. Servers cache whole blocks, of 16 to 64 tokens as a rule, and of 128 in vLLM on a CPU."""


@dataclass(frozen=True, slots=True)
class Survival:
    """`alive` of `at_risk` conversations that came this far had no failing turn up to here: `at` a turn (that one too),
    or so many context tokens (a failing turn counts with the prompt of its first failing step)."""

    at: int
    at_risk: int
    alive: int


@dataclass(frozen=True, slots=True)
class Retention:
    """What became of facts of one age (turns, or calls within a turn) where they were needed. `guessed`: of the lost
    ones, those in whose place a stale or an invented value was given."""

    age: int
    unit: str
    n: int
    outcomes: Mapping[FactOutcome, int]
    guessed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Tokens over all requests. `prefilled`: sent and not cached, by the server; `summaries`: read and written for a
    policy's summaries (they are part of `sent` and `output`, too); `cached_share`: cached of sent, by the server;
    `reusable_share`: what of the prompts stood in the request before, by our own rendering; `breaks`: who changed what
    had been sent (policy, template, golden history), or the server forgot it (eviction). `policy_ms`: the policies' own
    CPU, median per step; `summary_ms`: wall time of all summaries; `ttft_by_turn`: medians of first steps, and
    `decode_by_turn`: pooled. Speeds are None where the runs do not allow comparing them."""

    sent: int | None
    prefilled: int | None
    output: int | None
    summaries: int | None
    cached_share: float | None
    reusable_share: float | None
    breaks: Mapping[str, int]
    eligible_cache_hit_rate: float | None
    ttft_ms: float | None
    decode_tok_s: float | None
    ttft_by_turn: Mapping[int, float | None]
    decode_by_turn: Mapping[int, float | None]
    policy_ms: float | None
    summary_ms: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SideRow:
    """`cells_ok` of `cells` conversations are right from end to end. `pass_hat`: pass^k for k = 1, 2, … trials, mean of
    scenarios (None for a simulated side). `acted`: conversations in which the policy did something; `violations`: calls
    that a scenario forbids and standing rules that were broken; `recovered` of `errors` tool errors were followed by a
    turn that came right; `refetches`: calls made before with the same arguments, and answered then."""

    name: str
    planned: int
    cells: int
    cells_ok: int
    turns: int
    turns_ok: int
    pass_hat: tuple[float, ...] | None
    by_turn: tuple[Survival, ...]
    by_tokens: tuple[Survival, ...]
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
        cost=_cost(played) if side.untimed is None else _untimed(_cost(played)),
    )


def acted(cell: Played) -> bool:
    """Whether the policy did anything in a conversation."""
    return any(step.policy_report.get("acted") for step in cell.steps)


def violations(cell: Played) -> int:
    """Forbidden calls, and standing rules that were broken, turn by turn: a rule is broken by a forbidden call of the
    same turn, so that the larger number counts there."""
    return sum(max(_forbidden(steps), _rules_broken(steps)) for _, steps in _turns(cell.steps))


def _forbidden(steps: Sequence[StepRecord]) -> int:
    return sum(finding.kind == "forbidden_call" for step in steps for finding in step.findings)


def _rules_broken(steps: Sequence[StepRecord]) -> int:
    return sum(
        fact.kind == "rule" and fact.outcome not in ("used", "unstated") for step in steps for fact in step.facts
    )


def refetches(cell: Played) -> int:
    """Calls that had been made before with the same arguments, however they are written, and had got no error then."""
    seen: set[tuple[str | None, str]] = set()
    again = 0
    for step in cell.steps:
        failed = {result.id for result in step.tool_results if result.is_error}
        calls = step.reply.tool_calls if step.reply else ()
        again += sum(_same_call(call) in seen for call in calls)
        seen |= {_same_call(call) for call in calls if call.id not in failed}
    return again


def _same_call(call: RecordedCall) -> tuple[str | None, str]:
    """What two calls share that ask for the same: keys in any order, with any white space."""
    try:
        return call.name, canonical_json(parse_json(call.arguments_text))
    except JsonProblem:
        return call.name, call.arguments_text


def retention(facts: Iterable[RecordedFact]) -> tuple[Retention, ...]:
    """Counts by age, youngest first, calls of one turn before turns. Facts that never came up say nothing."""
    ages: dict[tuple[str, int], list[RecordedFact]] = {}
    for fact in facts:
        if fact.outcome != "unstated":
            ages.setdefault((fact.age_unit, fact.age), []).append(fact)
    return tuple(_retained(age, unit, found) for (unit, age), found in sorted(ages.items()))


def _retained(age: int, unit: str, facts: Sequence[RecordedFact]) -> Retention:
    guessed = sum(fact.outcome == "lost" and fact.instead is not None for fact in facts)
    return Retention(age, unit, len(facts), dict(Counter(fact.outcome for fact in facts)), guessed)


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


def _by_tokens(played: Sequence[Played]) -> Iterable[Survival]:
    """Of the conversations that grew so large, those that had not failed before."""
    sizes = [(_largest(cell.steps), _failed_at(cell)) for cell in played]
    for bound in SURVIVAL_TOKENS:
        there = [failed for largest, failed in sizes if largest >= bound]
        if there:
            yield Survival(bound, len(there), sum(failed is None or failed >= bound for failed in there))


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


def answered(cells: Iterable[Played]) -> list[StepRecord]:
    """The requests that cost something: the agent's and those for summaries, each attempt that got a reply."""
    return [
        step for cell in cells for step in cell.requests if step.purpose in ("agent", "summary") and step.error is None
    ]


def prefilled(requests: Sequence[StepRecord]) -> int | None:
    """Prompt tokens that the server had to compute; None where it does not tell what was cached."""
    sent, cached = _sum(step.tokens.context for step in requests), _sum(step.tokens.cached for step in requests)
    return None if sent is None or cached is None else sent - cached


def output(requests: Sequence[StepRecord]) -> int | None:
    return _sum(step.tokens.completion for step in requests)


def summarised(requests: Sequence[StepRecord]) -> int | None:
    """Tokens read and written for a policy's summaries."""
    asked = [step.tokens for step in requests if step.purpose == "summary"]
    return _sum(count for tokens in asked for count in (tokens.context, tokens.completion))


def _cost(played: Sequence[Played]) -> Cost:
    requests = answered(played)
    steps = [step for cell in played for step in cell.steps]
    asked = [step for step in requests if step.purpose == "summary"]
    sent, cached = _sum(step.tokens.context for step in requests), _sum(step.tokens.cached for step in requests)
    reused = [(step.tokens.reusable, step.tokens.messages, step.tokens.tools) for step in steps]
    told = [(r, m + t) for r, m, t in reused if r is not None and m is not None and t is not None]
    rendered = sum(size for _, size in told)
    waited = [step.timing.total_ms if step.timing else None for step in asked]
    return Cost(
        sent=sent,
        prefilled=prefilled(requests),
        output=output(requests),
        summaries=summarised(requests),
        cached_share=cached / sent if sent and cached is not None else None,
        reusable_share=sum(again for again, _ in told) / rendered if rendered else None,
        breaks=_breaks(played),
        eligible_cache_hit_rate=cache_hit_rate(steps),
        ttft_ms=median(known(steps, "ttft_ms")),
        decode_tok_s=speeds(steps).decode_tok_s,
        ttft_by_turn={turn: _ttft(group) for turn, group in _turns(steps)},
        decode_by_turn={turn: speeds(group).decode_tok_s for turn, group in _turns(steps)},
        policy_ms=median(step.transfer.policy_ms for step in steps if step.transfer.policy_ms is not None),
        summary_ms=_sum(waited) if asked else 0.0,
    )


def _untimed(cost: Cost) -> Cost:
    """Without what cannot be set beside others."""
    return replace(cost, ttft_ms=None, decode_tok_s=None, ttft_by_turn={}, decode_by_turn={}, summary_ms=None)


def _sum(values: Iterable[Number | None]) -> Number | None:
    """None if any is unknown."""
    known = list(values)
    return None if None in known else sum(value for value in known if value is not None)


def _turns(steps: Sequence[StepRecord]) -> list[tuple[int, list[StepRecord]]]:
    groups: dict[int, list[StepRecord]] = {}
    for step in steps:
        groups.setdefault(step.turn, []).append(step)
    return sorted(groups.items())


def _ttft(steps: Sequence[StepRecord]) -> float | None:
    """The median of first steps."""
    return median(known([step for step in steps if step.step == 1], "ttft_ms"))


def _breaks(played: Sequence[Played]) -> dict[str, int]:
    """How often the prefix of a request was not the request before: by policy, by template, and what the server had
    forgotten although it was sent again. A server that never had anything cached has nothing to forget."""
    found: Counter[str] = Counter()
    caches = any(step.tokens.cached for cell in played for step in cell.requests)
    for cell in played:
        for step in cell.steps:
            if step.tokens.broken_by is not None:
                found[step.tokens.broken_by] += 1
        found["eviction"] += sum(caches and _evicted(before, step) for before, step in pairwise(cell.steps))
    return {who: count for who, count in found.items() if count}


def _evicted(before: StepRecord, step: StepRecord) -> bool:
    """Whether a server had less than half of what it could reuse of the request before, and lacks more than the block
    that it keeps only whole."""
    cached, reusable = step.tokens.cached, step.tokens.reusable
    if cached is None or reusable is None or before.error is not None:
        return False
    return cached < reusable / 2 and reusable - cached >= LARGEST_BLOCK
