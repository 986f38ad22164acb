"""Replies of Hermes, Qwen2.5 and Qwen3 and what they mean."""

from __future__ import annotations

from tests.parsers.cases import Case, Cases, said
from tests.parsers.shared_cases import (
    CALC_CALL,
    DROP_CUT,
    ZONE_CALL,
    Markup,
    call_cases,
    content_cases,
    json_cases,
    reasoning_cases,
)


def call(name: str, arguments: str) -> str:
    return f'<tool_call>\n{{"name": "{name}", "arguments": {arguments}}}\n</tool_call>'


def tagged(text: str) -> str:
    return f"<tool_call>\n{text}\n</tool_call>"


MARKUP = Markup(call, "<tool_call>", "<|im_end|>", "</tool_response>", line="\n")
ZONE = MARKUP.zone
THOUGHT = "<think>\nSo.\n</think>\n\n"
KEEP = {"framing_newlines": "keep"}
TEXT = {"undeclared_tool": "text"}

WELL_FORMED = [
    Case("content only", "Hello.\n", said("Hello.\n")),
    Case("one call", ZONE, said("", ZONE_CALL)),
    Case("a thought, an answer", f"{THOUGHT}Hi", said("Hi", reasoning="So.")),
    Case("the prompt opened thinking", "So.\n</think>\n\nHi", said("Hi", reasoning="So."), "", True),
    Case("no thought", "<think>\n\n</think>\n\nHi", said("Hi")),
    Case("thought, words, calls", f"{THOUGHT}Hi\n{ZONE}\n{ZONE}", said("Hi", ZONE_CALL, ZONE_CALL, reasoning="So.")),
    Case("zero arguments", call("get", "{}"), said("", ("get", "{}")), "vllm#44326"),
    Case("no arguments", tagged('{"name": "get"}'), said("", ("get", "{}"))),
    Case(
        "a closer quoted in a value",
        call("save", '{"text": "<tool_call>{</tool_call> \\"}</think>"}') + "\n" + ZONE,
        said("", ("save", '{"text": "<tool_call>{</tool_call> \\"}</think>"}'), ZONE_CALL),
        "vllm#40861",
    ),
    Case(
        "arguments are verbatim",
        call("save", '{ "meta":{"a":[1.50,{}], "b\\"":"}"},\n"text" : "\\u00e9\\\\" }'),
        said("", ("save", '{ "meta":{"a":[1.50,{}], "b\\"":"}"},\n"text" : "\\u00e9\\\\" }')),
    ),
    Case(
        "arguments before the name",
        tagged('{"arguments": {"city": "Oslo"}, "name": "get_time_zone"}'),
        said("", ZONE_CALL),
    ),
    Case("an id beside them", tagged('{"id": {"a": "}"}, "name": "get", "arguments": {}}'), said("", ("get", "{}"))),
    Case("all on one line", '<tool_call>{"name":"calc","arguments":{"n": 1}}</tool_call>', said("", CALC_CALL)),
    Case("five calls", "\n".join([ZONE] * 5), said("", *[ZONE_CALL] * 5), "sglang#37634"),
]

BY_POLICY: dict[str, list[Case]] = {
    **reasoning_cases(MARKUP),
    **content_cases(MARKUP),
    **call_cases(MARKUP),
    **json_cases(MARKUP),
    "object_without_name": [
        Case("none", f"a{tagged('{}')}b", said("a\n{}\nb")),
        Case("no string", tagged('{"name": 7}'), said('\n{"name": 7}\n')),
        Case(
            "empty", tagged('{"name": "", "arguments": {}}'), said('\n{"name": "", "arguments": {}}\n'), "sglang#15754"
        ),
        Case("words", tagged('{"name": "go there"}'), said('\n{"name": "go there"}\n')),
        Case("broken before", tagged("{'name': 'get'}") + ZONE, said("\n{'name': 'get'}", ZONE_CALL)),
        Case("a call behind it", '<tool_call>{"note <tool_call>' + ZONE, said('{"note ', ZONE_CALL)),
    ],
    "arguments_first": [
        Case("twice", tagged('{"arguments": {"n": 1}, "arguments": {}, "name": "calc"}'), said("", CALC_CALL)),
    ],
    "parameters_alias": [
        Case("parameters", tagged('{"name": "calc", "parameters": {"n": 1}}'), said("", CALC_CALL)),
        Case("both", tagged('{"name": "calc", "parameters": {"n": 1}, "arguments": {}}'), said("", CALC_CALL)),
    ],
    "broken_json": [
        Case("a brace too few", tagged('{"name": "calc", "arguments": {"n": 1}'), said("", CALC_CALL)),
        Case("two too few", tagged('{"name": "calc", "arguments": {"n": 1'), said("", ("calc", '{"n": 1\n'))),
        Case("no name's brace", tagged('{"name": "get"'), said("", ("get", "{}"))),
        Case("a comma too many", tagged('{"name": "calc", "arguments": {"n": 1,}}'), said("", ("calc", '{"n": 1,}'))),
        Case(
            "dropped", tagged('{"name": "calc", "arguments": {"n": ') + ZONE, said("", ZONE_CALL), "", False, DROP_CUT
        ),
        Case("no value", tagged('{"name": "calc", "arguments": }') + ZONE, said("", ("calc", "{}"), ZONE_CALL)),
    ],
    "marker_in_string": [
        Case(
            "a closing quote is missing",
            '<tool_call>{"name": "save", "arguments": {"text": "a</tool_call>',
            said("", ("save", '{"text": "a</tool_call>')),
        ),
    ],
    "several_objects": [
        Case(
            "two",
            tagged('{"name": "get"}\n{"name": "calc", "arguments": {"n": 1}}'),
            said("", ("get", "{}"), CALC_CALL),
        ),
        Case("in a list", tagged('{"name": "get"}, {"name": "get"}]'), said("", ("get", "{}"), ("get", "{}"))),
        Case("one without a name", tagged('{"name": "get"} {"n": 1} {"name": "get"}'), said("", ("get", "{}"))),
    ],
    "text_behind_json": [
        Case("a brace", tagged('{"name": "calc", "arguments": {"n": 1}}}'), said("", CALC_CALL), "vllm#53638"),
        Case("words", tagged('{"name": "get"} now < then {"name": "get"}') + "Hi", said("Hi", ("get", "{}"))),
        Case("tags", tagged('{"name": "get"}<think></think>') + "Hi", said("Hi", ("get", "{}"))),
    ],
    "json_without_tags": [
        Case("content", '{"name": "get", "arguments": {}}', said('{"name": "get", "arguments": {}}'))
    ],
    "missing_closer": [
        Case("next opener", f'<tool_call>{{"name": "get"}}{ZONE}', said("", ("get", "{}"), ZONE_CALL)),
        Case("the text's end", ZONE.removesuffix("</tool_call>"), said("", ZONE_CALL)),
        Case("the message's end", ZONE.removesuffix("}\n</tool_call>") + "<|im_end|>", said("", ZONE_CALL)),
    ],
    "truncated_name": [
        Case("half", 'Hi\n<tool_call>\n{"name": "get_ti', said("Hi"), "vllm#39757"),
        Case("behind the arguments", '<tool_call>{"arguments": {"a": 1}, "name": "ge', said()),
        Case("a tag", "Hi<tool_call>\n", said("Hi")),
    ],
    "truncated_call": [
        Case(
            "a string", '<tool_call>{"name": "save", "arguments": {"text": "b\\n', said("", ("save", '{"text": "b\\n'))
        ),
        Case("before the arguments", '<tool_call>\n{"name": "save", ', said("", ("save", ""))),
        Case("a word", '<tool_call>\n{"name": "get", "arguments": nul', said("", ("get", "nul"))),
        Case(
            "dropped", f'{ZONE}<tool_call>{{"name": "calc", "arguments": {{', said("", ZONE_CALL), "", False, DROP_CUT
        ),
    ],
    "framing_newlines": [
        Case(
            "more are text", f"<think>\n\na\n\n</think>\n\n\nHi\n\n{ZONE}", said("\nHi\n", ZONE_CALL, reasoning="\na\n")
        ),
        Case("fewer", f"<think>a</think>Hi{ZONE}", said("Hi", ZONE_CALL, reasoning="a")),
        Case("repeated opener", "<think>\na</think>\nHi", said("Hi", reasoning="a"), "", True),
        Case("kept", f"{THOUGHT}Hi\n{ZONE}", said("\n\nHi\n", ZONE_CALL, reasoning="\nSo.\n"), "", False, KEEP),
    ],
}
BY_POLICY["undeclared_tool"].append(
    Case("text", call("fly", "{}") + ZONE, said('\n{"name": "fly", "arguments": {}}', ZONE_CALL), "", False, TEXT)
)

HERMES_CASES = Cases(WELL_FORMED, BY_POLICY)
