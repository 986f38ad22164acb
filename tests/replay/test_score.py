"""A recorded run is judged again without its endpoint: the verdicts are what they were, or the steps are named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from agenteval.outcome import Finding
from agenteval.replay import rescore
from agenteval.replay.score import MASKED
from agenteval.script import Expectation, ExpectedCall, Scenario
from agenteval.store import StoredRun
from agenteval.wire import Fault
from tests.replay.recorded import recorded
from tests.run.scripted import SCENARIO, Body, Says, right

CELL = "small.off.full_history.0"


def shaky(body: Body) -> Says:
    """Wrong in one turn, and out of order once in each conversation."""
    last = body["messages"][-1]
    if last.get("content") == "Close T-7.":
        return Says("I would rather not.", reasoning="No.")
    return right(body)


def failing_first(answer: Callable[[Body], Says]) -> Callable[[Body], Says]:
    """Two attempts fail before the first reply comes."""
    faults = [Says("half", fault=Fault("cut", "closed"), breaks_after=2), Says(status=503)]
    return lambda body: faults.pop() if faults else answer(body)


def changed(turn: int, expect: Expectation) -> Scenario:
    """The small scenario with another expectation, as if the suite had changed."""
    turns = list(SCENARIO.turns)
    turns[turn - 1] = replace(turns[turn - 1], expect=expect)
    return replace(SCENARIO, turns=tuple(turns))


def shortened(stored: StoredRun, steps: int) -> StoredRun:
    """A run that ended after so many steps."""
    return replace(stored, records=stored.records[:steps])


def test_verdicts_are_what_they_were(tmp_path: Path) -> None:
    stored = recorded(tmp_path, failing_first(shaky))
    assert {record.ok for record in stored.records} == {True, False}
    assert any(record.error for record in stored.records)
    assert any(record.purpose == "probe" for record in stored.records)
    found = rescore(stored, [SCENARIO])
    assert (found.steps, found.cells) == (len(stored.records), 2)
    assert (found.changes, found.missing) == ((), ())


def test_a_run_that_ended_anywhere_can_be_scored(tmp_path: Path) -> None:
    stored = recorded(tmp_path, failing_first(right))
    for steps in range(1, len(stored.records)):
        found = rescore(shortened(stored, steps), [SCENARIO])
        assert (found.steps, found.changes) == (steps, ()), steps


def test_a_conversation_that_the_endpoint_lost_can_be_scored(tmp_path: Path) -> None:
    stored = recorded(tmp_path, lambda body: Says(status=503), modes=("off",))
    assert [record.attempt for record in stored.records] == [1, 2, 3, 4, 5]
    assert rescore(stored, [SCENARIO]).changes == ()


def test_a_verdict_of_then_that_is_no_more_is_named(tmp_path: Path) -> None:
    stored = recorded(tmp_path, right, modes=("off",))
    first, *others = stored.records
    wrong = replace(first, ok=False, findings=(Finding("wrong_tool", "as an older version said"),))
    (change,) = rescore(replace(stored, records=(wrong, *others)), [SCENARIO]).changes
    assert (change.step, change.then, change.now) == (f"{CELL}.t01.s01.a1", "FAIL wrong_tool", "ok")


def test_what_is_expected_otherwise_changes_the_verdict(tmp_path: Path) -> None:
    stored = recorded(tmp_path, right, modes=("off",))
    other = changed(1, Expectation(calls=(ExpectedCall("read_file", {"path": "b.py"}),)))
    first, *_ = rescore(stored, [other]).changes
    assert first.step == f"{CELL}.t01.s01.a1"
    assert first.now.startswith("FAIL wrong_argument")


def test_a_conversation_that_goes_another_way_is_told(tmp_path: Path) -> None:
    stored = recorded(tmp_path, right, modes=("off",))
    turns = (SCENARIO.turns[0], replace(SCENARIO.turns[1], user="Please close T-7."), SCENARIO.turns[2])
    found = rescore(stored, [replace(SCENARIO, turns=turns)])
    assert [change.step for change in found.changes] == [record.id for record in stored.records[2:]]
    assert "goes another way (small.off.full_history.0: request 3 has other messages" in found.changes[0].now


def test_turns_that_are_not_asked_any_more_are_told(tmp_path: Path) -> None:
    stored = recorded(tmp_path, right, modes=("off",))
    found = rescore(stored, [replace(SCENARIO, turns=SCENARIO.turns[:2])])
    assert [(change.step, change.now) for change in found.changes] == [(f"{CELL}.t03.s01.a1", "not asked any more")]


def test_a_turn_that_would_go_on_now_is_told(tmp_path: Path) -> None:
    """There is no recorded reply to what would be asked next; the step at which the turn ended has changed."""
    stored = recorded(tmp_path, right, modes=("off",))
    again = changed(3, Expectation(calls=(ExpectedCall("read_file", {"path": "a.py"}),)))
    assert [change.step for change in rescore(stored, [again]).changes] == [f"{CELL}.t03.s01.a1"]


def test_replies_that_were_not_kept_are_named(tmp_path: Path) -> None:
    stored = recorded(tmp_path, right, modes=("off",))
    (stored.path / "frames" / f"{CELL}.jsonl.gz").unlink()
    found = rescore(stored, [SCENARIO])
    assert (found.steps, found.changes) == (0, ())
    assert found.missing == tuple(record.id for record in stored.records)


def test_a_key_that_is_a_word_of_the_scenario_changes_nothing(tmp_path: Path) -> None:
    stored = recorded(tmp_path, shaky, key="Read a.py.")
    assert rescore(stored, [SCENARIO]).changes == ()


def test_a_reply_that_held_the_key_is_told_where_its_verdict_changes(tmp_path: Path) -> None:
    stored = recorded(tmp_path, right, modes=("off",), key="Done with T-7.")
    told = [change.now for change in rescore(stored, [SCENARIO]).changes]
    assert told
    assert all(now.endswith(f"({MASKED})") for now in told)


@pytest.mark.parametrize("spoil", [lambda data: data[: len(data) // 2], lambda data: b"not ours", lambda data: b""])
def test_a_damaged_file_of_frames_is_named(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    stored = recorded(tmp_path, right, modes=("off",))
    frames = stored.path / "frames" / f"{CELL}.jsonl.gz"
    frames.write_bytes(spoil(frames.read_bytes()))
    found = rescore(stored, [SCENARIO])
    assert found.missing
    assert found.damaged == (frames,)
