"""Summary → titled tables of short texts, the common ground of the terminal and of markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agenteval.stats import Percentiles
from agenteval.summary import ArmRow, PolicyRow, Summary, TrialRow, TurnRow

UNKNOWN = "–"
"""Stands for a number that could not be had."""

SIMULATED = "SIMULATED: all numbers come from the embedded endpoint, none from hardware."

TURN_HEADER = ("turn", "messages", "context", "TTFT ms", "decode tok/s", "chunks/s", "tok/chunk", "tool call")
TRIAL_HEADER = ("thinking", "trials", "passed", "share", "95 % interval")
LATENCY_HEADER = ("thinking", "metric", "n", "P50", "P90", "P95", "P99")
POLICY_HEADER = ("thinking", "steps", "acted", "from turn", "freed tok", "summaries", "declined", "over target")
ARM_HEADER = (
    "thinking",
    "TTFT ms",
    "total ms",
    "decode tok/s",
    "calls",
    "correct",
    "reasoning tok",
    "turns ok",
)

SHOWN_K = (1, 2, 4, 8, 16, 32)
"""Columns of pass@k and pass^k, as far as there are trials, and the number of trials; json has every k."""

UNREPEATED = {"interrupted": "not repeated before the run was interrupted", "running": "not repeated so far"}
"""Of runs that are not complete: what became of requests without a reply, by status."""

LEFT = frozenset(
    {"tool call", "thinking", "metric", "change", "BASE", "NEW", "chance", "scenario", "policy", "cells", "why"}
    | {"starts", "bar", "verdict", "parser", "case", "kind", "reason", "run"}
)
"""Columns of texts; all others are numbers, set to the right."""


@dataclass(frozen=True, slots=True)
class Table:
    """`keys`: so many columns, from the left, say what a row is about."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    keys: int = 1


def turn_tables(summary: Summary, *, brief: bool = False) -> list[Table]:
    """One table per arm: its turns. `brief` keeps the last column short."""
    arms: dict[str, list[TurnRow]] = {}
    for row in summary.turns:
        arms.setdefault(f"{row.scenario} · thinking {row.thinking} · {row.policy}", []).append(row)
    return [
        Table(title, TURN_HEADER, tuple(turn_cells(row, brief=brief) for row in rows)) for title, rows in arms.items()
    ]


def mode_tables(summary: Summary) -> list[Table]:
    """One table per scenario and policy: its thinking modes side by side."""
    groups: dict[str, list[ArmRow]] = {}
    for row in summary.arms:
        groups.setdefault(f"{row.scenario} · {row.policy} · thinking modes", []).append(row)
    return [Table(title, ARM_HEADER, tuple(map(_arm_cells, rows))) for title, rows in groups.items()]


def policy_tables(summary: Summary) -> list[Table]:
    """One table per scenario and policy but full_history: what the policy did, by thinking mode."""
    groups: dict[str, list[PolicyRow]] = {}
    for row in summary.policies:
        groups.setdefault(f"{row.scenario} · {row.policy} · what the policy did", []).append(row)
    return [Table(title, POLICY_HEADER, tuple(map(_policy_cells, rows))) for title, rows in groups.items()]


def _policy_cells(row: PolicyRow) -> tuple[str, ...]:
    asked = f"{row.summaries} ({count(row.summary_tokens)} tok)" if row.summaries else "0"
    counts = (row.thinking, str(row.steps), str(row.acted), count(row.first_turn), count(row.freed), asked)
    return (*counts, str(row.rejected), str(row.over_target))


def turn_cells(row: TurnRow, *, brief: bool) -> tuple[str, ...]:
    return (
        str(row.turn),
        count(row.messages),
        count(row.context),
        fixed(row.ttft_ms, 0),
        fixed(row.decode_tok_s, 2),
        fixed(row.chunk_rate, 2),
        fixed(row.tokens_per_chunk, 2),
        verdict(row, brief=brief),
    )


def verdict(row: TurnRow, *, brief: bool) -> str:
    """`ok`, or the findings (in brief the first and how many more kinds); with several trials how many were ok."""
    if row.judged_trials == 0:
        return "not judged"
    share = f"{row.ok_trials}/{row.judged_trials} " if row.judged_trials > 1 else ""
    if row.ok:
        return f"{share}ok"
    first, *more = row.failures
    kinds = f"{first} +{len(more)}" if brief and more else ", ".join(row.failures)
    return f"{share}FAIL {kinds}"


def _arm_cells(row: ArmRow) -> tuple[str, ...]:
    return (
        row.thinking,
        fixed(row.ttft_ms, 0),
        fixed(row.total_ms, 0),
        fixed(row.decode_tok_s, 2),
        str(row.calls),
        str(row.correct_calls),
        count(row.reasoning_tokens),
        f"{row.turns_ok}/{row.turns_judged}",
    )


def latency_tables(summary: Summary) -> list[Table]:
    """One table per scenario and policy: percentiles of each latency by thinking mode, with their sample size."""
    groups: dict[str, list[tuple[str, ...]]] = {}
    for arm in summary.arms:
        rows = groups.setdefault(f"{arm.scenario} · {arm.policy} · latencies", [])
        rows += [(arm.thinking, name, *_percentile_cells(found)) for name, found in arm.latencies.items() if found.n]
    return [Table(title, LATENCY_HEADER, tuple(rows)) for title, rows in groups.items() if rows]


def _percentile_cells(found: Percentiles) -> tuple[str, ...]:
    last = fixed(found.p99, 1) + (" (max)" if found.p99_is_max else "")
    return (str(found.n), fixed(found.p50, 1), fixed(found.p90, 1), fixed(found.p95, 1), last)


def trial_tables(summary: Summary) -> list[Table]:
    """Two tables per scenario and policy: trials passed by thinking mode, and the chances of k trials, if known."""
    groups: dict[str, list[TrialRow]] = {}
    for row in summary.trials:
        groups.setdefault(f"{row.scenario} · {row.policy}", []).append(row)
    tables = []
    for title, rows in groups.items():
        tables.append(Table(f"{title} · trials", TRIAL_HEADER, tuple(map(_trial_cells, rows))))
        if any(row.pass_at for row in rows):
            tables.append(_k_table(title, rows))
    return tables


def _trial_cells(row: TrialRow) -> tuple[str, ...]:
    interval = UNKNOWN if row.interval is None else " to ".join(fixed(end, 2) for end in row.interval)
    return (row.thinking, str(row.n), str(row.passed), fixed(row.share, 2), interval)


def _k_table(title: str, rows: Sequence[TrialRow]) -> Table:
    most = max(row.n for row in rows)
    ks = tuple(dict.fromkeys((*(k for k in SHOWN_K if k < most), most)))
    header = ("thinking", "chance", *(f"k={k}" for k in ks))
    said = (("pass@k", "pass_at"), ("pass^k", "pass_hat"))
    cells = tuple(_k_cells(row.thinking, name, getattr(row, field), ks) for row in rows for name, field in said)
    return Table(f"{title} · one (@) or all (^) of k trials pass", header, cells)


def _k_cells(thinking: str, name: str, chances: Sequence[float | None] | None, ks: Sequence[int]) -> tuple[str, ...]:
    known = dict(enumerate(chances or (), start=1))
    return (thinking, name, *(fixed(known.get(k), 2) for k in ks))


def score_lines(summary: Summary) -> list[str]:
    """The scores in words, the completion rate beside them."""
    scores = summary.scores
    completion = UNKNOWN if scores.completion is None else f"{scores.completion:.0%}"
    lines = [
        f"Turns ok: {scores.turns_ok} of {scores.turns_judged} judged; {completion} of {scores.turns_planned} planned "
        "turns were judged.",
        f"Conversations ok: {scores.cells_ok} of {scores.cells_complete} complete ({scores.cells_planned} planned).",
    ]
    if summary.findings:
        counted = ", ".join(f"{kind} {number}" for kind, number in summary.findings.items())
        lines.append(f"Findings: {counted}.")
    return lines


def this_run_lines(summary: Summary) -> list[str]:
    """What no other run shares: name, times, how the client itself did, and how to go on with it."""
    this = summary.this_run
    over = this.finished_at and this.status != "running"
    ended = f"{'interrupted' if this.status == 'interrupted' else 'ended'} {this.finished_at}" if over else "not ended"
    times = f"begun {this.created_at}, {ended}"
    resumed = f", gone on with {this.resumed} time{'s' if this.resumed > 1 else ''}" if this.resumed else ""
    unfinished = summary.scores.turns_judged < summary.scores.turns_planned
    broken_off = this.status == "interrupted" or (unfinished and (summary.stopped or summary.losses))
    go_on = [this.go_on] if broken_off else []
    return [f"{this.run}: {times}{resumed}.", *this.notes, *go_on]


def loss_lines(summary: Summary) -> list[str]:
    """What infrastructure cost; empty if nothing."""
    lines = [f"The run was stopped: {summary.stopped}"] if summary.stopped else []
    if summary.losses:
        lines.append(_loss_total(summary))
    unrepeated = UNREPEATED.get(summary.this_run.status, "given up")
    for row in summary.losses:
        fate = f", {row.given_up} {unrepeated}" if row.given_up else ", all repeated"
        lines.append(f"{row.kind}: {_requests(row.requests)}{fate}. First {row.step}: {row.detail}")
    return lines


def _loss_total(summary: Summary) -> str:
    scores = summary.scores
    left = scores.turns_planned - scores.turns_judged
    cost = (
        f"{left} of {scores.turns_planned} planned turns were not judged" if left else "every planned turn was judged"
    )
    return f"{scores.endpoint_errors} of {_requests(scores.requests)} failed; {cost}."


def _requests(number: int) -> str:
    return "1 request" if number == 1 else f"{number:,} requests"


def count(value: int | None) -> str:
    return UNKNOWN if value is None else f"{value:,}"


def fixed(value: float | None, digits: int) -> str:
    """A number with so many decimals; from 100 on with none, which would say nothing there."""
    return UNKNOWN if value is None else f"{value:,.{0 if abs(value) >= 99.995 else digits}f}"


def aligned(header: Sequence[str]) -> list[str]:
    """Column alignments: texts to the left, numbers to the right."""
    return ["left" if name in LEFT else "right" for name in header]
