"""A user's own policy: what it may return, and what its user reads when it returns something else."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from agenteval.context import Budget, OwnPolicy
from agenteval.errors import UsageError
from agenteval.messages import Message, Transcript
from tests.transcripts import call, exchange

Messages = list[dict[str, Any]]
PARALLEL = (call("read_file", "p1", path="a"), call("read_file", "p2", path="b"))
TRANSCRIPT: Transcript = (
    Message("system", "You are an agent."),
    *exchange(1, "Read.", "one"),
    Message("user", "Read two."),
    Message("assistant", "", None, PARALLEL),
    *(Message("tool", f"result of {made.id}", tool_call_id=made.id) for made in PARALLEL),
)


def seen(reduce: Callable[[Messages], Any]) -> Transcript:
    policy = OwnPolicy("mine:own", reduce)
    return policy.step(TRANSCRIPT, policy.begin(), Budget(), len).messages


def told(reduce: Callable[[Messages], Any]) -> str:
    with pytest.raises(UsageError) as caught:
        seen(reduce)
    return str(caught.value)


def parts(messages: Messages) -> Messages:
    return [
        {**m, "content": [{"type": "text", "text": m["content"][:4]}, {"type": "text", "text": "!"}]} for m in messages
    ]


def test_what_is_whole_is_sent() -> None:
    assert seen(lambda messages: messages) == TRANSCRIPT
    assert seen(lambda messages: [messages[0], *messages[5:]]) == (TRANSCRIPT[0], *TRANSCRIPT[5:])
    assert [message.content for message in seen(parts)][1:3] == ["Read!", "!"], "parts are joined"


WRONG: dict[str, tuple[Callable[[Messages], Any], str]] = {
    "nothing": (lambda messages: None, "the function must return a list of messages"),
    "a text": (lambda messages: "hello", "the function must return a list of messages"),
    "texts": (lambda messages: ["hello"], "the function must return a list of messages"),
    "no message": (lambda messages: [], "it returned 0, with no message at all"),
    "raises": (
        lambda messages: messages[99],
        "with 9 messages it raised IndexError: list index out of range (test_own.py",
    ),
    "leaves": (lambda messages: sys.exit(0), "with 9 messages it raised SystemExit: 0 (test_own.py"),
    "no role": (lambda messages: [{"content": "x"}], "a returned message has the role None"),
    "other role": (lambda messages: [{"role": "robot", "content": "x"}], "a returned message has the role 'robot'"),
    "number": (lambda messages: [{"role": "user", "content": 3}], "content is neither a text nor a list of parts"),
    "calls": (lambda messages: [{"role": "assistant", "tool_calls": 7}], "tool_calls is no list of calls with id"),
    "call": (lambda messages: [{"role": "assistant", "tool_calls": [{"id": "a"}]}], "tool_calls is no list of calls"),
    "lost call": (lambda messages: messages[:2] + messages[3:], "the result 'c1' (message 3) without its call"),
    "lost result": (lambda messages: messages[:3] + messages[4:], "the call 'c1' without its result"),
    "half a group": (lambda messages: messages[:-1], "the call 'p2' without its result"),
    "twice": (lambda messages: messages + messages[-1:], "the result 'p2' (message 10) without its call"),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_what_is_not_is_told_in_a_sentence(mistake: str) -> None:
    reduce, expected = WRONG[mistake]
    sentence = told(reduce)
    assert sentence.startswith("mine:own: ")
    assert expected in sentence
    assert "\n" not in sentence
