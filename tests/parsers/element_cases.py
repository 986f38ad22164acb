"""Replies of MiniMax-M2 and of DeepSeek-V3.2, and what they mean."""

from __future__ import annotations

import json

from tests.parsers.cases import Case, Cases, said
from tests.parsers.shared_cases import (
    ZONE_CALL,
    Markup,
    bare_cases,
    call_cases,
    content_cases,
    reasoning_cases,
)

NEXT = {"missing_value_closer": "next"}
TEXT = {"undeclared_tool": "text"}
KEEP = {"framing_newlines": "keep"}


def json_of(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


class Tags:
    """Elements that differ in a prefix; `typed`: their tags say whether a value is text."""

    def __init__(self, prefix: str, section: str, *, typed: bool) -> None:
        self.prefix, self.typed = prefix, typed
        self.open, self.close = f"<{section}>", f"</{section}>"

    def arg(self, key: str, value: str, string: bool | None = None) -> str:
        said = "" if string is None or not self.typed else f' string="{str(string).lower()}"'
        return f'<{self.prefix}parameter name="{key}"{said}>{value}</{self.prefix}parameter>\n'

    def invoke(self, name: str, *arguments: str) -> str:
        return f'<{self.prefix}invoke name="{name}">\n{"".join(arguments)}</{self.prefix}invoke>\n'

    def call(self, name: str, *arguments: str) -> str:
        return f"{self.open}\n{self.invoke(name, *arguments)}{self.close}"

    def call_of(self, name: str, arguments: str) -> str:
        pairs = json.loads(arguments).items()
        return self.call(name, *(self.arg(key, json_of(value), isinstance(value, str)) for key, value in pairs))


def well_formed(tags: Tags, m: Markup) -> list[Case]:
    oslo, quoted = tags.arg("city", "Oslo", True), f"{tags.close}</think>{tags.open}</{tags.prefix}paramete"
    code = "\ndef f():\n    pass\n"
    return [
        Case("content only", "Hello.\n", said("Hello.\n")),
        Case("one call", m.zone, said("", ZONE_CALL)),
        Case("words, a call", f"Let me see.{m.line}{m.zone}", said("Let me see.", ZONE_CALL), "llama.cpp#20260"),
        Case("zero arguments", tags.call("get"), said("", ("get", "{}")), "vllm#44326"),
        Case(
            "two in one section",
            f"{tags.open}\n{tags.invoke('get_time_zone', oslo)}{tags.invoke('fly')}{tags.close}",
            said("", ZONE_CALL, ("fly", "{}")),
            "sglang#37634 vllm#30866",
        ),
        Case(
            "typed",
            tags.call("calc", tags.arg("n", "7", False), tags.arg("x", "0.10", False), tags.arg("flag", "true", False)),
            said("", ("calc", '{"n": 7, "x": 0.10, "flag": true}')),
            "sglang#36688",
        ),
        Case(
            "a number-like string",
            tags.call("save", tags.arg("path", "00417", True)),
            said("", ("save", '{"path": "00417"}')),
            "ds4#569",
        ),
        Case(
            "a value keeps its newlines",
            tags.call("save", tags.arg("text", code, True)),
            said("", ("save", json.dumps({"text": code}))),
        ),
        Case(
            "tags quoted in a value",
            tags.call("save", tags.arg("text", quoted, True)) + m.zone,
            said("", ("save", json.dumps({"text": quoted}, ensure_ascii=False)), ZONE_CALL),
            "vllm#40861",
        ),
        Case("five calls", m.zone * 5, said("", *[ZONE_CALL] * 5), "vllm#34449"),
    ]


def element_cases(tags: Tags, m: Markup) -> dict[str, list[Case]]:
    opener, closer = f'<{tags.prefix}invoke name="', f"</{tags.prefix}invoke>"
    oslo = tags.arg("city", "Oslo", True)
    bare, parameter = tags.invoke("get_time_zone", oslo), f'<{tags.prefix}parameter name="'
    unclosed = f'{opener}calc">{parameter}n">7'
    return {
        "missing_opener": [
            Case("offered", f"Hi{bare}{bare}", said("Hi", ZONE_CALL, ZONE_CALL)),
            Case("not offered", f'Use {opener}fly"> here.', said(f'Use {opener}fly"> here.'), "vllm#40861"),
            Case("no tag", f"{opener} opens, {opener}a", said(f"{opener} opens, ")),
            Case("text", f"Hi {bare}", said(f"Hi {bare}"), "", False, {"missing_opener": "text"}),
        ],
        "no_name": [
            Case("empty", f'{tags.open}{opener}">a', said(f'{opener}">a'), "sglang#15754"),
            Case("a key", tags.call("get", f"{parameter}>x", tags.arg("a", "1")), said("", ("get", '{"a": 1}'))),
        ],
        "missing_value_closer": [
            Case(
                "text",
                f"{tags.open}{unclosed}{closer}{tags.close}",
                said("", ("calc", f'{{"n": 7{closer}{tags.close}')),
            ),
            Case("next", f"{tags.open}{unclosed}{closer}Hi", said("Hi", ("calc", '{"n": 7}')), "", False, NEXT),
        ],
        "missing_closer": [
            Case("of the call", f'{tags.open}{opener}get">{m.zone}', said("", ("get", "{}"), ZONE_CALL)),
            Case("of the call, at the section's", f'{tags.open}{opener}get">{tags.close}a', said("a", ("get", "{}"))),
            Case("of the section", f"{tags.open}{bare}{tags.open}{bare}", said("", ZONE_CALL, ZONE_CALL)),
        ],
        "framing_newlines": [
            Case("more are text", f"Hi\n\n\n{m.zone}", said("Hi" + "\n" * (3 - len(m.line)), ZONE_CALL)),
            Case("kept", f"Hi\n{m.zone}", said("Hi\n", ZONE_CALL), "", False, KEEP),
        ],
    }


MINIMAX = Tags("", "minimax:tool_call", typed=False)
M2 = Markup(MINIMAX.call_of, MINIMAX.open, "[e~[", MINIMAX.close, line="\n")
M2_BY_POLICY: dict[str, list[Case]] = {
    **reasoning_cases(M2),
    **content_cases(M2),
    **call_cases(M2),
    **bare_cases(MINIMAX.call, MINIMAX.arg),
    **element_cases(MINIMAX, M2),
}
M2_BY_POLICY["undeclared_tool"].append(
    Case("text", MINIMAX.call("fly"), said('\n<invoke name="fly">\n</invoke>\n'), "", False, TEXT)
)
MINIMAX_M2_CASES = Cases(
    [
        *well_formed(MINIMAX, M2),
        Case("the prompt opened thinking", "So.\n</think>\n\nHi", said("Hi", reasoning="So."), "", True),
        Case("a thought, a call", f"<think>\nSo.\n</think>\n\n{M2.zone}", said("", ZONE_CALL, reasoning="So.")),
        Case("a role in a head", f'<invoke name="[e~[{M2.zone}', said('<invoke name="')),
    ],
    M2_BY_POLICY,
)

DSML = Tags("｜DSML｜", "｜DSML｜function_calls", typed=True)
DSML_V4 = Tags("｜DSML｜", "｜DSML｜tool_calls", typed=True)
V32 = Markup(DSML.call_of, DSML.open, "<｜end▁of▁sentence｜>", DSML.close, line="\n\n")
V32_BY_POLICY: dict[str, list[Case]] = {
    **reasoning_cases(V32),
    **content_cases(V32),
    **call_cases(V32),
    **bare_cases(DSML.call, DSML.arg),
    **element_cases(DSML, V32),
    "said_type": [
        Case("text", DSML.call("calc", DSML.arg("n", "7", True)), said("", ("calc", '{"n": "7"}'))),
        Case("JSON", DSML.call("save", DSML.arg("text", "7", False)), said("", ("save", '{"text": 7}'))),
        Case("no JSON", DSML.call("save", DSML.arg("text", "a b", False)), said("", ("save", '{"text": "a b"}'))),
        Case("another word", DSML.call("get", '<｜DSML｜parameter name="a" string="no">x'), said("", ("get", "{}"))),
    ],
}
V32_BY_POLICY["undeclared_tool"].append(
    Case("text", DSML.call("fly"), said('\n<｜DSML｜invoke name="fly">\n</｜DSML｜invoke>\n'), "", False, TEXT)
)
DEEPSEEK_V32_CASES = Cases(
    [
        *well_formed(DSML, V32),
        Case("V4", f"Hi\n\n{DSML_V4.call('get')}", said("Hi", ("get", "{}"))),
        Case("thinking on", f"So.</think>Hi\n\n{V32.zone}", said("Hi", ZONE_CALL, reasoning="So."), "", True),
    ],
    V32_BY_POLICY,
)
