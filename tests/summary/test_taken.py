"""What fails because its own policy took a fact away is not blamed on length; and the fact is named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agenteval.outcome import Finding, RecordedFact, StepRecord
from tests.records import record
from tests.summary.arms import MASK
from tests.summary.test_rows import summary_of

CODE = RecordedFact("code", "id", 5, "turns", "lost", in_view=False)
BADGE = replace(CODE, name="badge", got="M-1", instead="invented")
SEEN = replace(CODE, outcome="unused", in_view=True)
LENGTH = "length or history is the likely cause."
WRONG = (Finding("wrong_argument", "not the value"),)
Facts = dict[int, tuple[RecordedFact, ...]]


def arm(policy: str, facts: Facts, *, fails_from: int = 3, acts_from: int | None = 2) -> list[StepRecord]:
    """Five turns; from one on all fail, and from one on the policy acts."""
    return [
        record(
            cell=f"s.off.{policy}.0",
            policy=policy,
            turn=turn,
            findings=WRONG if turn >= fails_from else (),
            facts=facts.get(turn, ()),
            policy_report={"acted": acts_from is not None and turn >= acts_from},
        )
        for turn in range(1, 6)
    ]


def test_a_policy_that_took_a_needed_fact_is_the_cause_and_the_fact_is_named() -> None:
    summary = summary_of(*arm(MASK, {3: (CODE,), 5: (BADGE,)}))
    assert not any("length or history" in hint for hint in summary.advice)
    assert summary.advice[0] == (
        f"Every turn from 3 on fails: {MASK} had taken away what turns needed: code (turn 3), badge (turn 5, an "
        "invented value instead). Have it keep more (agenteval policies show NAME), or take another."
    )
    assert summary.sentences[0].endswith("; its policy had taken away what that turn needed: code (turn 3).")


@pytest.mark.parametrize(
    ("policy", "facts", "acts_from", "cause"),
    [
        (MASK, {3: (SEEN,), 5: (CODE,)}, 2, LENGTH),  # it was there when the first turn failed
        (MASK, {2: (CODE,), 3: (SEEN,)}, 2, LENGTH),  # that turn was right all the same
        (MASK, {}, 2, f"length, history or what {MASK} made of it is the likely cause."),  # nobody watched
        (MASK, {}, 4, LENGTH),
        (MASK, {}, None, LENGTH),
        ("full_history", {3: (CODE,)}, None, LENGTH),
        ("full_history+again", {3: (CODE,)}, None, LENGTH),
    ],
)
def test_what_it_did_not_take_is_not_laid_at_its_door(
    policy: str, facts: Facts, acts_from: int | None, cause: str
) -> None:
    summary = summary_of(*arm(policy, facts, acts_from=acts_from))
    assert summary.advice[0] == f"Every turn from 3 on fails: {cause}"
    assert "taken away" not in " ".join((*summary.sentences, *summary.advice))


def test_both_causes_in_one_run_are_each_told_of_their_own_arm() -> None:
    idle = arm("offload", {}, fails_from=6)
    summary = summary_of(*arm("full_history", {}, fails_from=4), *arm(MASK, {3: (CODE,)}), *idle)
    length, own, *_ = summary.advice
    assert length == f"Every turn from 4 on fails in 1 of 3 arms (first s, thinking off, full_history): {LENGTH}"
    assert own.startswith(f"Every turn from 3 on fails in 1 of 3 arms (first s, thinking off, {MASK}): {MASK} had")


def test_of_arms_that_fail_from_different_turns_the_first_control_is_named() -> None:
    first, *_ = summary_of(*arm("a_policy", {}, fails_from=4), *arm("full_history", {}, fails_from=3)).advice
    arms = "In 2 of 2 arms all turns from some turn on fail (first s, thinking off, full_history: from 3)"
    assert first.startswith(f"{arms}: length or history is the likely cause")


def test_of_many_facts_some_are_named() -> None:
    many = tuple(replace(CODE, name=f"fact-{n}") for n in range(6))
    told = summary_of(*arm(MASK, {3: many})).advice[0]
    assert "fact-3 (turn 3), and 2 more." in told
    assert "fact-4" not in told
