"""What counts as a failed result: what the scenario gives as an error, and what reads like one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agenteval.context import Budget, View, build_policy
from agenteval.context.words import is_error
from agenteval.messages import Message, ToolCall, Transcript

READS_LIKE_ONE = {
    "Error: no such file": True,
    "  error 404": True,
    "Traceback (most recent call last): boom": True,
    '{"error": "timed out"}': True,
    '{"code": 404, "error": {"message": "gone"}}': True,
    '{"content": [{"type": "text", "text": "no such crate"}], "isError": true}': True,
    '{"error": null, "rows": [1]}': False,
    '{"content": [], "isError": false}': False,
    '{"text": "the field \\"error\\": is documented below"}': False,
    '{"rows": {"error": "of a row, not of the result"}}': False,
    "Errors are listed in errors.md": False,
    "no crate is called oak": False,
    '{"error": "cut': False,
}


@pytest.mark.parametrize("text", READS_LIKE_ONE)
def test_what_reads_like_an_error(text: str) -> None:
    assert is_error(text) is READS_LIKE_ONE[text]


def attempts(error: str, *, failed: bool = False) -> Transcript:
    """A call that fails and one that makes it good."""
    first, second = ToolCall("c1", "find", '{"name": "oak"}'), ToolCall("c2", "find", '{"name": "elm"}')
    return (
        Message("system", "You run a depot."),
        Message("user", "Find a crate."),
        Message("assistant", "", None, (first,)),
        Message("tool", error, tool_call_id="c1", failed=failed),
        Message("assistant", "", None, (second,)),
        Message("tool", "it is at gate 7", tool_call_id="c2"),
    )


def letters(messages: Transcript) -> int:
    return sum(len(message.content or "") for message in messages)


def seen(spec: str, transcript: Transcript) -> View:
    policy = build_policy(spec)
    outcome = policy.step(transcript, policy.begin(), Budget(), letters)
    assert isinstance(outcome, View)
    return outcome


DETAILS = ", and the shelves were looked through twice" * 12


@pytest.mark.parametrize(
    ("error", "failed", "pruned"),
    [
        ("no crate is called oak" + DETAILS, True, True),
        ("no crate is called oak" + DETAILS, False, False),
        (f'{{"name": "oak", "error": "unknown{DETAILS}"}}', False, True),
        (f'{{"content": "unknown{DETAILS}", "isError": true}}', False, True),
        (f'{{"content": "found{DETAILS}", "isError": false}}', False, False),
    ],
)
def test_a_solved_failure_goes_however_it_is_known(error: str, failed: bool, pruned: bool) -> None:
    view = seen("prune_errors", attempts(error, failed=failed))
    assert ("c1" in view.report.removed_ids) is pruned


def test_failures_of_turns_that_come_all_at_once_go_as_those_that_came_step_by_step() -> None:
    """A history is met whole; each of its turns is looked at as if it had been live."""
    first, second = attempts("x" * 900, failed=True), attempts("y" * 900, failed=True)
    renamed = tuple(
        replace(
            message,
            tool_call_id=message.tool_call_id and f"d{message.tool_call_id}",
            tool_calls=tuple(replace(call, id=f"d{call.id}") for call in message.tool_calls),
        )
        for message in second[1:]
    )
    transcript = (*first, Message("assistant", "At gate 7."), *renamed, Message("assistant", "Done."))
    transcript = (*transcript, Message("user", "Thanks."))
    policy, live = build_policy("prune_errors"), None
    state = policy.begin()
    for end in range(2, len(transcript) + 1):
        if transcript[end - 1].role != "assistant":
            live = policy.step(transcript[:end], state, Budget(), letters)
            assert isinstance(live, View)
            state = live.state
    assert live is not None
    whole = seen("prune_errors", transcript)
    assert whole.messages == live.messages
    assert set(whole.report.removed_ids) >= {"c1", "dc1"}


def test_a_failure_of_another_turn_is_not_made_good_by_this_one() -> None:
    failed, good = attempts("x" * 900, failed=True)[:4], attempts("x" * 900)[4:]
    view = seen("prune_errors", (*failed, Message("assistant", "No."), Message("user", "Again."), *good))
    assert view.report.removed_ids == ()


@pytest.mark.parametrize("failed", [True, False])
def test_the_trigger_on_error_fires_where_the_newest_result_failed(failed: bool) -> None:
    call = ToolCall("c3", "find", "{}")
    newest = Message("tool", "none", tool_call_id="c3", failed=failed)
    transcript = (*attempts("x" * 400), Message("assistant", "", None, (call,)), newest)
    assert seen("head_tail:trigger=on_error,keep_first=0,keep_last=1,min_reclaim=1", transcript).report.acted is failed
