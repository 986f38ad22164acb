"""What each server is sent: reasoning fields, empty content, repaired arguments, template arguments."""

from __future__ import annotations

from typing import Any

import pytest

from agenteval.dialects import (
    ALWAYS_THINKING,
    DIALECTS,
    ChatRequest,
    EncodedRequest,
    context_window,
    encode,
    family_of_model,
    recognise,
    sent_history,
)
from agenteval.dialects.detect import FAMILY_NAMES
from agenteval.dialects.dialect import SWITCHES
from agenteval.messages import Message, ToolCall, Transcript
from agenteval.parsers import FAMILIES
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


def test_a_loop_without_an_answer_stays_open_for_a_model_that_always_thinks() -> None:
    """gpt-oss's own template and vLLM keep all analysis behind the last answer, whoever spoke in between."""
    history = (*HISTORY, Message("user", "third"), Message("assistant", None, "newest", HISTORY[-2].tool_calls))
    sent = encoded("vllm", "on", history, family="harmony").body
    assert [m["reasoning"] for m in sent["messages"] if "reasoning" in m] == ["new thought", "newest"]
    answered = (*HISTORY, Message("assistant", "Two.", "why"), Message("user", "third"))
    sent = encoded("vllm", "on", answered, family="harmony").body
    assert not any("reasoning" in m for m in sent["messages"])


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
        ("zai-org/GLM-4.7-Flash", "glm47"),
        ("glm-5.1", "glm47"),
        ("GLM-4.5-Air", "glm45"),
        ("zai-org/GLM-4.6", "glm45"),
        ("zai-org/glm-4-9b-chat", None),
        ("THUDM/GLM-4-32B-0414", None),
        ("openai/gpt-oss-120b", "harmony"),
        ("moonshotai/Kimi-K2-Instruct-0905", "kimi_k2"),
        ("moonshotai/Kimi-K2-Thinking", "kimi_k2"),
        ("moonshotai/Kimi-Linear-48B-A3B-Instruct", None),
        ("deepseek-ai/DeepSeek-V3-0324", "deepseek_v3"),
        ("deepseek-ai/DeepSeek-V3", "deepseek_v3"),
        ("deepseek-ai/DeepSeek-V3.1-Terminus", "deepseek_v31"),
        ("deepseek-ai/DeepSeek-V3.2-Exp", "deepseek_v31"),
        ("deepseek-ai/DeepSeek-V3.2", "deepseek_v32"),
        ("deepseek-ai/DeepSeek-R1", None),
        ("deepseek-ai/DeepSeek-R1-0528-Qwen3-8B", None),
        ("deepseek-ai/DeepSeek-R1-Distill-Llama-70B", None),
        ("Qwen/Qwen3-Coder-480B-A35B-Instruct-FP8", "qwen3_coder"),
        ("Qwen/Qwen3-Coder-Next", "qwen3_coder"),
        ("Qwen/Qwen3.5-397B-A17B", "qwen3_coder"),
        ("Qwen/Qwen3-8B", "hermes"),
        ("Qwen/Qwen3-Next-80B-A3B-Instruct", "hermes"),
        ("Qwen/Qwen2.5-7B-Instruct", "hermes"),
        ("Qwen/Qwen2-7B-Instruct", None),
        ("Qwen/Qwen3-Embedding-8B", None),
        ("NousResearch/Hermes-3-Llama-3.1-8B", "hermes"),
        ("meta-llama/Llama-3.1-8B-Instruct", "llama3_json"),
        ("Meta-Llama-3.3-70B-Instruct-Q4_K_M.gguf", "llama3_json"),
        ("meta-llama/Meta-Llama-3-8B-Instruct", None),
        ("nvidia/Llama-3_3-Nemotron-Super-49B-v1_5", None),
        ("mistralai/Mistral-Small-3.1-24B-Instruct-2503", "mistral"),
        ("mistralai/Mistral-7B-Instruct-v0.3", "mistral"),
        ("mistralai/Mistral-7B-Instruct-v0.1", None),
        ("teknium/OpenHermes-2.5-Mistral-7B", None),
        ("mistralai/Magistral-Small-2506", "mistral"),
        ("MiniMaxAI/MiniMax-M2.1", "minimax_m2"),
        ("MiniMaxAI/MiniMax-M1-80k", None),
        ("google/gemma-4-31B-it", "gemma4"),
        ("google/gemma-3-27b-it", None),
        ("llama", None),
    ],
)
def test_families_are_guessed_by_name(model: str, family: str | None) -> None:
    assert family_of_model(model) == family


def test_names_point_to_families_that_there_are() -> None:
    assert {family for _, family in FAMILY_NAMES if family} == set(FAMILIES)


@pytest.mark.parametrize("dialect", ["sglang", "vllm", "llamacpp"])
@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_a_family_has_the_switch_that_it_is_known_to_have_and_no_other(dialect: str, family: str) -> None:
    known, kind = SWITCHES.get(family, {}), DIALECTS[dialect]
    assert kind.modes(family) == (tuple(known) or ("on",))
    assert kind.switches(family) == bool(known)
    asked = encode(
        ChatRequest("m", sent_history(HISTORY, "on", family), (READ,), "on", 100, 0.0, 7, family=family), kind
    ).body
    assert asked.get("chat_template_kwargs") == known.get("on", {}).get("chat_template_kwargs")
    assert kind.guesses(family) == (not known and family not in ALWAYS_THINKING)


def test_switches_are_spelled_as_the_templates_read_them() -> None:
    def kwargs(family: str, mode: Thinking) -> dict[str, Any]:
        request = ChatRequest("m", sent_history(HISTORY, mode, family), (), mode, 1, None, 7, family=family)
        arguments: dict[str, Any] = encode(request, DIALECTS["vllm"]).body["chat_template_kwargs"]
        return arguments

    assert kwargs("deepseek_v31", "off") == {"thinking": False}
    assert kwargs("gemma4", "on") == {"enable_thinking": True}
