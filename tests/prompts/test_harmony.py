"""The prompt is what the harmony renderer makes of the same messages; where it is not, that is told and tested here.

The whole prompts stand here as openai-harmony 0.0.8 rendered them, but for the recipients' place and the analysis.
"""

from __future__ import annotations

import pytest

from agenteval.messages import Message, ToolCall, ToolSpec
from agenteval.parsers import FAMILIES
from agenteval.prompts import count_prompt
from agenteval.prompts.harmony import render_prompt
from agenteval.prompts.typescript import namespace
from agenteval.tokens import vocabulary

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
CALLED = '<|start|>assistant<|channel|>commentary to=functions.get <|constrain|>json<|message|>{"a":  1}<|call|>'
RESULT = "<|start|>functions.get to=assistant<|channel|>commentary<|message|>{}<|end|>"


def said(channel: str, text: str) -> str:
    return f"<|start|>assistant<|channel|>{channel}<|message|>{text}<|end|>"


def user(text: str) -> str:
    return f"<|start|>user<|message|>{text}<|end|>"


def render(*messages: Message, tools: tuple[ToolSpec, ...] = (), keep: bool = False) -> str:
    return render_prompt(messages, tools, thinking=True, keep_reasoning=keep)


FIRST_TURN = user("Look.") + CALLED + RESULT.format("found") + said("final", "Done.") + user("More.")


def test_after_an_answer_its_analysis_is_dropped() -> None:
    assert render(*TRANSCRIPT[:6]) == f"{SYSTEM}<|end|>{INSTRUCTIONS}<|end|>{FIRST_TURN}<|start|>assistant"


def test_in_an_open_tool_loop_the_analysis_since_the_last_answer_is_kept() -> None:
    loop = said("analysis", "Third.") + said("commentary", "Again.") + CALLED + RESULT.format("gone")
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
    prompt = render_prompt(TRANSCRIPT[:2], (), thinking=True, keep_reasoning=False, effort="high")
    assert prompt == render(*TRANSCRIPT[:2]).replace("Reasoning: medium", "Reasoning: high")


def test_results_are_named_after_their_calls() -> None:
    calls = (ToolCall("1", "get", "{}"), ToolCall("2", "set", "{}"))
    results = (Message("tool", "b", tool_call_id="2"), Message("tool", "a", tool_call_id="1"))
    prompt = render(Message("user", "u"), Message("assistant", None, None, calls), *results)
    assert prompt.index("functions.set to=assistant") < prompt.index("functions.get to=assistant")


def test_a_later_system_message_is_the_developers() -> None:
    assert render(TRANSCRIPT[1], TRANSCRIPT[0]).endswith(f"{user('Look.')}{INSTRUCTIONS}<|end|><|start|>assistant")


@pytest.mark.parametrize("end", [3, 5, 7])
def test_what_the_model_wrote_stands_in_the_next_prompt(end: int) -> None:
    raw = FAMILIES["harmony"].render(TRANSCRIPT[end - 1], (GET,), False)
    before = render(*TRANSCRIPT[: end - 1], tools=(GET,), keep=True)
    assert render(*TRANSCRIPT[:end], tools=(GET,), keep=True).startswith(before + raw)


def test_the_prompt_is_counted() -> None:
    family = FAMILIES["harmony"]
    counted = count_prompt(
        "harmony", TRANSCRIPT, (GET,), vocabulary(family.special), thinking=True, keep_reasoning=False
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
    "nul": {"type": "string", "nullable": True, "default": "q"},
    "e": {"type": "array", "items": {"type": "string", "enum": ["p", "q"]}},
    "flag": {"type": "boolean", "default": False},
}
DECLARED = """namespace functions {

// Saves
// it.
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
nul?: string | null, // default: "q"
e?: "p" | "q"[],
flag?: boolean, // default: false
}) => any;

type now = (_: any) => any;

} // namespace functions"""


def test_schemas_are_declared_as_openai_harmony_declares_them() -> None:
    schema = {"type": "object", "description": "obj", "properties": PROPERTIES, "required": ["path", "kind"]}
    assert namespace("functions", [ToolSpec("save", "Saves\nit.", schema), ToolSpec("now", "", {})]) == DECLARED


@pytest.mark.parametrize("schema", [None, [], {"type": 1}, {"type": "object", "properties": [], "required": 1}])
def test_what_is_no_schema_is_declared_somehow(schema: object) -> None:
    assert "a?: " in namespace("n", [ToolSpec("t", "", {"type": "object", "properties": {"a": schema}})])
