"""The self-test for a terminal, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict

from agenteval.report.tables import Table
from agenteval.report.terminal import drawn, wrapped
from agenteval.selftest import Bar, Result

HEADER = ("streams", "starts", "history", "TTFT ms", "P99 ms", "ITL %", "gap ms", "merged", "late ms")
BARS = ("bar", "here", "wanted", "verdict")

HOW_TO_READ = (
    "TTFT ms, P99 ms: by how much later than the server sent it the client stamped the first token, mean and P99; both "
    "read one clock. P99 with *: the maximum, of fewer than 100 streams.",
    "ITL %: by how much the time from the first chunk to the last differs from the server's, mean over the streams. "
    "gap ms: by how much a single gap does, P99.",
    "merged: chunks that were read together with the one before, although they were sent apart, and share its stamp.",
    "late ms: by how much the server missed its own schedule, P99. It is in no other number, but a server that cannot "
    "keep time shows a busy machine.",
)


def render_selftest(result: Result) -> str:
    """At most 80 columns."""
    errors, bars = drawn(_error_table(result)), drawn(_bar_table(result))
    reading = (wrapped(f"- {line}") for line in HOW_TO_READ)
    parts = [_head(result), "", errors, "", "How to read it", *reading, "", bars, "", *map(wrapped, _verdict(result))]
    return "\n".join(parts) + "\n"


def selftest_json(result: Result) -> str:
    """Everything, with what follows from it."""
    derived = {
        "highest_rate": result.highest_rate,
        "bars": [{**asdict(bar), "met": bar.met} for bar in result.bars],
        "disturbances": result.disturbances,
        "met": result.met,
        "noisy": result.noisy,
    }
    return json.dumps({**asdict(result), **derived}, indent=1) + "\n"


def _head(result: Result) -> str:
    machine = result.machine
    load = "" if machine.load is None else f", load {machine.load:.1f}"
    priority = "real-time priority" if machine.real_time else "normal priority"
    return f"This client's own errors ({machine.loop}, {machine.cores} cores{load}, {priority})"


def _error_table(result: Result) -> Table:
    rows = tuple(
        (
            *(str(errors.case.streams), errors.case.starts, errors.case.history),
            f"{errors.ttft_mean_ms:.3f}",
            f"{errors.ttft_p99_ms:.3f}{'*' if errors.p99_is_max else ''}",
            f"{errors.inter_token_percent:.3f}",
            *(f"{errors.gap_p99_ms:.2f}", f"{errors.merged:,}", f"{errors.server_late_p99_ms:.2f}"),
        )
        for errors in result.cases
    )
    return Table("", HEADER, rows)


def _bar_table(result: Result) -> Table:
    rows = ((bar.name, _here(bar), _wanted(bar), "met" if bar.met else "MISSED") for bar in result.bars)
    return Table("", BARS, tuple(rows))


def _here(bar: Bar) -> str:
    return f"{bar.value:,.0f} {bar.unit}" if bar.above else f"{bar.value:.3f} {bar.unit}"


def _wanted(bar: Bar) -> str:
    return f">= {bar.bound:,.0f}" if bar.above else f"<= {bar.bound:g}"


def _verdict(result: Result) -> Iterator[str]:
    machine = result.machine
    if machine.refused:
        yield f"Not permitted: {machine.refused}."
    if machine.loop != "uvloop":
        yield "uvloop is not installed: Python's own event loop is slower."
    if result.disturbances:
        yield f"Disturbed: {'; '.join(result.disturbances)}."
    if result.met:
        yield "All bars are met: latencies that this client reports are the server's, to within these errors."
    elif result.noisy:
        yield (
            "Not enough evidence: a bar was missed, and the machine was too busy to say through whom. Repeat it when "
            "nothing else runs, or with --real-time."
        )
    else:
        yield (
            "A bar was missed on a quiet machine: here the client adds that much to what it measures. With fewer "
            "streams at once (--concurrency) it is exacter."
        )
