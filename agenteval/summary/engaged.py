"""What the policies did: a policy that never acted is no evidence for or against itself."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agenteval.outcome import StepRecord
from agenteval.summary.rows import mode_order
from agenteval.thinking import Thinking

CONTROL = "full_history"
AGAIN = "+again"
"""A policy with this behind it is the same policy once more: a side against which a side is only noise."""

NAMED = 3
"""So many reasons for inaction are told."""

TOKENS = re.compile(r"\b[0-9]{1,12}(?= tokens\b)")


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRow:
    """One arm's policy, all trials together. `acted`: steps at which it did something, `first_turn`: the earliest of
    them; `freed`: tokens of the prompt by all its actions (below 0: it adds), None where none was counted;
    `summaries`: requests for a model's words, `summary_tokens`: what these read and wrote, None where not told;
    `rejected`: steps at which it wanted to act and did not; `over_target`: steps at which it stayed above target."""

    scenario: str
    thinking: Thinking
    policy: str
    steps: int
    acted: int
    first_turn: int | None
    freed: int | None
    dropped: int
    changed: int
    summaries: int
    summary_tokens: int | None
    rejected: int
    over_target: int


def policy_rows(records: Iterable[StepRecord]) -> list[PolicyRow]:
    """One row per arm under another policy than full_history, or that once more, in order of name and mode."""
    arms: dict[tuple[str, str, str], list[StepRecord]] = {}
    for record in records:
        if not is_control(record.policy) and record.purpose in ("agent", "summary") and record.error is None:
            arms.setdefault((record.scenario, record.policy, mode_order(record.thinking)), []).append(record)
    return [_row(arms[arm]) for arm in sorted(arms)]


def is_control(policy: str) -> bool:
    """Whether a policy leaves everything as it is: the baseline, or that once more."""
    return policy.removesuffix(AGAIN) in (CONTROL, AGAIN[1:])


def _row(records: Sequence[StepRecord]) -> PolicyRow:
    steps = [record for record in records if record.purpose == "agent"]
    asked = [record for record in records if record.purpose == "summary"]
    acted = [step for step in steps if step.policy_report.get("acted")]
    freed = [tokens for step in acted if (tokens := _freed(step.policy_report)) is not None]
    read = [t for r in asked if (t := _sum(r.tokens.context, r.tokens.completion)) is not None]
    return PolicyRow(
        scenario=records[0].scenario,
        thinking=records[0].thinking,
        policy=records[0].policy,
        steps=len(steps),
        acted=len(acted),
        first_turn=min((step.turn for step in acted), default=None),
        freed=sum(freed) if freed else None,
        dropped=max((step.policy_report.get("dropped_messages") or 0 for step in steps), default=0),
        changed=max((step.policy_report.get("changed_messages") or 0 for step in steps), default=0),
        summaries=len(asked),
        summary_tokens=sum(read) if len(read) == len(asked) and asked else None,
        rejected=sum(bool(step.policy_report.get("rejected")) for step in steps),
        over_target=sum(step.policy_report.get("missed_target") is not None for step in steps),
    )


def engagement_notes(rows: Sequence[PolicyRow], records: Sequence[StepRecord]) -> list[str]:
    """Which policies never acted, what some did otherwise than asked, and why some wanted to act and did not."""
    idle = sorted({row.policy.removesuffix(AGAIN) for row in rows} - {row.policy for row in rows if row.acted})
    notes = [*never_acted(idle), *_missed_targets(records), *otherwise_notes(records)]
    if told := _counted(records, "rejected"):
        notes.append(f"What policies wanted to do and did not: {told}.")
    return notes


def otherwise_notes(records: Iterable[StepRecord], who: str = "Policies") -> Iterator[str]:
    """What was done in another way than a knob asks for, and why."""
    if told := _counted(records, "otherwise"):
        yield f"{who} did otherwise than asked: {told}."


def _counted(records: Iterable[StepRecord], what: str) -> str:
    """Sentences of policies' reports with their number, the most frequent first; empty without any. Those that differ
    only in numbers of tokens are one, with the span of these."""
    found: dict[tuple[str, ...], list[list[int]]] = {}
    for record in records:
        if record.purpose == "agent" and record.error is None:
            for reason in map(str, record.policy_report.get(what) or ()):
                numbers = [int(number) for number in TOKENS.findall(reason)]
                found.setdefault(tuple(TOKENS.split(reason)), []).append(numbers)
    kinds = sorted(found.items(), key=lambda kind: -len(kind[1]))
    told = [f"{_spanned(kind, times)} ({_times(len(times))})" for kind, times in kinds[:NAMED]]
    left = len(kinds) - NAMED
    more = [f"and {left} more reason{'s' * (left != 1)}"] if left > 0 else []
    return "; ".join((*told, *more))


def _spanned(parts: Sequence[str], times: Sequence[Sequence[int]]) -> str:
    """A sentence with the least and the most that stood in each gap between its parts."""
    spans = [(min(numbers), max(numbers)) for numbers in zip(*times, strict=True)]
    gaps = [str(low) if low == high else f"{low} to {high}" for low, high in spans]
    return "".join(part for both in zip(parts, (*gaps, ""), strict=True) for part in both)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _missed_targets(records: Sequence[StepRecord]) -> Iterator[str]:
    """Which policies could not get down to their low mark."""
    missed: dict[str, list[int]] = {}
    for record in records:
        over = record.policy_report.get("missed_target") if record.purpose == "agent" else None
        if over is not None:
            missed.setdefault(record.policy, []).append(over)
    if missed:
        said = "; ".join(f"{policy} {_over(tokens)}" for policy, tokens in sorted(missed.items()))
        yield (
            f"Over target after acting: {said}. System, tools and what a policy has to keep take more than that: raise "
            "its target, or have it keep less."
        )


def _over(tokens: Sequence[int]) -> str:
    """By how much, and how often."""
    if len(tokens) == 1:
        return f"by {tokens[0]:,} tokens at 1 step"
    return f"by up to {max(tokens):,} tokens at {len(tokens)} steps"


def never_acted(idle: Collection[str]) -> Iterator[str]:
    """The note on policies that did nothing, if there are any."""
    if idle:
        yield f"Never acted here, so nothing is shown about it: {', '.join(idle)}."


def _freed(report: Mapping[str, Any]) -> int | None:
    before, after = report.get("tokens_before"), report.get("tokens_after")
    return before - after if before is not None and after is not None else None


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other
