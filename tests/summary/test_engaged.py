"""What is said of policies that wanted to act and did not: by kind of reason, however many tokens each time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agenteval.context import Budget, ModelRequest, build_policy
from agenteval.messages import Transcript
from agenteval.summary.engaged import engagement_notes
from tests.context.test_promises import letters, transcript
from tests.records import record


def told(*reasons: str) -> str:
    steps = [
        record(cell=f"s{at}.off.m.0", policy="m", policy_report={"acted": True, "rejected": (reason,)})
        for at, reason in enumerate(reasons)
    ]
    (note,) = engagement_notes([], steps)
    return note.removeprefix("What policies wanted to do and did not: ")


def rejected(policy: str, *transcripts: Transcript) -> list[str]:
    """Of one conversation that grows."""
    made = build_policy(policy)
    state, found = made.begin(), list[str]()
    for grown in transcripts:
        view: Any = made.step(grown, state, Budget(), letters)
        assert not isinstance(view, ModelRequest)
        state = view.state
        found += view.report.rejected
    return found


def test_reasons_of_one_kind_are_told_once_with_their_span() -> None:
    few = "m: would free {} tokens, fewer than min_reclaim=60"
    reasons = [few.format(7), few.format(58), few.format(12), "m: gave up after 3 answers", few.format(7)]
    assert told(*reasons) == (
        "m: would free 7 to 58 tokens, fewer than min_reclaim=60 (4 times); m: gave up after 3 answers (once)."
    )
    assert told(few.format(7)) == "m: would free 7 tokens, fewer than min_reclaim=60 (once)."


def test_of_many_kinds_the_rest_is_counted() -> None:
    kinds = [f"m: {kind}" for kind in "aabcde"]
    assert told(*kinds) == "m: a (2 times); m: b (once); m: c (once); and 2 more reasons."


def sized(*results: int) -> Transcript:
    """Tool results of so many tokens, one after the other."""
    head, *turns = transcript(len(results))
    return head, *(
        replace(message, content="word" * results[at // 2 - 1]) if message.role == "tool" else message
        for at, message in enumerate(turns, start=1)
    )


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ("sliding_window", "sliding_window: would free 200 tokens, fewer than min_reclaim=5000"),
        ("clear_tool_uses", "clear_tool_uses: would free less than min_reclaim=5000"),
    ],
)
def test_a_reason_names_the_knob_that_was_set(policy: str, says: str) -> None:
    marks = "trigger=300,target=200,min_reclaim=5000,keep_last=1"
    assert rejected(f"{policy}:{marks}", sized(100, 100, 150)) == [says]


def test_a_wait_after_a_missed_target_is_not_laid_to_min_reclaim() -> None:
    """Half of what lies between the marks has to be won then."""
    results = (100, 100, 290, 20, 290)
    steps = [sized(*results[:number]) for number in range(3, 6)]
    assert rejected("sliding_window:trigger=300,target=20,min_reclaim=1,keep_last=1", *steps) == [
        "sliding_window: would free 20 tokens, fewer than the 140 that it waits for since it missed its target"
    ]
