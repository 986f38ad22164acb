"""GLM-4.7: what can stream, and what cannot be written."""

from __future__ import annotations

import json

import pytest

from agenteval.errors import UnrenderableError
from agenteval.messages import Message, ToolCall
from agenteval.parsers import CallDelta, Delta
from agenteval.parsers.glm47 import GLM47
from tests.parsers.sitting import feeds, spoken
from tests.parsers.tools import TOOLS


def arg(key: str, value: str) -> str:
    return f"<arg_key>{key}</arg_key><arg_value>{value}</arg_value>"


def call(name: str, *arguments: str) -> str:
    return f"<tool_call>{name}{''.join(arguments)}</tool_call>"


ZONE = call("get_time_zone", arg("city", "Oslo"))
ZONE_CALL = ("get_time_zone", '{"city": "Oslo"}')

# --- streaming ------------------------------------------------------------------------------------------------


def test_a_string_streams_and_holds_back_no_more_than_the_beginning_of_its_closer() -> None:
    opening = "<tool_call>save<arg_key>text</arg_key><arg_value>"
    closer, value = "</arg_value>", 'a < b\n"</arg</arg_valuX\\😀</'
    given = feeds(GLM47, [opening, *value, "/arg_value></tool_call>"])
    for fed in range(1, len(value) + 1):
        out = spoken(delta for feed in given[: fed + 1] for delta in feed)
        held = max(size for size in range(len(closer)) if value[:fed].endswith(closer[:size]))
        assert json.loads(out + '"}') == {"text": value[: fed - held]}


def test_a_name_comes_only_when_it_is_whole_and_other_values_when_they_are() -> None:
    given = feeds(GLM47, ["<tool_call>get_time", "_zone", "<arg_key>", "ci", "ty</arg_key><arg_value>"])
    assert given == [
        *([], [], [CallDelta(0, "get_time_zone")], [], [CallDelta(0, None, '{"city": "')], []),
    ]
    given = feeds(GLM47, ["<tool_call>calc<arg_key>n</arg_key><arg_value>", "4", "2</arg_value>"])
    assert given[1:] == [[], [CallDelta(0, None, '{"n": 42')], []]


def test_one_feed_may_hold_everything() -> None:
    (deltas, rest) = feeds(GLM47, [f"So.</think>Hi{ZONE}{call('get')}"], thinking=True)
    assert len(deltas) == 4
    assert deltas[2:] == [CallDelta(0, *ZONE_CALL), CallDelta(1, "get", "{}")]
    assert rest == list[Delta]()


# --- writing --------------------------------------------------------------------------------------------------


def reply(content: str = "", reasoning: str = "", *, name: str = "get", arguments: str | None = None) -> Message:
    calls = () if arguments is None else (ToolCall("", name, arguments),)
    return Message("assistant", content, reasoning, calls)


REFUSED = [
    ("a value holds its closer", reply(name="save", arguments='{"text": "a</arg_value>"}')),
    ("an inner value holds it", reply(name="save", arguments='{"tags": ["</arg_value>"]}')),
    ("reasoning holds its closer", reply(reasoning="a</think>b")),
    ("content holds a tag", reply("a <tool_call> b")),
    ("content holds a role", reply("<|user|>")),
    ("blank content before a call", reply("\n", arguments="{}")),
    ("a string that would become a number", reply(name="calc", arguments='{"any": "42"}')),
    ("a string that would lose its quotes", reply(name="calc", arguments='{"any": "\\"a\\""}')),
    ("a string that would become null", reply(name="limit", arguments='{"unit": "null"}')),
    ("a number that would become a string", reply(name="get_time_zone", arguments='{"city": 42}')),
    ("no object", reply(arguments="[1]")),
    ("no JSON", reply(arguments='{"a": 1')),
    ("nothing", reply(arguments="")),
    ("a key with blanks around it", reply(arguments='{" a": 1}')),
    ("a key with a tag", reply(arguments='{"<arg_value>": 1}')),
    ("no name", reply(name="", arguments="{}")),
    ("two words as a name", reply(name="get time", arguments="{}")),
    ("half a character", reply("\ud83d")),
    ("not the model's", Message("user", "Hi")),
]


@pytest.mark.parametrize("thinking", [False, True])
@pytest.mark.parametrize(("why", "message"), REFUSED, ids=[why for why, _ in REFUSED])
def test_what_the_format_cannot_express_is_refused(why: str, message: Message, thinking: bool) -> None:
    with pytest.raises(UnrenderableError):
        GLM47.render(message, TOOLS, thinking)


def test_a_reply_is_written_as_the_model_writes_it() -> None:
    message = reply("Hi", "So.", name="calc", arguments='{"n": 1, "x": [1,  2.50], "any": "a"}')
    written = "Hi" + call("calc", arg("n", "1"), arg("x", "[1,  2.50]"), arg("any", "a"))
    assert GLM47.render(message, TOOLS, thinking_open=True) == f"So.</think>{written}"
    assert GLM47.render(message, TOOLS, thinking_open=False) == f"<think>So.</think>{written}"
    assert GLM47.render(reply("Hi"), TOOLS, thinking_open=False) == "Hi"
