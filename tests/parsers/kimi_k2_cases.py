"""Replies of Kimi-K2 and what they mean."""

from __future__ import annotations

from tests.parsers.cases import Case, Cases, said
from tests.parsers.shared_cases import (
    ZONE_CALL,
    Markup,
    call_cases,
    content_cases,
    json_cases,
    json_replies,
    marked_cases,
    reasoning_cases,
)

BEGIN, ARGUMENTS, END = "<|tool_call_begin|>", "<|tool_call_argument_begin|>", "<|tool_call_end|>"
SECTION, SECTION_END = "<|tool_calls_section_begin|>", "<|tool_calls_section_end|>"


def call(name: str, arguments: str) -> str:
    return f"{BEGIN}functions.{name}:0{ARGUMENTS}{arguments}{END}"


MARKUP = Markup(call, BEGIN, "<|im_end|>", "<|im_middle|>")
ZONE = MARKUP.zone
OSLO = ZONE_CALL[1]

WELL_FORMED = [
    *json_replies(MARKUP),
    Case("with its section", f"Hi{SECTION}{ZONE}{SECTION_END}", said("Hi", ZONE_CALL)),
    Case(
        "a running number",
        f"{SECTION}{BEGIN}functions.get_time_zone:17{ARGUMENTS}{OSLO}{END}{BEGIN}functions.get:18{ARGUMENTS}{{}}{END}"
        f"{SECTION_END}",
        said("", ZONE_CALL, ("get", "{}")),
        "vllm#21259 llxprt-code#713",
    ),
    Case("a thought", f"<think>So.</think>Hi{SECTION}{ZONE}{SECTION_END}", said("Hi", ZONE_CALL, reasoning="So.")),
]
BY_POLICY: dict[str, list[Case]] = {
    **reasoning_cases(MARKUP),
    **content_cases(MARKUP),
    **call_cases(MARKUP),
    **json_cases(MARKUP),
    **marked_cases(MARKUP),
    "bad_head": [
        Case("no name", f"a{BEGIN}{ARGUMENTS}{OSLO}{END}b", said(f"a{OSLO}b")),
        Case("words", f"{BEGIN}let us go{ARGUMENTS}{OSLO}{END}", said(f"let us go{OSLO}")),
        Case("long", f"{BEGIN}{'x' * 300}{ARGUMENTS}", said("x" * 300)),
        Case("another tag", f"{BEGIN}get:0</think>{END}", said("get:0")),
        Case("a bracket", f"{BEGIN}a < b{ZONE}", said("a < b", ZONE_CALL)),
    ],
    "missing_separator": [
        Case("arguments", f"{BEGIN}functions.get_time_zone:0{OSLO}{END}", said("", ZONE_CALL)),
        Case("closer", f"{BEGIN}functions.get:0{END}{ZONE}", said("", ("get", "{}"), ZONE_CALL)),
        Case("no arguments", f"{BEGIN}functions.get:0{ARGUMENTS}{END}{ZONE}", said("", ("get", "{}"), ZONE_CALL)),
    ],
    "call_id": [
        Case("no prefix", f"{BEGIN}get_time_zone:0{ARGUMENTS}{OSLO}{END}", said("", ZONE_CALL), "vllm#46344"),
        Case("no number", f"{BEGIN}functions.get_time_zone{ARGUMENTS}{OSLO}{END}", said("", ZONE_CALL)),
        Case("blanks", f"{BEGIN} functions.get_time_zone:3\n{ARGUMENTS} {OSLO}{END}", said("", ZONE_CALL)),
        Case("a name like an id", call("get:7", "{}"), said("", ("get:7", "{}"))),
        Case("a dotted name", f"{BEGIN}functions.web.find:3{ARGUMENTS}{{}}{END}", said("", ("web.find", "{}"))),
    ],
    "section": [
        Case(
            "singular",
            f"<|tool_call_section_begin|>{ZONE}<|tool_call_section_end|>",
            said("", ZONE_CALL),
            "vllm#24478 llama.cpp#17376",
        ),
        Case("none", f"{ZONE}{ZONE}", said("", ZONE_CALL, ZONE_CALL), "kimi-cli#443"),
        Case("twice", f"{SECTION}{ZONE}{SECTION_END}{SECTION}{ZONE}{SECTION_END}", said("", ZONE_CALL, ZONE_CALL)),
        Case("its closer only", f"{ZONE.removesuffix(END)}{SECTION_END}Hi", said("Hi", ZONE_CALL)),
        Case("nothing in it", f"a{SECTION}{SECTION_END}b", said("ab")),
    ],
}
BY_POLICY["undeclared_tool"].append(
    Case("text", call("fly", "{}") + ZONE, said("functions.fly:0{}", ZONE_CALL), choices={"undeclared_tool": "text"})
)

KIMI_K2_CASES = Cases(WELL_FORMED, BY_POLICY)
