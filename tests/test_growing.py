"""What is kept of a history's beginning is what would be made of it anew: whatever is cut off, changed or added."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenteval.canonical import ListHash, tagged_hash
from agenteval.dialects import DIALECTS, ChatRequest, Encoder, Sending, encode, sent_history
from agenteval.growing import Grown, common_prefix
from agenteval.messages import Message, ToolCall, Transcript
from agenteval.parsers import FAMILIES
from agenteval.prompts import FORMATS, PromptCounter, render
from agenteval.run.accounting import Accountant
from agenteval.scoring.shown import shown_text
from agenteval.thinking import MODES, Thinking
from agenteval.tokens import vocabulary
from agenteval.wire import request_bytes
from tests.transcripts import READ

TEXTS = st.sampled_from([None, "", "one", "two <|user|>", "3.0"])
CALLS = st.lists(st.builds(ToolCall, st.sampled_from("ab"), st.just("read_file"), st.sampled_from(["{}", "[", "{ }"])))
MESSAGES = st.builds(Message, st.sampled_from(["system", "user"]), TEXTS) | st.one_of(
    st.builds(Message, st.just("assistant"), TEXTS, TEXTS, CALLS.map(tuple)),
    st.builds(Message, st.just("tool"), TEXTS, tool_call_id=st.sampled_from("ab")),
)
HISTORIES = st.lists(st.lists(MESSAGES, max_size=6).map(tuple), min_size=2, max_size=5)
"""Of each history the next one keeps the first half, and goes on with what is drawn."""


def histories(drawn: Sequence[Transcript]) -> list[Transcript]:
    told: list[Transcript] = [()]
    for number, more in enumerate(drawn):
        told.append((*told[-1][: len(told[-1]) - number % 3], *more))
    return told[1:]


@pytest.mark.parametrize(
    ("a", "b", "shared"),
    [([], [], 0), ([1], [], 0), ([1, 2, 3], [1, 2, 4, 5], 2), ([1, 2], (1, 2, 3), 2), ([1], [2], 0), ([7], [7], 1)],
)
def test_a_common_prefix_ends_at_the_first_difference(a: Sequence[int], b: Sequence[int], shared: int) -> None:
    assert common_prefix(a, b) == common_prefix(b, a) == shared


@given(st.lists(MESSAGES, max_size=5), st.lists(MESSAGES, max_size=5), st.lists(MESSAGES, max_size=5))
def test_messages_in_common_are_those_before_the_first_that_differs(
    both: list[Message], a: list[Message], b: list[Message]
) -> None:
    one, other = (*both, *a), (*both, *b)
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
    assert common_prefix(one, other) == common_prefix(list(other), list(one)) == shared


def test_messages_have_no_order() -> None:
    """`common_prefix` takes two sequences of them that are in order for one that begins the other."""
    with pytest.raises(TypeError):
        assert Message("user", "a") < Message("user", "b")  # type: ignore[operator]


def test_only_what_is_new_is_made() -> None:
    grown: Grown[str, str] = Grown()
    asked: list[str] = []

    def made(items: str, unchanged: int | None = None) -> list[str]:
        asked.clear()
        return grown.grow(items, lambda n: asked.append(items[n]) or items[: n + 1], unchanged)  # type: ignore[func-returns-value]

    assert (made("ab"), asked) == (["a", "ab"], ["a", "b"])
    assert (made("abcd"), asked) == (["a", "ab", "abc", "abcd"], ["c", "d"])
    assert (made("abxd"), asked) == (["a", "ab", "abx", "abxd"], ["x", "d"])
    assert (made("abxd", 1), asked) == (["a", "ab", "abx", "abxd"], ["b", "x", "d"])


VALUES = st.lists(st.sampled_from([True, 1, 1.0, "é", {"b": 2.0, "a": []}]))


@given(VALUES, VALUES, VALUES)
def test_the_hash_of_a_list_does_not_depend_on_those_before(
    kept: list[object], before: list[object], after: list[object]
) -> None:
    growing = ListHash()
    assert growing.of([*kept, *before], 0) == tagged_hash([*kept, *before])
    assert growing.of([*kept, *after], len(kept)) == tagged_hash([*kept, *after])


@given(HISTORIES, st.sampled_from(MODES), st.sampled_from([*FORMATS, None]), st.sampled_from(list(DIALECTS)))
def test_a_request_is_encoded_as_if_it_were_the_first(
    drawn: list[Transcript], thinking: Thinking, family: str | None, dialect: str
) -> None:
    sending, encoder = Sending(), Encoder(DIALECTS[dialect])
    for messages in histories(drawn):
        afresh = sent_history(messages, thinking, family)
        assert sending.history(messages, thinking, family) == afresh
        request = ChatRequest("m", afresh, (READ,), thinking, 9, None, 1, family=family)
        encoded = encoder.encode(request)
        assert encoded == encode(request, DIALECTS[dialect])
        assert request_bytes(encoded.body) == msgspec.json.encode(dict(encoded.body))
        assert encoded.view_hash == tagged_hash(encoded.body["messages"])


@given(HISTORIES, st.booleans(), st.booleans(), st.sampled_from(list(FORMATS)))
def test_a_prompt_has_as_many_tokens_as_the_whole_of_its_text(
    drawn: list[Transcript], thinking: bool, keep_reasoning: bool, family: str
) -> None:
    words = vocabulary(FAMILIES[family].special)
    counter = PromptCounter(family, words)
    for messages in histories(drawn):
        counted = counter.count(messages, (READ,), thinking=thinking, keep_reasoning=keep_reasoning)
        alone, whole = (
            words.count(render(FORMATS[family], messages, tools, thinking=thinking, keep_reasoning=keep_reasoning))
            for tools in ((), (READ,))
        )
        assert (counted.messages, counted.tools, counted.total) == (alone, whole - alone, whole)


@given(HISTORIES)
def test_without_a_template_the_characters_of_all_that_is_shown_are_counted(drawn: list[Transcript]) -> None:
    scale = Accountant(None).scale("on")
    for messages in histories(drawn):
        assert scale.size(messages, (READ,)).units == len(shown_text(messages, (READ,)))
