"""What the embedded endpoint cannot play is told as its own limit, and gives no advice about a server."""

from __future__ import annotations

from agenteval.outcome import UNPLAYED, Finding, RecordedReply, StepRecord
from tests.records import record
from tests.summary.test_rows import NO_CALL, summary_of

CALLED_AS_TEXT = (Finding("call_as_text", "read_file stands as text"),)
STRANGE = RecordedReply(f"{UNPLAYED} I play only the scenarios that I was given.", None, "stop", ())
PROSE = RecordedReply("I would use read_file next.", None, "stop", ())


def conversation(said: RecordedReply, fails_from: int) -> list[StepRecord]:
    right = [record(turn=turn) for turn in range(1, fails_from)]
    return right + [record(turn=turn, reply=said, findings=NO_CALL) for turn in range(fails_from, 6)]


def test_a_request_that_it_does_not_know_is_its_own_limit() -> None:
    for fails_from, number in ((1, 5), (3, 3)):
        summary = summary_of(*conversation(STRANGE, fails_from), simulated=True)
        assert f"did not know {number} of 5 requests" in summary.sentences[0]
        assert "which says nothing about a server" in summary.sentences[0]
        assert summary.advice == ()


def test_other_turns_keep_their_advice() -> None:
    other = record(cell="t.off.full_history.0", scenario="t", reply=PROSE, findings=CALLED_AS_TEXT)
    assert len(summary_of(*conversation(STRANGE, 3), other, simulated=True).advice) == 1


def test_a_real_model_that_says_the_same_is_not_excused() -> None:
    for said, simulated in ((PROSE, True), (STRANGE, False)):
        summary = summary_of(*conversation(said, 3), simulated=simulated)
        assert "length or history is the likely cause" in summary.advice[0]
        assert "did not know" not in summary.sentences[0]
