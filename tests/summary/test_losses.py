"""What infrastructure cost: counted by kind, with one example, in no score, and said in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agenteval.outcome import Finding, StepError, StepRecord
from agenteval.report import render_markdown, render_terminal
from agenteval.report.tables import loss_lines, this_run_lines
from agenteval.summary import summarise
from agenteval.summary.losses import LossRow
from tests.records import record
from tests.summary.test_rows import CELL, manifest_of, summary_of


def failed(kind: str, detail: str, status: int | None = None, **changes: Any) -> StepRecord:
    error, found = StepError(kind, detail, status), (Finding("endpoint_error", detail),)
    return record(judged=False, ok=False, error=error, findings=found, reply=None, timing=None, **changes)


BUSY = "HTTP 503: the queue is full"
SHAKY = (
    failed("http_status", BUSY, 503, turn=1),
    record(turn=1, attempt=2),
    failed("http_status", BUSY, 503, turn=2),
    failed("reset", "h:80 broke the connection", turn=2, attempt=2),
    record(turn=2, attempt=3),
    failed("http_status", BUSY, 503, turn=3),
    failed("http_status", BUSY, 503, turn=3, attempt=2),
)


def test_failures_are_counted_by_kind_with_an_example() -> None:
    summary = summary_of(*SHAKY, turns={CELL: 4})
    assert summary.losses == (
        LossRow("HTTP 503", 4, 1, f"{CELL}.t01.s01.a1", BUSY),
        LossRow("reset", 1, 0, f"{CELL}.t02.s01.a2", "h:80 broke the connection"),
    )
    assert loss_lines(summary) == [
        "5 of 7 requests failed; 2 of 4 planned turns were not judged.",
        f"HTTP 503: 4 requests, 1 given up. First {CELL}.t01.s01.a1: {BUSY}",
        f"reset: 1 request, all repeated. First {CELL}.t02.s01.a2: h:80 broke the connection",
    ]
    assert "Go on with it: agenteval run --resume r" in this_run_lines(summary)


@pytest.mark.parametrize(
    ("status", "times", "fate"),
    [
        ("interrupted", "r: begun then, interrupted later.", "not repeated before the run was interrupted"),
        ("running", "r: begun then, not ended.", "not repeated so far"),
    ],
)
def test_a_run_that_did_not_come_to_its_end_says_so_and_gives_nothing_up(status: Any, times: str, fate: str) -> None:
    manifest = replace(manifest_of({CELL: 4}), status=status, created_at="then", finished_at="later")
    summary = summarise(manifest, SHAKY)
    assert this_run_lines(summary) == [times, "Go on with it: agenteval run --resume r"]
    assert loss_lines(summary)[1] == f"HTTP 503: 4 requests, 1 {fate}. First {CELL}.t01.s01.a1: {BUSY}"


def test_an_interruption_without_a_failed_request_is_told() -> None:
    summary = summarise(replace(manifest_of({CELL: 2}), status="interrupted", finished_at="later"), [record()])
    for text in (render_terminal(summary), render_markdown(summary)):
        assert "interrupted later" in text
        assert "Go on with it: agenteval run --resume r" in text


def test_none_is_a_finding_or_in_a_score() -> None:
    summary = summary_of(*SHAKY, turns={CELL: 4})
    assert summary.findings == {}
    assert (summary.scores.turns_ok, summary.scores.turns_judged, summary.scores.completion) == (2, 2, 0.5)
    assert [row.failures for row in summary.turns[:2]] == [(), ()]


def test_both_reports_say_it() -> None:
    summary = summary_of(*SHAKY, turns={CELL: 4})
    for text in (render_terminal(summary), render_markdown(summary)):
        assert "Infrastructure (in no score)" in text
        assert "the queue is full" in text
        assert "50% of 4 planned turns" in text


def test_where_nothing_failed_nothing_is_said() -> None:
    assert loss_lines(summary_of(record())) == []
    assert "Infrastructure" not in render_terminal(summary_of(record()))
