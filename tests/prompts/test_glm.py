"""The prompt is byte for byte what a GLM-4.7 chat template makes of the same messages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2.sandbox import ImmutableSandboxedEnvironment

from agenteval.errors import UsageError
from agenteval.messages import Message, ToolCall, ToolSpec
from agenteval.parsers import FAMILIES
from agenteval.prompts import FORMATS, PromptCount, count_prompt, render
from agenteval.tokens import vocabulary

TEMPLATE = Path(__file__).parents[2] / "fixtures/templates/glm_style.jinja"
TOOL = ToolSpec("grep", 'Finds "text".', {"type": "object", "properties": {"é": {"type": "string"}}})
NOW = ToolSpec("now", "", {})


def as_servers_do() -> ImmutableSandboxedEnvironment:
    """The environment in which the transformers library, and with it SGLang and vLLM, renders chat
    templates."""
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.filters["tojson"] = lambda value, ensure_ascii=True: json.dumps(value, ensure_ascii=ensure_ascii)
    return environment


CHAT = as_servers_do().from_string(TEMPLATE.read_text(encoding="utf-8"))


def by_template(messages: Sequence[Message], tools: Sequence[ToolSpec], *, thinking: bool, keep_reasoning: bool) -> str:
    return CHAT.render(
        messages=[on_the_wire(message) for message in messages],
        tools=[{"type": "function", "function": function(tool)} for tool in tools],
        enable_thinking=thinking,
        clear_thinking=not keep_reasoning,
        add_generation_prompt=True,
    )


def function(tool: ToolSpec) -> dict[str, Any]:
    return {"name": tool.name, "description": tool.description, "parameters": tool.parameters}


def on_the_wire(message: Message) -> dict[str, Any]:
    """A message as a server hands it to the template: arguments parsed where they are an object."""
    calls = [
        {"function": {"name": call.name, "arguments": object_or_text(call.arguments_text)}}
        for call in message.tool_calls
    ]
    fields = {"role": message.role, "content": message.content, "reasoning_content": message.reasoning}
    return {**fields, "tool_calls": calls}


def object_or_text(text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, dict) else text


# --- generated transcripts ------------------------------------------------------------------------------------

ODD = st.sampled_from(["", " ", "\n", "a", " a \n", "</think>", "<|user|>", "{{ x }}", "é😀", "None", "<b>&'"])
TEXTS = st.none() | ODD | st.text(max_size=6)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | ODD,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(ODD, inner, max_size=2),
    max_leaves=4,
)
ARGUMENTS = st.dictionaries(ODD, VALUES, max_size=3).map(json.dumps) | st.sampled_from(
    ["", "{", "[1]", "null", '"{}"', '{"a":1,"a":[1,  2]}', '{"n": 1.50, "m": 1e2}', ' {"a" : "\\u00e9"} ']
)
CALLS = st.lists(st.builds(ToolCall, st.just("1"), st.sampled_from(["grep", "now"]), ARGUMENTS), max_size=3)
MESSAGES = st.builds(Message, st.sampled_from(["system", "user", "tool"]), TEXTS) | st.builds(
    Message, st.just("assistant"), TEXTS, TEXTS, CALLS.map(tuple)
)


@settings(max_examples=300)
@given(st.lists(MESSAGES, max_size=8), st.sampled_from([(), (TOOL,), (TOOL, NOW)]), st.booleans(), st.booleans())
def test_the_prompt_is_what_the_template_renders(
    messages: list[Message], tools: tuple[ToolSpec, ...], thinking: bool, keep_reasoning: bool
) -> None:
    ours = render(FORMATS["glm47"], messages, tools, thinking=thinking, keep_reasoning=keep_reasoning)
    assert ours == by_template(messages, tools, thinking=thinking, keep_reasoning=keep_reasoning)


# --- one of each, to be read ----------------------------------------------------------------------------------

CALL = ToolCall("1", "grep", '{"é": "x", "n": 2}')
TRANSCRIPT = [
    Message("system", "Be brief."),
    Message("user", "Look."),
    Message("assistant", None, "First.", (CALL, ToolCall("2", "now", "{}"))),
    Message("tool", "found", tool_call_id="1"),
    Message("tool", "noon", tool_call_id="2"),
    Message("assistant", " Done. ", "Second."),
    Message("user", "Thanks."),
]
CALLED = (
    "<tool_call>grep<arg_key>é</arg_key><arg_value>x</arg_value><arg_key>n</arg_key><arg_value>2</arg_value></tool_call>"
    "<tool_call>now</tool_call>"
)
RESULTS = "<|observation|><tool_response>found</tool_response><tool_response>noon</tool_response>"


def test_reasoning_of_earlier_turns_is_dropped() -> None:
    assert render(FORMATS["glm47"], TRANSCRIPT, (), thinking=False, keep_reasoning=False) == (
        "[gMASK]<sop><|system|>\nBe brief.<|user|>\nLook."
        f"<|assistant|></think>{CALLED}{RESULTS}<|assistant|></think>Done."
        "<|user|>\nThanks.<|assistant|></think>"
    )


def test_preserved_reasoning_is_kept() -> None:
    assert render(FORMATS["glm47"], TRANSCRIPT, (), thinking=True, keep_reasoning=True) == (
        "[gMASK]<sop><|system|>\nBe brief.<|user|>\nLook."
        f"<|assistant|><think>First.</think>{CALLED}{RESULTS}<|assistant|><think>Second.</think>Done."
        "<|user|>\nThanks.<|assistant|><think>"
    )


def test_reasoning_of_the_present_turn_is_kept() -> None:
    prompt = render(FORMATS["glm47"], TRANSCRIPT[:5], (), thinking=True, keep_reasoning=False)
    assert prompt.endswith(f"<|assistant|><think>First.</think>{CALLED}{RESULTS}<|assistant|><think>")


def test_what_the_model_wrote_stands_in_the_next_prompt() -> None:
    raw = FAMILIES["glm47"].render(TRANSCRIPT[2], (TOOL, NOW), True)
    before = render(FORMATS["glm47"], TRANSCRIPT[:2], (TOOL, NOW), thinking=True, keep_reasoning=False)
    after = render(FORMATS["glm47"], TRANSCRIPT[:5], (TOOL, NOW), thinking=True, keep_reasoning=False)
    assert after.startswith(before + raw)


# --- counting -------------------------------------------------------------------------------------------------

WORDS = vocabulary(FAMILIES["glm47"].special)


def test_tools_are_counted_apart_from_messages() -> None:
    counted = count_prompt("glm47", TRANSCRIPT, (TOOL,), WORDS, thinking=False, keep_reasoning=False)
    alone = WORDS.count(render(FORMATS["glm47"], TRANSCRIPT, (), thinking=False, keep_reasoning=False))
    whole = WORDS.count(render(FORMATS["glm47"], TRANSCRIPT, (TOOL,), thinking=False, keep_reasoning=False))
    assert counted == PromptCount(messages=alone, tools=whole - alone, total=whole)
    assert counted.tools > 50


def test_a_prompt_can_be_counted_in_the_head() -> None:
    counted = count_prompt("glm47", [Message("user", "hello world")], (), WORDS, thinking=True, keep_reasoning=False)
    assert counted == PromptCount(
        messages=8, tools=0, total=8
    )  # [gMASK] <sop> <|user|> \n hello world <|assistant|> <think>


def test_every_format_is_a_familys() -> None:
    assert set(FORMATS) <= set(FAMILIES)


def test_an_unknown_family_is_the_users_mistake() -> None:
    with pytest.raises(UsageError, match="no prompt format for family 'hal'; known: glm47"):
        count_prompt("hal", (), (), WORDS, thinking=True, keep_reasoning=False)
