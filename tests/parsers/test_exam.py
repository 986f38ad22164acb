"""Every family sits the exam."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agenteval.messages import Message, ToolCall
from agenteval.parsers import FAMILIES, Family
from agenteval.regress.exam import superlinear
from agenteval.regress.own import Own
from agenteval.regress.rules import longest_marker
from agenteval.regress.subject import Question
from tests.parsers.replies import choices, fragments, replies
from tests.parsers.sitting import check_same, examined, feeds, spoken
from tests.parsers.tools import TOOLS

NAMES = st.sampled_from(sorted(FAMILIES))
WORDS = ("get", "save", "path", "n", '"name"', '"arguments"', '": "', '{"', '"}', '": {', "}}")
UNHURRIED = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


@settings(max_examples=50, suppress_health_check=UNHURRIED)
@given(NAMES, st.booleans(), st.data())
def test_what_is_rendered_is_parsed_again_under_every_cut(name: str, thinking: bool, data: st.DataObject) -> None:
    family = FAMILIES[name]
    message = data.draw(replies(family, thinking))
    raw = family.render(message, TOOLS, thinking)
    check_same(examined(family, raw, thinking), message)


@settings(max_examples=20, suppress_health_check=UNHURRIED)
@given(NAMES, st.booleans(), st.data())
def test_a_truncated_reply_invents_nothing(name: str, thinking: bool, data: st.DataObject) -> None:
    family = FAMILIES[name]
    raw = family.render(data.draw(replies(family, thinking)), TOOLS, thinking)
    chosen = {"truncated_call": data.draw(st.sampled_from(["open", "drop"]))}
    examined(family, raw, thinking, choices=chosen, truncated=True)


@pytest.mark.parametrize("name", FAMILIES)
def test_words_may_end_in_more_blanks_than_a_marker_has_letters(name: str) -> None:
    family = FAMILIES[name]
    blanks = " " * (max(map(len, family.markers)) + 1)
    message = Message("assistant", f"Hi{blanks}", "" if name == "llama3_json" else f"So{blanks}")
    examined(family, family.render(message, TOOLS, True), True, truncated=True)


@settings(max_examples=150, suppress_health_check=UNHURRIED)
@given(NAMES, st.booleans(), st.data())
def test_no_text_breaks_a_parser(name: str, thinking: bool, data: st.DataObject) -> None:
    family = FAMILIES[name]
    pieces = st.sampled_from([*fragments(family), *family.markers, *family.markers, *family.tags, *WORDS])
    text = "".join(data.draw(st.lists(pieces, max_size=14)))
    examined(family, text, thinking, choices=data.draw(choices(family)))


@settings(max_examples=40, suppress_health_check=UNHURRIED)
@given(NAMES, st.booleans(), st.data())
def test_a_damaged_reply_means_the_same_under_every_cut(name: str, thinking: bool, data: st.DataObject) -> None:
    family = FAMILIES[name]
    text = data.draw(replies(family, thinking).map(lambda reply: family.render(reply, TOOLS, thinking)))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        lost = data.draw(st.integers(0, 12))
        text = text[:at] + data.draw(st.sampled_from(["", *fragments(family), *WORDS])) + text[at + lost :]
    examined(family, text, thinking, choices=data.draw(choices(family)))


@pytest.mark.parametrize("family", FAMILIES.values(), ids=list(FAMILIES))
def test_names_that_begin_alike_stay_apart(family: Family) -> None:
    named = [ToolCall("", name, "{}") for name in ("get", "get_time", "get_time_zone", "get_time", "get")]
    message = Message("assistant", "", tool_calls=tuple(named))
    raw = family.render(message, TOOLS, False)
    check_same(examined(family, raw), message)
    for feed in feeds(family, raw):
        assert all(getattr(delta, "name", None) in {None, "get", "get_time", "get_time_zone"} for delta in feed)


@pytest.mark.parametrize("family", FAMILIES.values(), ids=list(FAMILIES))
def test_the_work_is_linear_in_the_text(family: Family) -> None:
    own, question = Own(family), Question(TOOLS)
    argument = json_call("save", {"path": "p" * 200, "text": "<" * 200, "tags": ["t" * 200]})
    call = family.render(Message("assistant", "", tool_calls=(argument,)), TOOLS, False)
    strings = [*family.markers, *family.tags]
    halves = [half for string in strings for half in (string[:-1], f'{string}{{"', f'{string}{{"a": "')]
    for seed in [*strings, *halves, " ", "a", "<", "[", "{", call, call[:-5], "".join(family.markers)]:
        copies = max(4, 700 // len(seed) + 1)
        assert superlinear(own, question, seed, copies) is None, seed[:40]
        assert own.work(question, seed * copies) <= copies * len(seed) * most_looks(family), seed[:40]


@pytest.mark.parametrize("family", FAMILIES.values(), ids=list(FAMILIES))
def test_a_string_argument_streams_while_it_is_written(family: Family) -> None:
    value = "".join(f"line {number} < {number}, </ \n" for number in range(20))
    message = Message("assistant", "", tool_calls=(json_call("save", {"text": value}),))
    raw = family.render(message, TOOLS, False)
    bare = value in raw
    form = value if bare else json.dumps(value)[1:-1]
    start, parser = raw.index(form), family.parser(TOOLS, False)
    out = spoken(parser.feed(raw[:start]))
    for fed in range(1, len(form) + 1):
        out += spoken(parser.feed(form[fed - 1]))
        due = form[: max(0, fed - longest_marker(family))]
        assert (json.dumps(due)[1:-1] if bare else due) in out


def most_looks(family: Family) -> int:
    """How often a character may be looked at: as a marker's possible beginning, and while a name is one."""
    return max(map(len, family.markers)) + 256


def json_call(name: str, arguments: dict[str, object]) -> ToolCall:
    return ToolCall("", name, json.dumps(arguments))
