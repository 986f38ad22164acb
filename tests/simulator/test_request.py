"""What a server refuses, and what it reads out of what it accepts."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenteval.messages import Message, ToolCall, ToolSpec
from agenteval.simulator.request import Refusal, read_body, read_request

USER = {"role": "user", "content": "hi"}


def history(**call: Any) -> list[Any]:
    return [
        USER,
        {"role": "assistant", "content": "", "tool_calls": [{"id": "a", "type": "function", "function": call}]},
    ]


def body(**fields: Any) -> dict[str, Any]:
    return {"messages": [USER], **fields}


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({}, "messages"),
    (body(messages=None), "messages"),
    (body(messages=[]), "messages"),
    (body(messages="hi"), "messages"),
    (body(messages=["hi"]), "messages[0]"),
    (body(messages=[{"content": "hi"}]), "messages[0].role"),
    (body(messages=[{"role": "robot", "content": "hi"}]), "messages[0].role"),
    (body(messages=[{"role": "user", "content": None}]), "messages[0].content"),
    (body(messages=[{"role": "user", "content": 5}]), "messages[0].content"),
    (body(messages=[{"role": "user", "content": [{"type": "image_url"}]}]), "messages[0].content[0].type"),
    (body(messages=[{"role": "user", "content": [{"type": "text"}]}]), "messages[0].content[0].text"),
    (body(messages=[{"role": "assistant", "reasoning_content": 1}]), "messages[0].reasoning_content"),
    (body(messages=[USER, {"role": "assistant", "tool_calls": {}}]), "messages[1].tool_calls"),
    (body(messages=[USER, {"role": "assistant", "tool_calls": [{}]}]), "messages[1].tool_calls[0].function"),
    (body(messages=history(arguments="{}")), "messages[1].tool_calls[0].function.name"),
    (body(messages=history(name="f", arguments="{not json")), "messages[1].tool_calls[0].function.arguments"),
    (body(messages=history(name="f", arguments="[1]")), "messages[1].tool_calls[0].function.arguments"),
    (body(messages=history(name="f", arguments='"x"')), "messages[1].tool_calls[0].function.arguments"),
    (body(messages=history(name="f", arguments="")), "messages[1].tool_calls[0].function.arguments"),
    (body(messages=history(name="f", arguments=None)), "messages[1].tool_calls[0].function.arguments"),
    (body(messages=[{"role": "tool", "tool_call_id": 7, "content": ""}]), "messages[0].tool_call_id"),
    (body(model=4), "model"),
    (body(tools={}), "tools"),
    (body(tools=[{"type": "function"}]), "tools[0].function"),
    (body(tools=[{"type": "retrieval", "function": {"name": "f"}}]), "tools[0].type"),
    (body(tools=[{"type": "function", "function": {"name": "f", "parameters": []}}]), "tools[0].function.parameters"),
    (body(tool_choice="perhaps"), "tool_choice"),
    (body(tool_choice=["auto"]), "tool_choice"),
    (body(max_tokens=0), "max_tokens"),
    (body(max_tokens="9"), "max_tokens"),
    (body(max_tokens=True), "max_tokens"),
    (body(max_completion_tokens=1.5), "max_completion_tokens"),
    (body(temperature=-1), "temperature"),
    (body(temperature="hot"), "temperature"),
    (body(top_p=2), "top_p"),
    (body(n=2), "n"),
    (body(seed="x"), "seed"),
    (body(stream="yes"), "stream"),
    (body(stream_options=[]), "stream_options"),
    (body(chat_template_kwargs=[]), "chat_template_kwargs"),
]


@pytest.mark.parametrize(("refused", "field"), REFUSED, ids=lambda value: value if isinstance(value, str) else "")
def test_a_bad_request_is_refused_by_name(refused: dict[str, Any], field: str) -> None:
    with pytest.raises(Refusal) as refusal:
        read_request(refused)
    assert refusal.value.status == 400
    assert refusal.value.param == field
    assert str(refusal.value).startswith(field)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b'"x"',
        b"null",
        b"\xff{}",
        b'{"a": NaN}',
        b'{"a": 1e999}',
        b'{"a": "\\ud800"}',
        b"[" * 100_000,
        b"1" * 10_000,
    ],
)
def test_what_is_no_json_object_is_refused(data: bytes) -> None:
    with pytest.raises(Refusal) as refusal:
        read_body(data)
    assert refusal.value.status == 400


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ["role", "content", "tool_calls", "function", "name", "arguments", "type", "text", "reasoning_content"]
messages = st.lists(
    st.dictionaries(st.sampled_from(FIELDS), json_values | st.sampled_from(["user", "tool", "text"])), max_size=3
)


@given(st.fixed_dictionaries({}, optional={"messages": messages, "tools": json_values, "tool_choice": json_values}))
def test_hostile_bodies_are_read_or_refused(hostile: dict[str, Any]) -> None:
    """Anything else that is raised here would be a traceback in the server."""
    with suppress(Refusal):
        assert read_request(hostile).messages


def test_a_request_is_read_as_it_is_meant() -> None:
    request = read_request(
        {
            "model": "m",
            "messages": [
                {"role": "developer", "content": "be brief"},
                {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
                {
                    "role": "assistant",
                    "content": None,
                    "reasoning_content": "why",
                    "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}],
                },
                {"role": "tool", "tool_call_id": "1", "content": "done"},
            ],
            "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
            "max_completion_tokens": 5,
            "seed": 3,
            "stream": True,
            "stream_options": {"include_usage": True, "continuous_usage_stats": True},
            "chat_template_kwargs": {"enable_thinking": False, "clear_thinking": False},
            "unheard_of": {"ignored": True},
        }
    )
    assert request.messages == (
        Message("system", "be brief"),
        Message("user", "ab"),
        Message("assistant", None, "why", (ToolCall("1", "f", '{"x": 1}'),)),
        Message("tool", "done", tool_call_id="1"),
    )
    assert request.tools == (ToolSpec("f", "", {"type": "object"}),)
    assert (request.thinking, request.keep_reasoning, request.may_call) == (False, True, True)
    assert (request.max_tokens, request.seed) == (5, 3)
    assert (request.stream, request.counted, request.running) == (True, True, True)


def test_thinking_is_on_and_cleared_unless_told_otherwise() -> None:
    request = read_request(body(tool_choice="none"))
    assert (request.thinking, request.keep_reasoning, request.may_call) == (True, False, False)
    assert (request.stream, request.max_tokens, request.tools) == (False, None, ())


def test_reasoning_under_another_name_is_lost() -> None:
    """As with the servers: GLM's template reads `reasoning_content` and nothing else."""
    request = read_request(body(messages=[USER, {"role": "assistant", "content": "x", "reasoning": "why"}]))
    assert request.messages[1].reasoning is None


def test_arguments_may_come_as_an_object() -> None:
    request = read_request(body(messages=history(name="f", arguments={"x": "é"})))
    assert json.loads(request.messages[1].tool_calls[0].arguments_text) == {"x": "é"}
