"""The self-test as a page of a terminal, and as JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from dataclasses import asdict

from tabulate import tabulate

from agenteval.selftest import Bar, Result

WIDTH = 80
COLUMNS = (
    *("streams", "starts", "history", "TTFT err\nmean ms", "TTFT err\nP99 ms", "inter-\ntoken %"),
    *("gap err\nP99 ms", "merged", "server\nlate ms"),
)

HOW_TO_READ = (
    "TTFT err: the client's stamp of the first token less the time at which the server sent it, by one clock for both. "
    "Inter-token: by how much the time from the first chunk to the last differs from the server's. Gap err: by how much "
    "a single gap does. Merged: chunks read together with the one before, which share its stamp. Server late: by how "
    "much the server missed its own schedule at P99; it is in no other column, but shows a busy machine."
)


def render_selftest(result: Result) -> str:
    """At most 80 columns."""
    return "\n".join(
        (*_head(result), "", _table(result), *_notes(result), "", *_bars(result), "", *_verdict(result), "")
    )


def selftest_json(result: Result) -> str:
    values = asdict(result)
    derived = {
        "highest_rate": result.highest_rate,
        "bars": [{**asdict(bar), "met": bar.met} for bar in result.bars],
        "disturbances": result.disturbances,
        "met": result.met,
        "noisy": result.noisy,
    }
    return json.dumps({**values, **derived}, indent=1) + "\n"


def _head(result: Result) -> Iterator[str]:
    machine = result.machine
    load = "" if machine.load is None else f", load {machine.load:.1f}"
    priority = "real-time priority" if machine.real_time else "normal priority"
    yield f"This client's own errors: {machine.loop}, {machine.cores} cores{load}, {priority}."


def _table(result: Result) -> str:
    rows = [
        (
            *(errors.case.streams, errors.case.starts, errors.case.history),
            f"{errors.ttft_mean_ms:.3f}",
            f"{errors.ttft_p99_ms:.3f}{'*' if errors.p99_is_max else ''}",
            f"{errors.inter_token_percent:.3f}",
            *(f"{errors.gap_p99_ms:.2f}", f"{errors.merged:,}", f"{errors.server_late_p99_ms:.2f}"),
        )
        for errors in result.cases
    ]
    align = ("right", "left", "right", *("right",) * 6)
    return tabulate(rows, COLUMNS, tablefmt="simple", disable_numparse=True, colalign=align)


def _notes(result: Result) -> Iterator[str]:
    if any(errors.p99_is_max for errors in result.cases):
        yield "* the maximum: fewer than 100 streams"
    yield ""
    yield from textwrap.wrap(HOW_TO_READ, WIDTH)


def _bars(result: Result) -> Iterator[str]:
    rows = [(bar.name, _number(bar.value, bar), _bound(bar), "met" if bar.met else "MISSED") for bar in result.bars]
    yield tabulate(rows, ("", "here", "bar", ""), tablefmt="simple", disable_numparse=True, colalign=("left", "right"))


def _number(value: float, bar: Bar) -> str:
    return f"{value:,.0f} {bar.unit}" if bar.above else f"{value:.3f} {bar.unit}"


def _bound(bar: Bar) -> str:
    return f">= {bar.bound:,.0f}" if bar.above else f"<= {bar.bound:g}"


def _verdict(result: Result) -> Iterator[str]:
    machine = result.machine
    if machine.refused:
        yield f"Not permitted: {machine.refused}."
    if machine.loop != "uvloop":
        yield "uvloop is not installed: Python's own event loop is slower."
    if result.disturbances:
        yield from textwrap.wrap(f"Disturbed: {'; '.join(result.disturbances)}.", WIDTH)
    yield from textwrap.wrap(_conclusion(result), WIDTH)


def _conclusion(result: Result) -> str:
    if result.met:
        return "All bars are met: latencies that this client reports are the server's, to within these errors."
    if result.noisy:
        return (
            "Not enough evidence: a bar was missed, and the machine was too busy to say by whom. Repeat it when nothing "
            "else runs, or with --real-time."
        )
    return (
        "A bar was missed on a quiet machine: here the client adds that much to what it measures. Fewer streams at once "
        "(--concurrency) make it exacter."
    )
