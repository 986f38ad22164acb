"""Rows: one per turn and arm, one per arm. An arm is scenario × thinking × policy; its trials are pooled.

A turn's TTFT and context are those of its first step, its decode is pooled tokens over pooled time, it is ok when
all its steps are. Latencies come from judged steps only; the median stands for several trials.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agenteval.outcome import CALL_FINDINGS, StepRecord
from agenteval.stats import median
from agenteval.thinking import Thinking


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRow:
    """One turn of an arm over its trials. `ok_trials` of `judged_trials`; `findings`: kind → count; `failures`:
    kinds of those that are not harmless, in order; `detail`: the first of them in words."""

    scenario: str
    thinking: Thinking
    policy: str
    turn: int
    steps: int
    context: int | None
    context_source: str | None
    messages: int | None
    ttft_ms: float | None
    total_ms: float | None
    decode_tok_s: float | None
    chunk_rate: float | None
    tokens_per_chunk: float | None
    judged_trials: int
    ok_trials: int
    findings: dict[str, int]
    failures: tuple[str, ...]
    detail: str

    @property
    def ok(self) -> bool:
        return self.judged_trials > 0 and self.ok_trials == self.judged_trials


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmRow:
    """An arm as a whole: the table of thinking modes. Times are medians over steps; `correct` calls have no finding."""

    scenario: str
    thinking: Thinking
    policy: str
    turns_ok: int
    turns_judged: int
    first_failing_turn: int | None
    failing_context: int | None
    failing_messages: int | None
    ttft_ms: float | None
    total_ms: float | None
    decode_tok_s: float | None
    chunk_rate: float | None
    tokens_per_chunk: float | None
    calls: int
    correct_calls: int
    reasoning_tokens: int | None
    completion_tokens: int | None


def last_attempts(records: Iterable[StepRecord]) -> list[StepRecord]:
    """The records that scores take: purpose `agent`, the last attempt of each step, in journal order."""
    last: dict[tuple[str, int, int], StepRecord] = {}
    for record in records:
        if record.purpose == "agent":
            last[record.cell, record.turn, record.step] = record
    return list(last.values())


def turn_rows(steps: Sequence[StepRecord]) -> list[TurnRow]:
    """One row per arm and turn, arms in order of name and mode, turns ascending."""
    groups: dict[tuple[str, str, str, int], list[StepRecord]] = {}
    for step in steps:
        groups.setdefault((step.scenario, step.policy, _mode_order(step.thinking), step.turn), []).append(step)
    return [_turn_row(groups[key]) for key in sorted(groups)]


def _mode_order(thinking: Thinking) -> str:
    return {"off": "0", "on": "1", "preserved": "2"}[thinking]


def _turn_row(steps: list[StepRecord]) -> TurnRow:
    judged = [step for step in steps if step.judged]
    first = [step for step in judged if step.step == 1]
    trials = _by_trial(steps)
    whole = [trial for trial in trials if is_over(trial)]
    findings = Counter(finding.kind for step in steps for finding in step.findings)
    failures = [finding for step in steps for finding in step.findings if not finding.harmless]
    example = steps[0]
    return TurnRow(
        scenario=example.scenario,
        thinking=example.thinking,
        policy=example.policy,
        turn=example.turn,
        steps=len(steps),
        context=_median_int(step.tokens.context for step in first),
        context_source=first[0].tokens.context_source if first else None,
        messages=_median_int(step.tokens.messages for step in first),
        ttft_ms=_median(step.timing.ttft_ms for step in first if step.timing),
        total_ms=_median(_turn_total(trial) for trial in whole),
        decode_tok_s=pooled_decode(judged),
        chunk_rate=pooled_chunk_rate(judged),
        tokens_per_chunk=pooled_tokens_per_chunk(judged),
        judged_trials=len(whole),
        ok_trials=sum(all(step.ok for step in trial) for trial in whole),
        findings={str(kind): number for kind, number in findings.items()},
        failures=tuple(dict.fromkeys(finding.kind for finding in failures)),
        detail=failures[0].detail if failures else "",
    )


def is_over(steps: Sequence[StepRecord]) -> bool:
    """Whether a turn came to its end, all of its steps judged. A turn in flight when a run ended is not over."""
    return bool(steps) and steps[-1].last_of_turn and all(step.judged for step in steps)


def _by_trial(steps: Sequence[StepRecord]) -> list[list[StepRecord]]:
    trials: dict[int, list[StepRecord]] = {}
    for step in steps:
        trials.setdefault(step.trial, []).append(step)
    return list(trials.values())


def _turn_total(steps: Sequence[StepRecord]) -> float | None:
    totals = [step.timing.total_ms if step.timing else None for step in steps]
    return None if None in totals else sum(total for total in totals if total is not None)


def pooled_decode(steps: Sequence[StepRecord]) -> float | None:
    """Decode tokens of the measurable steps over their decode time; None if none was measurable."""
    pairs = [
        (step.timing.decode_tokens, step.timing.decode_ms)
        for step in steps
        if step.timing and step.timing.decode_tok_s is not None
    ]
    tokens = sum(tokens or 0 for tokens, _ in pairs)
    duration = sum(duration or 0.0 for _, duration in pairs)
    return tokens / duration * 1000 if duration else None


def pooled_chunk_rate(steps: Sequence[StepRecord]) -> float | None:
    """Chunk gaps of the steps over their sum of times; None without any gap."""
    rated = [
        (step.timing.chunks - 1, step.timing.chunk_rate)
        for step in steps
        if step.timing and step.timing.chunks and step.timing.chunk_rate
    ]
    gaps = sum(gaps for gaps, _ in rated)
    seconds = sum(gaps / rate for gaps, rate in rated)
    return gaps / seconds if seconds else None


def pooled_tokens_per_chunk(steps: Sequence[StepRecord]) -> float | None:
    """Completion tokens over chunks, of the steps where both are known."""
    known = [
        (step.tokens.completion, step.timing.chunks)
        for step in steps
        if step.timing and step.timing.chunks and step.tokens.completion is not None
    ]
    chunks = sum(chunks for _, chunks in known)
    return sum(tokens for tokens, _ in known) / chunks if chunks else None


def arm_rows(steps: Sequence[StepRecord], turns: Sequence[TurnRow]) -> list[ArmRow]:
    """One row per arm, in the order of the turn rows."""
    arms: dict[tuple[str, str, Thinking], list[TurnRow]] = {}
    for row in turns:
        arms.setdefault((row.scenario, row.policy, row.thinking), []).append(row)
    return [
        _arm_row(rows, [s for s in steps if (s.scenario, s.policy, s.thinking) == arm]) for arm, rows in arms.items()
    ]


def _arm_row(rows: Sequence[TurnRow], steps: Sequence[StepRecord]) -> ArmRow:
    judged = [step for step in steps if step.judged]
    failing = next((row for row in rows if row.judged_trials and not row.ok), None)
    calls = sum(len(step.reply.tool_calls) for step in judged if step.reply)
    reasoning = [step.tokens.reasoning for step in judged if step.tokens.reasoning is not None]
    completion = [step.tokens.completion for step in judged if step.tokens.completion is not None]
    return ArmRow(
        scenario=rows[0].scenario,
        thinking=rows[0].thinking,
        policy=rows[0].policy,
        turns_ok=sum(row.ok_trials for row in rows),
        turns_judged=sum(row.judged_trials for row in rows),
        first_failing_turn=failing.turn if failing else None,
        failing_context=failing.context if failing else None,
        failing_messages=failing.messages if failing else None,
        ttft_ms=_median(step.timing.ttft_ms for step in judged if step.timing),
        total_ms=_median(step.timing.total_ms for step in judged if step.timing),
        decode_tok_s=pooled_decode(judged),
        chunk_rate=pooled_chunk_rate(judged),
        tokens_per_chunk=pooled_tokens_per_chunk(judged),
        calls=calls,
        correct_calls=sum(map(_correct_calls, judged)),
        reasoning_tokens=sum(reasoning) if reasoning else None,
        completion_tokens=sum(completion) if completion else None,
    )


def _correct_calls(step: StepRecord) -> int:
    """Calls of a step that no finding on calls is about; all of them or, to be safe, none."""
    if step.reply is None or any(finding.kind in CALL_FINDINGS for finding in step.findings):
        return 0
    return len(step.reply.tool_calls)


def _median(values: Iterable[float | None]) -> float | None:
    return median([value for value in values if value is not None])


def _median_int(values: Iterable[int | None]) -> int | None:
    middle = _median(values)
    return None if middle is None else round(middle)
