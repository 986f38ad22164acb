"""What an engine keeps of conversations changes no answer: however they grow, are cut, or come between one another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenteval.messages import Message, Transcript
from agenteval.parsers import FAMILIES
from agenteval.prompts import FORMATS
from agenteval.simulator.request import Received, Refusal
from agenteval.simulator.thread import KEPT, Prompt, Thread, Threads
from agenteval.tokens import vocabulary
from tests.test_growing import HISTORIES, histories
from tests.transcripts import READ

WORDS = st.sampled_from(["", "one", "two <|user|> ]", "ü" * 40, '"messages"'])
CALL = {"id": "a", "type": "function", "function": {"name": "read_file", "arguments": "{}"}}
SENT = st.one_of(
    st.builds(lambda role, text: {"role": role, "content": text}, st.sampled_from(["system", "user"]), WORDS),
    st.builds(lambda text: {"role": "assistant", "content": text, "tool_calls": [CALL]}, WORDS),
    st.builds(lambda text: {"role": "tool", "tool_call_id": "a", "content": text}, WORDS),
    st.sampled_from([{"role": "nobody"}, {"role": "user", "content": 7}]),
)
SPELLINGS = st.sampled_from(["ours", "ours", "ours", "loose", "twice"])
CONVERSATIONS = st.lists(st.lists(SENT, max_size=4), min_size=2, max_size=KEPT + 4)
"""Each goes on with one that was asked before, drawn, from anywhere in it."""


def threads(family: str) -> Threads:
    return Threads(FORMATS[family], vocabulary(FAMILIES[family].special))


def prompt(thread: Thread, messages: Transcript, *, thinking: bool = True, keep_reasoning: bool = False) -> Prompt:
    return thread.prompt(messages, (READ,), thinking=thinking, keep_reasoning=keep_reasoning)


@pytest.mark.parametrize("family", FORMATS)
@given(HISTORIES, st.data())
def test_a_prompt_is_that_of_a_conversation_that_begins(
    family: str, drawn: list[Transcript], data: st.DataObject
) -> None:
    thread = threads(family).new()
    for messages in histories(drawn):
        thinking, kept = data.draw(st.booleans()), data.draw(st.booleans())
        afresh = threads(family).new()
        assert prompt(thread, messages, thinking=thinking, keep_reasoning=kept) == prompt(
            afresh, messages, thinking=thinking, keep_reasoning=kept
        )
        assert thread.text(messages) == afresh.text(messages)


def asked(told: Sequence[dict[str, Any]], seed: int = 1, spelling: str = "ours") -> bytes:
    """A body as our client spells it, with blanks, or with a second list of messages."""
    tools = [{"type": "function", "function": {"name": "read_file", "parameters": {"type": "object"}}}]
    spelled = msgspec.json.encode({"model": "m", "messages": told, "tools": tools, "seed": seed, "stream": False})
    if spelling == "twice":
        return spelled[:-1] + b',"messages":[{"role":"user","content":"other"}]}'
    return msgspec.json.format(spelled, indent=1) if spelling == "loose" else spelled


def outcome(threads: Threads, body: bytes) -> tuple[Received, Prompt, str] | str:
    """All that an engine makes of a body; in words, why it refuses it."""
    try:
        received, thread = threads.read(body)
    except Refusal as refused:
        return f"{refused.status} {refused}"
    return received, prompt(thread, received.messages), thread.text(received.messages)


@given(CONVERSATIONS, st.data())
def test_a_body_is_read_as_if_it_were_the_first(drawn: list[list[dict[str, Any]]], data: st.DataObject) -> None:
    """Whichever conversation it goes on with, and whatever is wrong with it: the same request or the same refusal."""
    kept, before = threads("glm47"), [list[dict[str, Any]]()]
    for seed, more in enumerate(drawn):
        earlier = data.draw(st.sampled_from(before))
        told = [*earlier[: data.draw(st.integers(0, len(earlier)))], *more]
        before.append(told)
        body = asked(told, seed % 2, data.draw(SPELLINGS))
        assert outcome(kept, body) == outcome(threads("glm47"), body)


def test_the_kept_conversations_are_used() -> None:
    """Else the tests above could not fail."""
    kept, told = threads("glm47"), [{"role": "user", "content": "one"}]
    _, first = kept.read(asked(told))
    _, second = kept.read(asked([*told, {"role": "user", "content": "two"}]))
    assert second is first
    assert isinstance(kept.read(asked(told))[0].messages[0], Message)
