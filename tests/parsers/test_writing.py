"""What a model of each family would have written for a message, and what its format cannot express."""

from __future__ import annotations

import pytest

from agenteval.errors import UnrenderableError
from agenteval.messages import Message, ToolCall
from agenteval.parsers import FAMILIES
from tests.parsers.sitting import check_same, examined
from tests.parsers.tools import TOOLS

CALLS = (ToolCall("", "save", '{"path": "a", "tags":  [1]}'), ToolCall("", "get", "{}"))
FULL = Message("assistant", "Hi", "So.", CALLS)


def reply(content: str = "", reasoning: str = "", *, name: str = "get", arguments: str | None = None) -> Message:
    calls = () if arguments is None else (ToolCall("", name, arguments),)
    return Message("assistant", content, reasoning, calls)


WRITTEN = [
    (
        "glm45",
        False,
        FULL,
        "\n<think>So.</think>\nHi"
        "\n<tool_call>save\n<arg_key>path</arg_key>\n<arg_value>a</arg_value>\n"
        "<arg_key>tags</arg_key>\n<arg_value>[1]</arg_value>\n</tool_call>"
        "\n<tool_call>get\n</tool_call>",
    ),
    ("glm45", True, reply("Hi", "So."), "So.</think>\nHi"),
    ("glm45", False, reply("Hi"), "\nHi"),
    ("glm45", False, reply(), ""),
    (
        "hermes",
        False,
        FULL,
        "<think>\nSo.\n</think>\n\nHi"
        '\n<tool_call>\n{"name": "save", "arguments": {"path": "a", "tags":  [1]}}\n</tool_call>'
        '\n<tool_call>\n{"name": "get", "arguments": {}}\n</tool_call>',
    ),
    (
        "qwen3_coder",
        False,
        FULL,
        "<think>\nSo.\n</think>\n\nHi"
        "\n\n<tool_call>\n<function=save>\n<parameter=path>\na\n</parameter>\n<parameter=tags>\n[1]\n</parameter>\n"
        "</function>\n</tool_call>"
        "\n<tool_call>\n<function=get>\n</function>\n</tool_call>",
    ),
    (
        "qwen3_coder",
        True,
        reply(name="calc", arguments='{"flag": true, "any": true, "x": null}'),
        "\n</think>\n\n<tool_call>\n<function=calc>\n<parameter=flag>\nTrue\n</parameter>\n"
        "<parameter=any>\ntrue\n</parameter>\n<parameter=x>\nnull\n</parameter>\n</function>\n</tool_call>",
    ),
    (
        "kimi_k2",
        False,
        FULL,
        "<think>So.</think>Hi<|tool_calls_section_begin|>"
        '<|tool_call_begin|>functions.save:0<|tool_call_argument_begin|>{"path": "a", "tags":  [1]}<|tool_call_end|>'
        "<|tool_call_begin|>functions.get:1<|tool_call_argument_begin|>{}<|tool_call_end|>"
        "<|tool_calls_section_end|>",
    ),
    (
        "deepseek_v31",
        True,
        FULL,
        'So.</think>Hi<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>save<｜tool▁sep｜>{"path": "a", "tags":  [1]}'
        "<｜tool▁call▁end｜><｜tool▁call▁begin｜>get<｜tool▁sep｜>{}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
    ),
    (
        "deepseek_v3",
        True,
        FULL,
        "So.\n</think>\n\nHi<｜tool▁calls▁begin｜>"
        '<｜tool▁call▁begin｜>function<｜tool▁sep｜>save\n```json\n{"path": "a", "tags":  [1]}\n```'
        "<｜tool▁call▁end｜>\n"
        "<｜tool▁call▁begin｜>function<｜tool▁sep｜>get\n```json\n{}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
    ),
    (
        "minimax_m2",
        True,
        FULL,
        'So.\n</think>\n\nHi\n<minimax:tool_call>\n<invoke name="save">\n<parameter name="path">a</parameter>\n'
        '<parameter name="tags">[1]</parameter>\n</invoke>\n<invoke name="get">\n</invoke>\n</minimax:tool_call>',
    ),
    (
        "deepseek_v32",
        True,
        FULL,
        'So.</think>Hi\n\n<｜DSML｜function_calls>\n<｜DSML｜invoke name="save">\n'
        '<｜DSML｜parameter name="path" string="true">a</｜DSML｜parameter>\n'
        '<｜DSML｜parameter name="tags" string="false">[1]</｜DSML｜parameter>\n</｜DSML｜invoke>\n'
        '<｜DSML｜invoke name="get">\n</｜DSML｜invoke>\n</｜DSML｜function_calls>',
    ),
    (
        "llama3_json",
        False,
        Message("assistant", "Hi", "", CALLS),
        'Hi<|python_tag|>{"name": "save", "parameters": {"path": "a", "tags":  [1]}}; '
        '{"name": "get", "parameters": {}}',
    ),
    ("llama3_json", False, reply(arguments="{}"), '{"name": "get", "parameters": {}}'),
    ("llama3_json", False, reply('{"a": 1}'), '{"a": 1}'),
    (
        "mistral",
        False,
        FULL,
        '[THINK]So.[/THINK]Hi[TOOL_CALLS]save[ARGS]{"path": "a", "tags":  [1]}[TOOL_CALLS]get[ARGS]{}',
    ),
    (
        "gemma4",
        False,
        FULL,
        '<|channel>thought\nSo.\n<channel|>Hi<|tool_call>call:save{path:<|"|>a<|"|>,tags:[1]}<tool_call|>'
        "<|tool_call>call:get{}<tool_call|>",
    ),
    (
        "gemma4",
        True,
        reply(name="calc", arguments='{"x": 1.50, "any": {"a:": null, "": [true, -0]}}'),
        '\n<channel|><|tool_call>call:calc{x:1.50,any:{<|"|>a:<|"|>:null,<|"|><|"|>:[true,-0]}}<tool_call|>',
    ),
    ("hermes", True, reply("Hi", "So."), "So.\n</think>\n\nHi"),
    ("hermes", True, reply("Hi"), "\n</think>\n\nHi"),
    ("hermes", False, reply(arguments="{}"), '<tool_call>\n{"name": "get", "arguments": {}}\n</tool_call>'),
]
REFUSED_BY_ALL = [
    ("blank content before a call", reply("\n", arguments="{}")),
    ("no object", reply(arguments="[1]")),
    ("no JSON", reply(arguments='{"a": 1')),
    ("nothing", reply(arguments="")),
    ("no name", reply(name="", arguments="{}")),
    ("two words as a name", reply(name="get time", arguments="{}")),
    ("half a character", reply("\ud83d")),
    ("not the model's", Message("user", "Hi")),
]
REFUSED = {
    "llama3_json": [
        ("reasoning", reply("Hi", "So.")),
        ("content like a call", reply('{"name": "get"}')),
        ("content like half a call", reply('{"name": "ge')),
    ],
    "minimax_m2": [
        ("a value holds its closer", reply(name="save", arguments='{"text": "a</parameter>"}')),
        ("a string that would become a number", reply(name="calc", arguments='{"any": "42"}')),
        ("a key with a quote", reply(name="calc", arguments='{"a\\"": 1}')),
    ],
    "deepseek_v32": [
        ("a value holds its closer", reply(name="save", arguments='{"text": "a</｜DSML｜parameter>"}')),
        ("a key with a quote", reply(name="calc", arguments='{"a\\"": 1}')),
    ],
    "qwen3_coder": [
        ("a value holds its closer", reply(name="save", arguments='{"text": "a</parameter>"}')),
        ("a string that would become a number", reply(name="calc", arguments='{"any": "42"}')),
        ("a string that would become null", reply(name="limit", arguments='{"unit": "None"}')),
        ("a key with a bracket", reply(name="calc", arguments='{"a<b": 1}')),
        ("a key with a blank at its end", reply(name="calc", arguments='{"a ": 1}')),
        ("an empty key", reply(name="calc", arguments='{"": 1}')),
    ],
    "gemma4": [
        ("a string holds the quote token", reply(name="save", arguments='{"text": "a<|\\"|>"}')),
        ("an inner key holds it", reply(name="save", arguments='{"meta": {"<|\\"|>": 1}}')),
    ],
    "glm45": [
        ("a value holds its closer", reply(name="save", arguments='{"text": "a</arg_value>"}')),
        ("a string that would become a number", reply(name="calc", arguments='{"any": "42"}')),
    ],
}
ALL_REFUSED = [(name, why, message) for name in FAMILIES for why, message in [*REFUSED_BY_ALL, *REFUSED.get(name, [])]]


@pytest.mark.parametrize(("name", "thinking", "message", "raw"), WRITTEN)
def test_a_reply_is_written_as_the_model_writes_it(name: str, thinking: bool, message: Message, raw: str) -> None:
    assert FAMILIES[name].render(message, TOOLS, thinking) == raw
    check_same(examined(FAMILIES[name], raw, thinking), message)


@pytest.mark.parametrize("thinking", [False, True])
@pytest.mark.parametrize(("name", "why", "message"), ALL_REFUSED)
def test_what_the_format_cannot_express_is_refused(name: str, why: str, message: Message, thinking: bool) -> None:
    with pytest.raises(UnrenderableError):
        FAMILIES[name].render(message, TOOLS, thinking)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_marker_in_words_is_refused(name: str) -> None:
    family = FAMILIES[name]
    for marker in (*family.markers, *family.tags):
        for message in (reply(f"a {marker} b"), reply(reasoning=f"a{marker}")):
            with pytest.raises(UnrenderableError):
                family.render(message, TOOLS, False)
