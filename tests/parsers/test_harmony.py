"""gpt-oss: what can stream, and what cannot be written."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenteval.errors import UnrenderableError
from agenteval.messages import Message, ToolCall
from agenteval.parsers import CallDelta, ContentDelta, ReasoningDelta
from agenteval.parsers.harmony import HARMONY
from agenteval.parsers.harmony_header import Part
from agenteval.regress.corpus import bundled_corpus, load_corpus
from agenteval.regress.rules import open_end
from tests.parsers.sitting import examined, feeds, spoken
from tests.parsers.tools import TOOLS

CALL = "<|channel|>commentary to=functions."


def test_an_open_prompt_changes_nothing() -> None:
    """No prompt of harmony's ends inside reasoning."""
    for case in load_corpus(bundled_corpus(), ["harmony"]):
        for option in case.meanings():
            chosen = {case.policy: option} if case.policy and option else {}
            open_, shut = (HARMONY.parse(case.raw, case.tools, thinking, chosen) for thinking in (True, False))
            assert open_ == shut, case.full_name


PIECES = st.sampled_from(
    ["assistant", "analysis", "final", "to=", "functions.get", " ", "json", "code", "x", "to", "<"]
)


@given(st.sampled_from(Part), st.lists(PIECES, max_size=8).map("".join))
def test_what_fits_a_header_fits_from_its_first_letter_on(part: Part, text: str) -> None:
    if part.fits(text):
        assert all(part.fits(text[:end]) for end in range(len(text)))


ZONE_CALL = ("get_time_zone", '{"city": "Oslo"}')
ZONE = f"<|channel|>commentary to=functions.get_time_zone <|constrain|>json<|message|>{ZONE_CALL[1]}"

# --- streaming ------------------------------------------------------------------------------------------------


def test_arguments_stream_and_hold_back_no_more_than_the_beginning_of_a_marker() -> None:
    value = '{"text": "a < b <|ca <|end| \\u00e9"}'
    given = feeds(HARMONY, [f"{CALL}save json<|message|>", *value, "<|call|>"])
    for fed in range(1, len(value) + 1):
        out = spoken(delta for feed in given[: fed + 1] for delta in feed)
        assert out == value[: fed - open_end(HARMONY, value[:fed])]


def test_a_name_comes_when_its_header_is_complete() -> None:
    given = feeds(HARMONY, [f"{CALL}get_time", "_zone", " <|constrain|>", "json", "<|message|>", "{"])
    assert given == [[], [], [], [], [CallDelta(0, "get_time_zone")], [CallDelta(0, None, "{")], []]


def test_words_come_at_once() -> None:
    given = feeds(
        HARMONY, ["<|channel|>analysis<|message|>", "a", "<|end|><|start|>assistant", "<|channel|>final<|message|>b"]
    )
    assert given == [[], [ReasoningDelta("a")], [], [ContentDelta("b")], []]


def test_one_feed_may_hold_everything() -> None:
    (deltas, rest) = feeds(HARMONY, [f"<|channel|>analysis<|message|>So.<|end|><|start|>assistant{ZONE}<|call|>"])
    assert deltas == [ReasoningDelta("So."), CallDelta(0, *ZONE_CALL)]
    assert rest == []


# --- writing --------------------------------------------------------------------------------------------------


def reply(content: str = "", reasoning: str = "", *, name: str = "get", arguments: str | None = None) -> Message:
    calls = () if arguments is None else (ToolCall("", name, arguments),)
    return Message("assistant", content, reasoning, calls)


REFUSED = [
    ("content holds a marker", reply("a <|end|> b")),
    ("reasoning holds a marker", reply(reasoning="<|channel|>")),
    ("blank content before a call", reply("\n", arguments="{}")),
    ("no object", reply(arguments="[1]")),
    ("no JSON", reply(arguments='{"a": 1')),
    ("nothing", reply(arguments="")),
    ("no name", reply(name="", arguments="{}")),
    ("two words as a name", reply(name="get time", arguments="{}")),
    ("half a character", reply("\ud83d")),
    ("half a character in arguments", reply(arguments='{"a": "\ud83d"}')),
    ("not the model's", Message("user", "Hi")),
]


@pytest.mark.parametrize(("why", "message"), REFUSED, ids=[why for why, _ in REFUSED])
def test_what_the_format_cannot_express_is_refused(why: str, message: Message) -> None:
    with pytest.raises(UnrenderableError):
        HARMONY.render(message, TOOLS, False)


def test_a_reply_is_written_as_the_model_writes_it() -> None:
    calls = (ToolCall("", "get", '{"a":  1}'), ToolCall("", "get_time", "{}"))
    assert HARMONY.render(Message("assistant", "Hi", "So.", calls), TOOLS, False) == (
        "<|channel|>analysis<|message|>So.<|end|>"
        "<|start|>assistant<|channel|>commentary<|message|>Hi<|end|>"
        '<|start|>assistant<|channel|>commentary to=functions.get <|constrain|>json<|message|>{"a":  1}<|call|>'
        "<|start|>assistant<|channel|>commentary to=functions.get_time <|constrain|>json<|message|>{}"
    )
    assert HARMONY.render(reply("Hi"), TOOLS, True) == "<|channel|>final<|message|>Hi"
    assert HARMONY.render(reply(), TOOLS, True) == "<|channel|>final<|message|>"


@pytest.mark.parametrize("marker", HARMONY.markers)
def test_a_marker_in_an_argument_is_spelled_as_json_may(marker: str) -> None:
    arguments = json.dumps({"text": f"a\\{marker}", marker: 1})
    raw = HARMONY.render(reply(name="save", arguments=arguments), TOOLS, False)
    (call,) = examined(HARMONY, raw).calls
    assert json.loads(call.arguments_text) == json.loads(arguments)
