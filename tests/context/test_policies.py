"""One exam for all policies: what every view must keep, over generated transcripts."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings

from agenteval.context import POLICIES, Budget, Policy, View, build_policy, canonical_policy
from agenteval.errors import UsageError
from agenteval.messages import Message, Transcript
from tests.transcripts import exchange, transcripts

SMALL = {"full_history": "full_history", "sliding_window": "sliding_window:high=200,target=80"}
"""Each policy with knobs that make it act on short transcripts."""


def count(messages: Transcript) -> int:
    return sum(
        len(m.content or "") + len(m.reasoning or "") + sum(len(c.arguments_text) for c in m.tool_calls) + 5
        for m in messages
    )


def views(policy: Policy, transcript: Transcript) -> list[tuple[Transcript, View]]:
    """The views at every point where a request would be made, with the state carried along."""
    state = policy.begin()
    seen = []
    for end in range(2, len(transcript) + 1):
        if transcript[end - 1].role not in ("user", "tool"):
            continue
        if end < len(transcript) and transcript[end].role == "tool":
            continue
        view = policy.step(transcript[:end], state, Budget(), count)
        assert isinstance(view, View)
        state = view.state
        seen.append((transcript[:end], view))
    return seen


def test_every_policy_is_in_the_exam() -> None:
    assert set(SMALL) == set(POLICIES)


@pytest.mark.parametrize("spec", SMALL.values())
@settings(max_examples=40)
@given(transcript=transcripts())
def test_views_are_legal_histories(spec: str, transcript: Transcript) -> None:
    for history, view in views(build_policy(spec), transcript):
        messages = view.messages
        assert messages[0] == history[0], "the system prompt comes first, unchanged"
        assert messages[1].role == "user", "the first other message is a user's"
        assert history[1] in messages, "the goal is kept"
        assert messages[-1].role in ("user", "tool"), "the view ends where the model has to speak"
        newest_user = next(m for m in reversed(history) if m.role == "user")
        assert newest_user in messages
        _pairs_are_whole(messages)


def _pairs_are_whole(messages: Transcript) -> None:
    """Every call has its result right behind it, every result its call."""
    open_ids: list[str] = []
    for message in messages:
        if message.role == "tool":
            assert message.tool_call_id in open_ids
            open_ids.remove(message.tool_call_id)
        else:
            assert not open_ids, "a call lost its result"
            open_ids = [made.id for made in message.tool_calls]
    assert not open_ids


@pytest.mark.parametrize("spec", SMALL.values())
@settings(max_examples=40)
@given(transcript=transcripts())
def test_views_are_subsequences_that_only_shrink_forward(spec: str, transcript: Transcript) -> None:
    """Nothing is invented or reordered, and what is gone stays gone."""
    for (old_history, old), (history, new) in pairwise(views(build_policy(spec), transcript)):
        remaining = iter(history)
        assert all(any(message is kept for kept in remaining) for message in new.messages)
        gone = [m for m in old_history if not any(m is kept for kept in old.messages)]
        assert not any(m is kept for m in gone for kept in new.messages if m.role != "user")


@pytest.mark.parametrize("spec", SMALL.values())
@settings(max_examples=40)
@given(transcript=transcripts())
def test_reports_tell_what_was_done(spec: str, transcript: Transcript) -> None:
    for history, view in views(build_policy(spec), transcript):
        report = view.report
        assert report.dropped_messages == len(history) - len(view.messages)
        assert (report.first_changed is None) == (view.messages == history)
        if report.acted:
            assert report.tokens_after is not None
            assert report.tokens_before is not None
            assert report.tokens_after < report.tokens_before


def long_history(turns: int) -> Transcript:
    body = tuple(m for n in range(1, turns + 1) for m in exchange(n, f"do {n}", "x" * 50))
    return (Message("system", "s"), *body, Message("user", "now"))


def test_sliding_window_keeps_everything_below_its_mark() -> None:
    history = long_history(2)
    view = build_policy("sliding_window:high=10000,target=10").step(history, 0, Budget(), count)
    assert isinstance(view, View)
    assert view.messages == history
    assert not view.report.acted


def test_sliding_window_cuts_to_its_low_mark_and_not_again_before_the_high_one() -> None:
    policy = build_policy("sliding_window:high=600,target=300")
    acted = [view.report.acted for _, view in views(policy, long_history(40))]
    assert any(acted)
    assert not any(first and second for first, second in pairwise(acted)), "hysteresis: never twice in a row"


def test_sliding_window_drops_oldest_turns_first() -> None:
    history = long_history(6)
    view = build_policy("sliding_window:high=300,target=260").step(history, 0, Budget(), count)
    assert isinstance(view, View)
    texts = [m.content for m in view.messages if m.role == "user"]
    assert texts[0] == "do 1"
    assert texts[-1] == "now"
    assert "do 2" not in texts
    assert "do 6" in texts


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("full_history", "full_history"),
        ("full_history:", "full_history"),
        ("sliding_window:high=3000,target=1500", "sliding_window"),
        ("sliding_window:target=1500", "sliding_window"),
        ("sliding_window:target=0900,,high=+3000", "sliding_window:target=900"),
        ("sliding_window:target=1200,high=2000", "sliding_window:high=2000,target=1200"),
    ],
)
def test_each_policy_has_one_shortest_spelling(text: str, spelled: str) -> None:
    assert canonical_policy(text) == spelled
    assert build_policy(spelled) == build_policy(text)
    assert canonical_policy(spelled) == spelled


@pytest.mark.parametrize("text", ["nobody", "sliding_window:hgh=3", "sliding_window:high=1", ""])
def test_what_is_no_policy_here_has_no_other_spelling(text: str) -> None:
    assert canonical_policy(text) == text


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("slidng_window", "sliding_window"),
        ("sliding_window:hgh=3", "high, target"),
        ("sliding_window:high=abc", "whole number"),
        ("sliding_window:high=--5", "whole number"),
        ("sliding_window:high=10,target=20", "at most high"),
        ("full_history:x=1", "none"),
    ],
)
def test_mistakes_name_what_exists(text: str, hint: str) -> None:
    with pytest.raises(UsageError, match=hint):
        build_policy(text)
