"""Every fault of the matrix, over a real socket: what the client calls it, and what a run makes of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agenteval.outcome import StepRecord
from tests.faults.matrix import MATRIX, OK, Row
from tests.faults.play import Played, ask, fly, take_off


@pytest.mark.parametrize("name", [name for name, row in MATRIX.items() if row.place != "vanishes"])
def test_the_client_calls_a_fault_by_its_name(name: str) -> None:
    row = MATRIX[name]
    failure = ask(row).failure
    assert (failure and failure.kind) == row.kind


@pytest.mark.parametrize("name", MATRIX)
def test_a_fault_in_mid_run(name: str, tmp_path: Path) -> None:
    """Each attempt is recorded, none counts as a mistake of the model, and the sentence says what to do."""
    row = MATRIX[name]
    played = fly(row, tmp_path)
    assert row.says in played.said
    assert "Traceback" not in played.said
    assert played.exit == row.exit
    assert [record.attempt for record in played.records] == list(range(1, row.attempts + 1))
    for record in played.records:
        assert_recorded(record, row)
    if played.run is not None:
        assert_scored(played, row)


def assert_recorded(record: StepRecord, row: Row) -> None:
    assert (record.error and record.error.kind) == row.kind
    assert record.judged == (row.kind is None)
    if row.kind is None:
        assert tuple(finding.kind for finding in record.findings) == row.findings
        assert record.ok == (row.exit == 0)
    else:
        assert [finding.kind for finding in record.findings] == ["endpoint_error"]
        assert not record.ok


def assert_scored(played: Played, row: Row) -> None:
    assert played.run is not None
    summary = json.loads((played.run / "summary.json").read_text())
    scores = summary["scores"]
    judged = row.kind is None
    assert (scores["turns_planned"], scores["turns_judged"], scores["turns_ok"]) == (1, judged, row.exit == 0)
    assert "endpoint_error" not in summary["findings"]
    assert [(loss["requests"], loss["given_up"]) for loss in summary["losses"]] == (
        [] if judged else [(row.attempts, 1)]
    )
    assert ("agenteval run --resume" in played.said) == (not judged)


@pytest.mark.parametrize("name", MATRIX)
def test_a_fault_at_the_take_off(name: str, tmp_path: Path) -> None:
    """What can only be lost is not begun."""
    row = MATRIX[name]
    played = take_off(row, tmp_path)
    if row.takeoff is None:
        assert played.exit == row.exit
        assert played.records
    else:
        assert row.takeoff in played.said
        assert (played.exit, played.run) == (3, None)


PASSING = [name for name, row in MATRIX.items() if row.kind and row.attempts > 1]


def test_a_fault_that_passes_at_the_take_off_keeps_no_run_from_beginning(tmp_path: Path) -> None:
    once = iter([MATRIX["503"].answer])
    played = take_off(MATRIX["503"], tmp_path, lambda _: next(once, OK))
    assert played.exit == 0, played.said
    assert len(played.records) == 1


@pytest.mark.parametrize("name", PASSING)
def test_a_fault_that_passes_costs_nothing_but_time(name: str, tmp_path: Path) -> None:
    row = MATRIX[name]
    fails = 1 if row.answer.pieces else 2  # a kept connection that ends at once is replaced unnoticed
    played = fly(row, tmp_path, lambda n: row.answer if n < fails else OK)
    assert played.exit == 0, played.said
    assert [record.attempt for record in played.records] == list(range(1, len(played.records) + 1))
    assert [record.ok for record in played.records] in ([False, True], [False, False, True])
    assert "Turns ok: 1 of 1 judged; 100% of 1 planned" in played.said
    assert "every planned turn was judged" in played.said
