"""Rows: one per turn and arm, one per arm. An arm is scenario × thinking × policy; its trials are pooled.

A turn's TTFT and context are those of its first step, its decode is pooled tokens over pooled time, it is ok when
all its steps are. Latencies come from judged steps only; the median stands for several trials.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from agenteval.outcome import CALL_FINDINGS, StepRecord
from agenteval.stats import Percentiles, median, percentiles
from agenteval.thinking import Thinking
from agenteval.timing import Timing, eligible_cache_hit_rate

LATENCIES = ("ttft_ms", "first_tool_name_ms", "dispatch_ms", "total_ms", "tpot_ms")


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
    """An arm as a whole: the table of thinking modes. `failing_…`: of the first failing step of the first failing turn,
    medians over trials (`failing_step`: None where they differ). Times are medians over steps; `correct` calls have no
    finding.
    `latencies`: percentiles over judged steps, with their sample size, by metric."""

    scenario: str
    thinking: Thinking
    policy: str
    turns_ok: int
    turns_judged: int
    first_failing_turn: int | None
    failing_step: int | None
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
    eligible_cache_hit_rate: float | None
    latencies: dict[str, Percentiles]


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
        groups.setdefault((step.scenario, step.policy, mode_order(step.thinking), step.turn), []).append(step)
    return [_turn_row(groups[key]) for key in sorted(groups)]


def mode_order(thinking: Thinking) -> str:
    """Sorts modes as they are spoken of: off, on, preserved."""
    return {"off": "0", "on": "1", "preserved": "2"}[thinking]


def _turn_row(steps: list[StepRecord]) -> TurnRow:
    judged = [step for step in steps if step.judged]
    first = [step for step in judged if step.step == 1]
    trials = _by_trial(steps)
    whole = [trial for trial in trials if is_over(trial)]
    told = judged or steps  # infrastructure is told where there is nothing else
    findings = Counter(finding.kind for step in told for finding in step.findings)
    failures = [finding for step in told for finding in step.findings if not finding.harmless]
    example, speed = steps[0], speeds(judged)
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
        decode_tok_s=speed.decode_tok_s,
        chunk_rate=speed.chunk_rate,
        tokens_per_chunk=speed.tokens_per_chunk,
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


@dataclass(frozen=True, slots=True)
class Speeds:
    """Pooled over the same steps, so that they can be compared with each other."""

    decode_tok_s: float | None
    chunk_rate: float | None
    tokens_per_chunk: float | None


def speeds(steps: Sequence[StepRecord]) -> Speeds:
    """Of the steps whose decode was measurable; of all streamed ones, without decode, if none was."""
    timed = [(step.timing, step.tokens.completion) for step in steps if step.timing and step.timing.chunks]
    measured = [item for item in timed if item[0].decode_tokens is not None and item[0].decode_ms]
    tokens = sum(timing.decode_tokens or 0 for timing, _ in measured)
    duration = sum(timing.decode_ms or 0.0 for timing, _ in measured)
    pooled = measured or timed
    return Speeds(
        decode_tok_s=tokens / duration * 1000 if duration else None,
        chunk_rate=_pooled_chunk_rate([timing for timing, _ in pooled]),
        tokens_per_chunk=_pooled_tokens_per_chunk(pooled),
    )


def _pooled_chunk_rate(timings: Sequence[Timing]) -> float | None:
    """Chunk gaps over the time they took; None without any gap."""
    rated = [(timing.chunks - 1, timing.chunk_rate) for timing in timings if timing.chunks and timing.chunk_rate]
    seconds = sum(gaps / rate for gaps, rate in rated)
    return sum(gaps for gaps, _ in rated) / seconds if seconds else None


def _pooled_tokens_per_chunk(pairs: Sequence[tuple[Timing, int | None]]) -> float | None:
    """Completion tokens over chunks, where both are known."""
    known = [(tokens, timing.chunks) for timing, tokens in pairs if tokens is not None and timing.chunks]
    chunks = sum(chunks for _, chunks in known)
    return sum(tokens for tokens, _ in known) / chunks if chunks else None


def arm_rows(steps: Sequence[StepRecord], turns: Sequence[TurnRow]) -> list[ArmRow]:
    """One row per arm, in the order of the turn rows."""
    arms: dict[tuple[str, str, Thinking], tuple[list[TurnRow], list[StepRecord]]] = {}
    for row in turns:
        arms.setdefault((row.scenario, row.policy, row.thinking), ([], []))[0].append(row)
    for step in steps:
        arms[step.scenario, step.policy, step.thinking][1].append(step)
    return [_arm_row(*of_arm) for of_arm in arms.values()]


def _arm_row(rows: Sequence[TurnRow], steps: Sequence[StepRecord]) -> ArmRow:
    judged = [step for step in steps if step.judged]
    failing = next((row for row in rows if row.judged_trials and not row.ok), None)
    broken = _first_failing_steps(judged, failing.turn) if failing else []
    numbers = {step.step for step in broken}
    calls = sum(len(step.reply.tool_calls) for step in judged if step.reply)
    reasoning = [step.tokens.reasoning for step in judged if step.tokens.reasoning is not None]
    completion = [step.tokens.completion for step in judged if step.tokens.completion is not None]
    speed = speeds(judged)
    return ArmRow(
        scenario=rows[0].scenario,
        thinking=rows[0].thinking,
        policy=rows[0].policy,
        turns_ok=sum(row.ok_trials for row in rows),
        turns_judged=sum(row.judged_trials for row in rows),
        first_failing_turn=failing.turn if failing else None,
        failing_step=numbers.pop() if len(numbers) == 1 else None,
        failing_context=_median_int(step.tokens.context for step in broken),
        failing_messages=_median_int(step.tokens.messages for step in broken),
        ttft_ms=_median(step.timing.ttft_ms for step in judged if step.timing),
        total_ms=_median(step.timing.total_ms for step in judged if step.timing),
        decode_tok_s=speed.decode_tok_s,
        chunk_rate=speed.chunk_rate,
        tokens_per_chunk=speed.tokens_per_chunk,
        calls=calls,
        correct_calls=sum(map(_correct_calls, judged)),
        reasoning_tokens=sum(reasoning) if reasoning else None,
        completion_tokens=sum(completion) if completion else None,
        eligible_cache_hit_rate=cache_hit_rate(judged),
        latencies={name: percentiles(known(judged, name)) for name in LATENCIES},
    )


def _first_failing_steps(judged: Sequence[StepRecord], turn: int) -> list[StepRecord]:
    """Of a turn, in each trial that fails there."""
    first: dict[int, StepRecord] = {}
    for step in judged:
        if step.turn == turn and not step.ok:
            first.setdefault(step.trial, step)
    return list(first.values())


def cache_hit_rate(steps: Sequence[StepRecord]) -> float | None:
    """The eligible cache-hit rate pooled over the steps that follow another one of their cell: cached tokens over the
    previous prompt and completion. None where the server does not tell cached tokens."""
    cached = eligible = 0
    for before, step in pairwise(sorted(steps, key=lambda item: (item.cell, item.turn, item.step))):
        counts = (step.tokens.cached, before.tokens.prompt, before.tokens.completion)
        if before.cell == step.cell and None not in counts:
            cached += counts[0] or 0
            eligible += (counts[1] or 0) + (counts[2] or 0)
    return eligible_cache_hit_rate(cached, eligible, 0) if eligible else None


def known(steps: Sequence[StepRecord], metric: str) -> list[float]:
    """A metric of all steps that have it."""
    values = (getattr(step.timing, metric) for step in steps if step.timing)
    return [value for value in values if value is not None]


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
