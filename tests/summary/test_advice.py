"""What to try next is not what was just done."""

from __future__ import annotations

import pytest

from agenteval.outcome import StepRecord
from tests.summary.arms import AGAIN, MASK
from tests.summary.test_rows import summary_of
from tests.summary.test_taken import arm

FAILS = arm("full_history", {})


def next_of(*records: StepRecord) -> str:
    advice = summary_of(*records).advice
    return " ".join(hint for hint in advice if "heal" in hint)


@pytest.mark.parametrize("beside", [[], arm(AGAIN, {})])
def test_a_run_without_another_policy_is_told_to_try_one(beside: list[StepRecord]) -> None:
    assert next_of(*FAILS, *beside) == (
        "Whether a shorter history heals it: the same run with --policy full_history --policy sliding_window."
    )


def test_a_policy_that_healed_it_is_named_instead() -> None:
    whole = arm("sliding_window", {}, fails_from=9)
    assert next_of(*FAILS, *whole, *arm(MASK, {}, fails_from=4)) == (
        "What is sent heals it: no turn of s, thinking off fails under sliding_window. What that costs: agenteval "
        "compare RUN."
    )


def test_where_none_healed_it_others_are_pointed_to() -> None:
    assert next_of(*FAILS, *arm(MASK, {}, fails_from=4), *arm("offload", {})) == (
        "None of the other policies here heals all of s, thinking off: what each fixes and breaks tells agenteval "
        "compare RUN, and agenteval policies list has more."
    )
