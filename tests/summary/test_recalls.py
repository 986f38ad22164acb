"""Results that were put away, and whether anybody asked for them again."""

from __future__ import annotations

import pytest

from agenteval.outcome import RecordedCall, RecordedReply, StepRecord
from agenteval.summary import lean, sides_of_runs, versus
from agenteval.summary.recalls import recall_notes
from tests.records import record
from tests.summary.arms import ranked, run
from tests.summary.test_rows import summary_of


def step(turn: int, *rules: str, removed: tuple[str, ...] = (), calls: tuple[str, ...] = ()) -> StepRecord:
    """A step at which these rules acted, and these tools were called."""
    made = tuple(RecordedCall(f"c{at}", name, "{}") for at, name in enumerate(calls))
    report = {"acted": bool(rules), "actions": [{"rule": rule} for rule in rules], "removed_ids": removed}
    reply = RecordedReply("", None, "tool_calls", made)
    return record(cell="s.off.offload.0", policy="offload", turn=turn, policy_report=report, reply=reply)


PLAYED = {
    "offload: 3 results were put away and never asked for again (recall_result was never called).": (
        step(1, "offload", removed=("a", "b"), calls=("read_file",)),
        step(2, "offload", removed=("c",)),
    ),
    "offload: 2 results were put away, and one call of recall_result asked for some again.": (
        step(1, "offload", removed=("a",)),
        step(2, "offload", "sliding_window", removed=("b", "c", "d"), calls=("recall_result",)),
    ),
    "": (step(1), step(2, "sliding_window", removed=("a",))),
}


@pytest.mark.parametrize("note", PLAYED)
def test_what_was_put_away_and_asked_for_again_is_told(note: str) -> None:
    steps = PLAYED[note]
    assert "; ".join(recall_notes(steps)) == note
    assert list(recall_notes(map(lean, steps))) == list(recall_notes(steps)), "a large run keeps lean records"
    told = (summary_of(*steps).notes, ranked(run(record(), *steps)).notes)
    assert [note in notes for notes in told] == [bool(note)] * 2


def test_of_two_runs_each_is_told_by_its_name() -> None:
    note, steps = next(iter(PLAYED.items()))
    sides = sides_of_runs({"BASE": run(*steps), "NEW": run(*steps)})
    notes = versus(sides, sides[0], "run").notes
    assert {f"BASE, {note}", f"NEW, {note}"} <= set(notes)
