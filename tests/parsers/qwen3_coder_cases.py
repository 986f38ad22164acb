"""Replies of Qwen3-Coder and Qwen3.5 and what they mean."""

from __future__ import annotations

import json

from tests.parsers.cases import Case, Cases, said
from tests.parsers.shared_cases import (
    DROP_CUT,
    ZONE_CALL,
    Markup,
    bare_cases,
    call_cases,
    content_cases,
    reasoning_cases,
)


def arg(key: str, value: str) -> str:
    return f"<parameter={key}>\n{value}\n</parameter>\n"


def call(name: str, *arguments: str) -> str:
    return f"<tool_call>\n<function={name}>\n{''.join(arguments)}</function>\n</tool_call>"


MARKUP = Markup(
    lambda name, arguments: call(name, *(arg(key, value) for key, value in json.loads(arguments).items())),
    *("<tool_call>", "<|im_end|>", "</tool_response>"),
    line="\n\n",
)
ZONE = MARKUP.zone
BARE = ZONE.removeprefix("<tool_call>\n").removesuffix("\n</tool_call>")
THOUGHT = "<think>\nSo.\n</think>\n\n"
NEXT = {"missing_value_closer": "next"}
TEXT = {"undeclared_tool": "text"}

WELL_FORMED = [
    Case("content only", "Hello.\n", said("Hello.\n")),
    Case("one call", ZONE, said("", ZONE_CALL)),
    Case("thought, words, calls", f"{THOUGHT}Hi\n\n{ZONE}\n{ZONE}", said("Hi", ZONE_CALL, ZONE_CALL, reasoning="So.")),
    Case("the prompt opened thinking", f"So.\n</think>\n\n{ZONE}", said("", ZONE_CALL, reasoning="So."), "", True),
    Case("zero arguments", call("get"), said("", ("get", "{}")), "vllm#44326"),
    Case(
        "a value keeps all but its framing",
        call("save", arg("text", "\n  def f():\n    pass\n"), arg("path", "")),
        said("", ("save", '{"text": "\\n  def f():\\n    pass\\n", "path": ""}')),
    ),
    Case(
        "a value on its tags' line",
        "<function=get_time_zone><parameter=city>Oslo</parameter></function>",
        said("", ZONE_CALL),
    ),
    Case(
        "a lone newline", "<function=save><parameter=text>\n</parameter></function>", said("", ("save", '{"text": ""}'))
    ),
    Case(
        "typed by the schema",
        call("calc", arg("n", "7"), arg("x", "0.10"), arg("flag", "True"), arg("any", "None"))
        + call("limit", arg("unit", "None")),
        said("", ("calc", '{"n": 7, "x": 0.10, "flag": true, "any": "None"}'), ("limit", '{"unit": null}')),
        "sglang#36688",
    ),
    Case(
        "a number-like string", call("save", arg("path", "00417")), said("", ("save", '{"path": "00417"}')), "ds4#569"
    ),
    Case(
        "tags quoted in a value",
        call("save", arg("text", "</function>\n</tool_call>\n<parameter=path>\n<tool_call></think></parameter")),
        said(
            "", ("save", '{"text": "</function>\\n</tool_call>\\n<parameter=path>\\n<tool_call></think></parameter"}')
        ),
        "vllm#40861",
    ),
    Case("five calls", "\n".join([ZONE] * 5), said("", *[ZONE_CALL] * 5), "sglang#37634"),
]

BY_POLICY: dict[str, list[Case]] = {
    **reasoning_cases(MARKUP),
    **content_cases(MARKUP),
    **call_cases(MARKUP),
    **bare_cases(call, arg),
    "missing_opener": [
        Case("offered", f"Hi\n{BARE}", said("Hi", ZONE_CALL), "vllm#22975 vllm#33965"),
        Case("with the closer", f"{BARE}\n</tool_call>\n{BARE}\n</tool_call>", said("", ZONE_CALL, ZONE_CALL)),
        Case("two", f"{BARE}{BARE}", said("", ZONE_CALL, ZONE_CALL)),
        Case("not offered", "Use <function=fly> here.", said("Use <function=fly> here."), "vllm#40861 club-3090#72"),
        Case("no tag", "`<function=` opens, <function=a b>", said("`<function=` opens, <function=a b>"), "vllm#30439"),
        Case("long", f"<function={'x' * 400}>", said(f"<function={'x' * 400}>")),
        Case("text", f"Hi {BARE}", said(f"Hi {BARE}"), "", False, {"missing_opener": "text"}),
        Case("other tags", "<parameter=a>b</parameter></function>", said("<parameter=a>b</parameter></function>")),
    ],
    "no_name": [
        Case("empty", "<tool_call>\n<function=>\n</function>", said("\n<function=>\n</function>"), "sglang#15754"),
        Case("JSON", '<tool_call>\n{"name": "get"}\n</tool_call>', said('\n{"name": "get"}\n')),
        Case("a key", call("get", "<parameter=>x</parameter>", arg("a", "1")), said("", ("get", '{"a": 1}'))),
        Case("half a key", call("get", "<parameter=a\n>x</parameter>", arg("a", "1")), said("", ("get", '{"a": 1}'))),
    ],
    "python_literals": [
        Case("false", call("calc", arg("flag", "False")), said("", ("calc", '{"flag": false}'))),
        Case("in a string", call("save", arg("text", "True")), said("", ("save", '{"text": "True"}'))),
        Case(
            "as written",
            call("calc", arg("flag", "True")),
            said("", ("calc", '{"flag": "True"}')),
            "",
            False,
            {"python_literals": "as_written"},
        ),
    ],
    "missing_value_closer": [
        Case(
            "text",
            "<tool_call><function=save><parameter=path>\na\n<parameter=text>\nb\n</parameter></function></tool_call>",
            said("", ("save", '{"path": "a\\n<parameter=text>\\nb"}')),
        ),
        Case(
            "the next argument",
            "<tool_call><function=save><parameter=path>\na\n<parameter=text>\nb\n</function></tool_call>",
            said("", ("save", '{"path": "a", "text": "b"}')),
            choices=NEXT,
        ),
        Case(
            "a number",
            "<function=calc><parameter=n>7\n</tool_call>Hi",
            said("Hi", ("calc", '{"n": 7}')),
            "",
            False,
            NEXT,
        ),
    ],
    "missing_closer": [
        Case("of the function", f"<tool_call><function=get>{ZONE}", said("", ("get", "{}"), ZONE_CALL)),
        Case("of the function, at the call's", "<tool_call><function=get></tool_call>a", said("a", ("get", "{}"))),
        Case("of the call", f"<tool_call><function=get></function>{ZONE}", said("", ("get", "{}"), ZONE_CALL)),
        Case("two in one", f"<tool_call><function=get>{BARE}</tool_call>", said("", ("get", "{}"), ZONE_CALL)),
    ],
    "framing_newlines": [
        Case("more are text", f"{THOUGHT}\nHi\n\n\n{ZONE}", said("\nHi\n", ZONE_CALL, reasoning="So.")),
        Case(
            "kept",
            f"{THOUGHT}Hi\n{ZONE}",
            said("\n\nHi\n", ZONE_CALL, reasoning="\nSo.\n"),
            "",
            False,
            {"framing_newlines": "keep"},
        ),
    ],
}
BY_POLICY["truncated_call"] += [
    Case("in a key", "<function=calc><parameter=n", said("", ("calc", "{"))),
    Case("in a number", "<function=calc><parameter=n>\n4", said("", ("calc", '{"n": \n4'))),
    Case("behind a newline", "<function=save><parameter=text>\nb\n", said("", ("save", '{"text": "b\\n'))),
    Case(
        "dropped behind an argument", f"{BARE}<function=calc>{arg('n', '1')}", said("", ZONE_CALL), "", False, DROP_CUT
    ),
]
BY_POLICY["undeclared_tool"].append(
    Case("text", call("fly") + ZONE, said("\n<function=fly>\n</function>", ZONE_CALL), "", False, TEXT)
)

QWEN3_CODER_CASES = Cases(WELL_FORMED, BY_POLICY)
