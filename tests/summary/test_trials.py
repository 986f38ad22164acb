"""Trials: shares, chances of k trials, and which cells are flaky."""

from __future__ import annotations

import pytest

from agenteval.outcome import Finding, StepError, StepRecord
from agenteval.summary import Summary
from tests.records import record
from tests.summary.test_rows import summary_of

NO_CALL = (Finding("no_tool_call", "expected read_file, no call was made"),)


def trial(number: int, *failing: int, turns: int = 2, thinking: str = "off") -> list[StepRecord]:
    """One trial of an arm: `failing` are the turns that fail."""
    cell = f"s.{thinking}.full_history.{number}"
    return [
        record(cell=cell, thinking=thinking, trial=number, turn=turn, findings=NO_CALL if turn in failing else ())
        for turn in range(1, turns + 1)
    ]


def played(*trials: list[StepRecord], simulated: bool = False) -> Summary:
    return summary_of(*(step for steps in trials for step in steps), simulated=simulated)


def test_a_trial_passes_when_all_its_turns_do() -> None:
    (row,) = played(trial(0), trial(1, 2), trial(2)).trials
    assert (row.n, row.passed) == (3, 2)
    assert row.share == pytest.approx(2 / 3)
    assert row.interval == pytest.approx((0.2077, 0.9385), abs=5e-5)
    assert row.pass_at == pytest.approx((2 / 3, 1, 1))
    assert row.pass_hat == pytest.approx((2 / 3, 1 / 3, 0))


def test_arms_are_apart_and_in_order() -> None:
    rows = played(trial(0, thinking="on"), trial(1, 1, thinking="on"), trial(0), trial(1)).trials
    assert [(row.thinking, row.passed, row.n) for row in rows] == [("off", 2, 2), ("on", 1, 2)]


def test_one_trial_makes_no_rows() -> None:
    summary = played(trial(0), trial(0, 1, thinking="on"))
    assert (summary.trials, summary.flaky) == ((), ())


def test_a_trial_cut_short_is_in_no_share() -> None:
    lost = record(
        cell="s.off.full_history.2",
        trial=2,
        turn=2,
        judged=False,
        ok=False,
        error=StepError("reset", "cut"),
        timing=None,
    )
    cut = [*trial(2, 1, turns=1), lost]
    summary = played(trial(0), trial(1), cut)
    assert [(row.n, row.passed) for row in summary.trials] == [(2, 2)]
    assert summary.flaky == ()


def test_an_arm_whose_trials_were_all_lost_has_no_share() -> None:
    lost = [
        record(cell=f"s.on.full_history.{n}", thinking="on", trial=n, judged=False, ok=False, timing=None)
        for n in range(2)
    ]
    rows = played(trial(0), trial(1), lost).trials
    assert [(row.thinking, row.n, row.share, row.interval, row.pass_at) for row in rows[1:]] == [
        ("on", 0, None, None, ())
    ]


def test_flaky_cells_name_the_trials_and_turns_that_failed() -> None:
    summary = played(trial(0), trial(1, 2), trial(2, 2), trial(3, 1, 2))
    assert summary.flaky == (
        "s, thinking off, full_history: 1 of 4 trials passed; trials 1, 2 failed at turn 2; "
        "trial 3 failed at turns 1, 2.",
    )


def test_trials_that_fail_at_different_turns_are_flaky_too() -> None:
    assert played(trial(0, 1), trial(1, 2)).flaky == (
        "s, thinking off, full_history: 0 of 2 trials passed; trial 0 failed at turn 1; trial 1 failed at turn 2.",
    )


@pytest.mark.parametrize("failing", [(), (2,)])
def test_trials_that_agree_are_not_flaky(failing: tuple[int, ...]) -> None:
    assert played(trial(0, *failing), trial(1, *failing)).flaky == ()


def test_many_flaky_trials_are_counted_not_listed() -> None:
    (said,) = played(
        *(trial(n, n % 6 + 1, turns=6) for n in range(6)), *(trial(n, 1, turns=6) for n in range(6, 20))
    ).flaky
    assert "trials 0, 6, 7, 8, 9, 10, 11, 12 and 7 more failed at turn 1" in said
    assert "2 more failed at other turns" in said


def test_trials_of_the_simulator_are_no_evidence() -> None:
    summary = played(trial(0), trial(1, 2), simulated=True)
    (row,) = summary.trials
    assert (row.n, row.passed, row.share) == (2, 1, 0.5)
    assert (row.interval, row.pass_at, row.pass_hat) == (None, None, None)
    assert any("no evidence" in note for note in summary.notes)
    assert summary.flaky, "flaky cells are told all the same"


def test_nothing_is_said_about_evidence_where_there_is_one_trial_or_a_real_server() -> None:
    for summary in (played(trial(0), simulated=True), played(trial(0), trial(1))):
        assert not any("no evidence" in note for note in summary.notes)
