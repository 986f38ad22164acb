"""The prompt is what vLLM and the harmony renderer make of the same messages, token for token.

`fixtures/prompts/harmony.jsonl` holds requests with the prompts that vLLM 0.32.0 rendered for them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from agenteval.messages import Message, ToolCall, ToolSpec
from agenteval.parsers import FAMILIES
from agenteval.parsers.harmony import NEXT
from agenteval.prompts import count_prompt
from agenteval.prompts import render as whole
from agenteval.prompts.harmony import Effort, HarmonyFormat
from agenteval.prompts.typescript import namespace
from agenteval.simulator.request import read_request
from agenteval.tokens import vocabulary
from tests.parsers import sitting, tools
from tests.parsers.replies import replies

PROMPTS = Path(__file__).parents[2] / "fixtures/prompts/harmony.jsonl"
RECORDED = [json.loads(line) for line in PROMPTS.read_text(encoding="utf-8").splitlines()]
HARMONY = FAMILIES["harmony"]

GET = ToolSpec("get", "Gets.", {"type": "object", "properties": {"a": {"type": "integer"}}})
CALL = (ToolCall("1", "get", '{"a":  1}'),)
TRANSCRIPT = (
    Message("system", "Be brief."),
    Message("user", "Look."),
    Message("assistant", None, "First.", CALL),
    Message("tool", "found", tool_call_id="1"),
    Message("assistant", "Done.", "Second."),
    Message("user", "More."),
    Message("assistant", "Again.", "Third.", CALL),
    Message("tool", "gone", tool_call_id="1"),
)
SYSTEM = """<|start|>system<|message|>You are ChatGPT, a large language model trained by OpenAI.
Knowledge cutoff: 2024-06
Current date: 2026-01-01

Reasoning: medium

# Valid channels: analysis, commentary, final. Channel must be included for every message."""
INSTRUCTIONS = "<|start|>developer<|message|># Instructions\n\nBe brief."
CALLED = '<|start|>assistant to=functions.get<|channel|>commentary json<|message|>{"a":  1}<|call|>'
RESULT = "<|start|>functions.get to=assistant<|channel|>commentary<|message|>{}<|end|>"


def said(channel: str, text: str) -> str:
    return f"<|start|>assistant<|channel|>{channel}<|message|>{text}<|end|>"


def user(text: str) -> str:
    return f"<|start|>user<|message|>{text}<|end|>"


def render(*messages: Message, tools: tuple[ToolSpec, ...] = (), keep: bool = False, effort: Effort = "medium") -> str:
    return whole(HarmonyFormat(effort), messages, tools, thinking=True, keep_reasoning=keep)


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: case["why"])
def test_the_prompt_is_the_one_that_vllm_rendered(case: dict[str, Any]) -> None:
    received = read_request(case["request"])
    assert render(*received.messages, tools=received.tools) == case["prompt"]
    counted = count_prompt(
        "harmony", received.messages, received.tools, vocabulary(HARMONY.special), thinking=True, keep_reasoning=False
    )
    assert counted.total == case["tokens"]


FIRST_TURN = user("Look.") + CALLED + RESULT.format("found") + said("final", "Done.") + user("More.")


def test_after_an_answer_its_analysis_is_dropped() -> None:
    assert render(*TRANSCRIPT[:6]) == f"{SYSTEM}<|end|>{INSTRUCTIONS}<|end|>{FIRST_TURN}<|start|>assistant"


def test_in_an_open_tool_loop_the_analysis_since_the_last_answer_is_kept() -> None:
    loop = said("commentary", "Again.") + said("analysis", "Third.") + CALLED + RESULT.format("gone")
    assert render(*TRANSCRIPT) == f"{SYSTEM}<|end|>{INSTRUCTIONS}<|end|>{FIRST_TURN}{loop}<|start|>assistant"


def test_a_user_who_interrupts_the_loop_does_not_end_it() -> None:
    interrupted = (*TRANSCRIPT[:4], Message("user", "Faster."))
    assert render(*interrupted).count("<|channel|>analysis") == 1


def test_all_analysis_can_be_kept() -> None:
    prompt = render(*TRANSCRIPT, keep=True)
    assert [prompt.count(said("analysis", thought)) for thought in ("First.", "Second.", "Third.")] == [1, 1, 1]
    assert "<|return|>" not in prompt


TOOLS = """

# Tools

## functions

namespace functions {

// Gets.
type get = (_: {
a?: number,
}) => any;

} // namespace functions<|end|>"""


def test_tools_stand_in_the_developer_message_and_in_the_system_message() -> None:
    assert render(*TRANSCRIPT[:2], tools=(GET,)) == (
        f"{SYSTEM}\nCalls to these tools must go to the commentary channel: 'functions'.<|end|>"
        f"{INSTRUCTIONS}{TOOLS}{user('Look.')}<|start|>assistant"
    )
    assert f"<|start|>developer<|message|>{TOOLS.lstrip()}" in render(TRANSCRIPT[1], tools=(GET,))
    assert "developer" not in render(TRANSCRIPT[1])


def test_how_much_to_think_stands_in_the_system_message() -> None:
    prompt = render(*TRANSCRIPT[:2], effort="high")
    assert prompt == render(*TRANSCRIPT[:2]).replace("Reasoning: medium", "Reasoning: high")


def test_results_are_named_after_their_calls() -> None:
    calls = (ToolCall("1", "get", "{}"), ToolCall("2", "set", "{}"))
    results = (Message("tool", "b", tool_call_id="2"), Message("tool", "a", tool_call_id="1"))
    prompt = render(Message("user", "u"), Message("assistant", None, None, calls), *results)
    assert prompt.index("functions.set to=assistant") < prompt.index("functions.get to=assistant")


def test_a_later_system_message_is_the_developers() -> None:
    assert render(TRANSCRIPT[1], TRANSCRIPT[0]).endswith(f"{user('Look.')}{INSTRUCTIONS}<|end|><|start|>assistant")


def test_an_answer_stands_in_the_next_prompt_as_the_model_wrote_it() -> None:
    raw = HARMONY.render(TRANSCRIPT[4], (GET,), False)
    before = render(*TRANSCRIPT[:4], tools=(GET,), keep=True)
    assert render(*TRANSCRIPT[:5], tools=(GET,), keep=True).startswith(before + raw)


def test_a_call_and_what_the_next_prompt_shows_of_it_part_at_its_header() -> None:
    raw = HARMONY.render(TRANSCRIPT[2], (GET,), False)
    before, after = (render(*TRANSCRIPT[:end], tools=(GET,), keep=True) for end in (2, 3))
    thought = f"<|channel|>analysis<|message|>First.<|end|>{NEXT}"
    assert raw.startswith(f"{thought}<|channel|>commentary to=")
    assert after.startswith(f"{before}{thought} to=")


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(replies(HARMONY, False))
def test_what_the_prompt_shows_of_a_reply_reads_back_as_it(message: Message) -> None:
    before, after = render(TRANSCRIPT[1]), render(TRANSCRIPT[1], message, keep=True)
    shown = after.removeprefix(before).removesuffix(NEXT)
    sitting.check_same(HARMONY.parse(shown, tools.TOOLS, False), message)


def test_the_prompt_is_counted() -> None:
    counted = count_prompt(
        "harmony", TRANSCRIPT, (GET,), vocabulary(HARMONY.special), thinking=True, keep_reasoning=False
    )
    assert counted.total == counted.messages + counted.tools
    assert 30 < counted.tools < 80


PROPERTIES = {
    "path": {"type": "string", "description": "Where."},
    "n": {"type": "integer", "default": 3},
    "kind": {"type": "string", "enum": ["a", "b"], "default": "a", "description": "Which."},
    "tags": {"type": "array", "items": {"type": "string"}},
    "any": {},
    "opt": {"type": ["string", "null"]},
    "num": {"type": "integer", "enum": [1, 2]},
    "meta": {
        "type": "object",
        "description": "M.",
        "properties": {
            "x": {"type": "number", "description": "X."},
            "y": {
                "type": "array",
                "items": {"type": "object", "properties": {"z": {"type": "boolean"}}, "required": ["z"]},
            },
        },
        "required": ["x"],
    },
    "u": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    "map": {"type": "object", "additionalProperties": {"type": "string"}},
    "arr": {"type": "array"},
    "nul": {"type": "string", "nullable": True, "default": 'a "q"\n'},
    "e": {"type": "array", "items": {"type": "string", "enum": ["p", "q"]}},
    "flag": {"type": "boolean", "default": False},
}
DECLARED = """namespace functions {

// Saves
// it,\u2028all.
// Twice.
type save = (_: // obj
{
// Where.
path: string,
n?: number, // default: 3
// Which.
kind: "a" | "b", // default: a
tags?: string[],
any?: any,
opt?: string | null,
num?: number,
// M.
meta?:     // M.
{
    // X.
    x: number,
    y?: {
        z: boolean,
        }[],
    },
u?: any,
map?: {
    },
arr?: Array<any>,
nul?: string | null, // default: "a "q"
"
e?: "p" | "q"[],
flag?: boolean, // default: false
}) => any;

type now = (_: any) => any;

} // namespace functions"""


def test_schemas_are_declared_as_openai_harmony_declares_them() -> None:
    schema = {"type": "object", "description": "obj", "properties": PROPERTIES, "required": ["path", "kind"]}
    tools = (ToolSpec("save", "Saves\r\nit,\u2028all.\nTwice.\n", schema), ToolSpec("now", "", {}))
    assert namespace("functions", tools) == DECLARED


@pytest.mark.parametrize("schema", [None, [], {"type": 1}, {"type": "object", "properties": [], "required": 1}])
def test_what_is_no_schema_is_declared_somehow(schema: object) -> None:
    assert "a?: " in namespace("n", [ToolSpec("t", "", {"type": "object", "properties": {"a": schema}})])
