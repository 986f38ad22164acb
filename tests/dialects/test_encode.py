"""What each server is sent: reasoning fields, empty content, repaired arguments, template arguments."""

from __future__ import annotations

from typing import Any

import pytest

from agenteval.dialects import (
    DIALECTS,
    ChatRequest,
    EncodedRequest,
    context_window,
    encode,
    family_of_model,
    recognise,
    sent_history,
)
from agenteval.messages import Message, ToolCall, Transcript
from agenteval.thinking import MODES, Thinking
from tests.transcripts import READ, exchange

HISTORY: Transcript = (
    Message("system", "s"),
    *exchange(1, "first", "one", reasoning="old thought"),
    Message("user", "second"),
    Message("assistant", None, "new thought", (ToolCall("c2", "read_file", '{"path": "b"}'),)),
    Message("tool", "two", tool_call_id="c2"),
)


def body(dialect: str, thinking: Thinking, messages: Transcript = HISTORY, **extra: Any) -> dict[str, Any]:
    return dict(encoded(dialect, thinking, messages, extra=extra, family="glm47").body)


def encoded(dialect: str, thinking: Thinking, messages: Transcript = HISTORY, **options: Any) -> EncodedRequest:
    history = sent_history(messages, thinking, options.get("family"))
    return encode(ChatRequest("m", history, (READ,), thinking, 100, 0.0, 7, **options), DIALECTS[dialect])


@pytest.mark.parametrize(
    ("dialect", "field"),
    [
        ("sglang", "reasoning_content"),
        ("vllm", "reasoning"),
        ("llamacpp", "reasoning_content"),
        ("openai", "reasoning_content"),
    ],
)
def test_reasoning_goes_back_in_the_field_that_the_server_reads(dialect: str, field: str) -> None:
    sent = {mode: [m.get(field) for m in body(dialect, mode)["messages"]] for mode in MODES}
    assert [text for text in sent["off"] if text] == []
    assert [text for text in sent["on"] if text] == ["new thought"], "only the newest user turn"
    assert [text for text in sent["preserved"] if text] == ["old thought", "old thought", "new thought"]
    other = "reasoning" if field == "reasoning_content" else "reasoning_content"
    assert not any(other in m for m in body(dialect, "preserved")["messages"])


@pytest.mark.parametrize("dialect", ["sglang", "vllm", "llamacpp"])
def test_thinking_is_chosen_by_template_arguments(dialect: str) -> None:
    chosen = {mode: body(dialect, mode)["chat_template_kwargs"] for mode in MODES}
    assert chosen["off"]["enable_thinking"] is False
    assert chosen["on"] == {"enable_thinking": True, "clear_thinking": True}
    assert chosen["preserved"] == {"enable_thinking": True, "clear_thinking": False}


@pytest.mark.parametrize("dialect", ["sglang", "vllm", "llamacpp"])
def test_a_model_of_unknown_family_is_asked_as_it_comes_unless_a_mode_is_guessed(dialect: str) -> None:
    asked = {mode: encoded(dialect, mode).body for mode in MODES}
    assert DIALECTS[dialect].modes(None) == ("on",)
    assert not DIALECTS[dialect].switches(None), "so that no mode of it is judged"
    assert "chat_template_kwargs" not in asked["on"]
    assert asked["off"]["chat_template_kwargs"]["enable_thinking"] is False
    assert asked["preserved"]["chat_template_kwargs"]["clear_thinking"] is False


def test_plain_openai_has_no_switch_for_thinking() -> None:
    assert DIALECTS["openai"].modes("glm47") == ("on",)
    assert DIALECTS["sglang"].modes("glm47") == MODES
    assert "chat_template_kwargs" not in body("openai", "on")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_model_that_always_thinks_is_told_how_much(dialect: str) -> None:
    assert DIALECTS[dialect].modes("harmony") == ("on",)
    sent = encoded(dialect, "on", family="harmony").body
    assert sent["reasoning_effort"] == "medium"
    assert "chat_template_kwargs" not in sent
    assert "reasoning_effort" not in body(dialect, "on")


@pytest.mark.parametrize("thinking", ["on", "preserved"])
def test_a_model_that_always_thinks_gets_its_open_tool_loop_back(thinking: Thinking) -> None:
    sent = encoded("vllm", thinking, family="harmony").body["messages"]
    assert [m["reasoning"] for m in sent if "reasoning" in m] == ["new thought"]


def test_the_users_own_effort_wins() -> None:
    asked = encoded("vllm", "on", extra={"reasoning_effort": "high"}, family="harmony")
    assert asked.body["reasoning_effort"] == "high"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_content_beside_calls_is_never_missing(dialect: str) -> None:
    calling = [m for m in body(dialect, "off")["messages"] if "tool_calls" in m]
    assert calling
    assert all(m["content"] == DIALECTS[dialect].empty_content for m in calling)


@pytest.mark.parametrize("dialect", ["sglang", "vllm"])
def test_running_counts_are_asked_for(dialect: str) -> None:
    assert body(dialect, "off")["stream_options"] == {"include_usage": True, "continuous_usage_stats": True}
    assert body("llamacpp", "off")["timings_per_token"] is True


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [('{"path": "42', "not JSON"), ('["a"]', "no object"), ("NaN", "not JSON"), ("", "not JSON")],
)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_broken_arguments_are_repaired_and_the_repair_is_told(dialect: str, arguments: str, problem: str) -> None:
    broken = Message("assistant", None, None, (ToolCall("c9", "read_file", arguments),))
    messages = (Message("user", "u"), broken, Message("tool", "error", tool_call_id="c9"))
    asked = encoded(dialect, "off", messages)
    assert asked.body["messages"][1]["tool_calls"][0]["function"]["arguments"] == "{}"
    (repair,) = asked.repairs
    assert repair.call_id == "c9"
    assert problem in repair.problem


def test_sound_arguments_go_back_verbatim() -> None:
    text = '{ "path":"\\u0041",  "limit":1.0 }'
    messages = (Message("user", "u"), Message("assistant", None, None, (ToolCall("c", "read_file", text),)))
    asked = encoded("sglang", "off", messages)
    assert asked.body["messages"][1]["tool_calls"][0]["function"]["arguments"] == text
    assert asked.repairs == ()


def test_extra_body_adds_to_template_arguments() -> None:
    sent = body("sglang", "on", chat_template_kwargs={"custom": 1}, top_k=5)
    assert sent["chat_template_kwargs"] == {"enable_thinking": True, "clear_thinking": True, "custom": 1}
    assert sent["top_k"] == 5


@pytest.mark.parametrize(
    ("path", "answer", "dialect"),
    [
        ("/v1/models", {"data": [{"id": "m", "owned_by": "vllm"}]}, "vllm"),
        ("/v1/models", {"data": [{"id": "m", "owned_by": "sglang"}]}, "sglang"),
        ("/v1/models", {"data": [{"id": "m", "owned_by": "llamacpp"}]}, "llamacpp"),
        ("/v1/models", {"data": [{"id": "m", "owned_by": "me"}]}, None),
        ("/v1/models", {"data": None}, None),
        ("/v1/models", {"data": 7}, None),
        ("/v1/models", ["?"], None),
        ("/version", {"version": "0.32.0"}, "vllm"),
        ("/props", {"default_generation_settings": {}, "build_info": "b1"}, "llamacpp"),
        ("/get_server_info", {"tp_size": 1, "version": "0.5.23"}, "sglang"),
    ],
)
def test_servers_are_recognised_by_what_they_say(path: str, answer: Any, dialect: str | None) -> None:
    found = recognise(path, answer)
    assert (found.dialect if found else None) == dialect


def listed(**model: Any) -> dict[str, Any]:
    return {"data": [{"id": "m", **model}]}


@pytest.mark.parametrize(
    ("path", "answer", "window"),
    [
        ("/v1/models", listed(max_model_len=8192), 8192),
        ("/v1/models", listed(owned_by="llamacpp", meta={"n_ctx": 4096, "n_ctx_train": 131072}), 4096),
        ("/v1/models", listed(owned_by="llamacpp", meta={"n_ctx_train": 131072}), None),
        ("/v1/models", {"data": [{"id": "other", "max_model_len": 9}, *listed(max_model_len=8192)["data"]]}, 8192),
        ("/v1/models", {"data": [{"id": "alias", "max_model_len": 8192}]}, 8192),
        ("/v1/models", {"data": [{"id": "a", "max_model_len": 1}, {"id": "b", "max_model_len": 2}]}, None),
        ("/v1/models", listed(max_model_len=None), None),
        ("/v1/models", listed(max_model_len=True), None),
        ("/v1/models", listed(max_model_len=0), None),
        ("/v1/models", listed(max_model_len="8192", meta=[1]), None),
        ("/v1/models", {"data": 7}, None),
        ("/v1/models", {"data": ["m"]}, None),
        ("/v1/models", None, None),
        ("/props", {"default_generation_settings": {"n_ctx": 2048}, "total_slots": 4}, 2048),
        ("/props", {"default_generation_settings": None}, None),
        ("/props", [], None),
        ("/version", {"version": "1", "max_model_len": 5}, None),
    ],
)
def test_the_context_window_is_what_the_server_says(path: str, answer: Any, window: int | None) -> None:
    assert context_window(path, answer, "m") == window


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("zai-org/GLM-4.7-FP8", "glm47"),
        ("glm-5.1", "glm47"),
        ("GLM-4.5-Air", "glm45"),
        ("openai/gpt-oss-120b", "harmony"),
        ("llama", None),
    ],
)
def test_families_are_guessed_by_name(model: str, family: str | None) -> None:
    assert family_of_model(model) == family
