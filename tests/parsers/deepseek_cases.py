"""Replies of DeepSeek-V3.1 and of DeepSeek-V3 and R1, and what they mean."""

from __future__ import annotations

from tests.parsers.cases import Case, Cases, said
from tests.parsers.shared_cases import (
    OSLO,
    ZONE_CALL,
    Markup,
    call_cases,
    content_cases,
    json_cases,
    json_replies,
    marked_cases,
    reasoning_cases,
)

BEGIN, SEP, END = "<｜tool▁call▁begin｜>", "<｜tool▁sep｜>", "<｜tool▁call▁end｜>"
SECTION, SECTION_END = "<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>"
STOP = "<｜end▁of▁sentence｜>"
TEXT = {"undeclared_tool": "text"}


def call_v31(name: str, arguments: str) -> str:
    return f"{BEGIN}{name}{SEP}{arguments}{END}"


def call_v3(name: str, arguments: str) -> str:
    return f"{BEGIN}function{SEP}{name}\n```json\n{arguments}\n```{END}"


def sectioned(markup: Markup) -> list[Case]:
    zone = markup.zone
    return [
        Case("with its section", f"Hi{SECTION}{zone}{SECTION_END}{STOP}", said("Hi", ZONE_CALL), "vllm#38866"),
        Case(
            "two on their lines",
            f"{SECTION}{zone}\n{zone}{SECTION_END}",
            said("", ZONE_CALL, ZONE_CALL),
            "sglang#18236",
        ),
        Case(
            "a call of one letter's argument",
            markup.call("calc", '{"n":1}'),
            said("", ("calc", '{"n":1}')),
            "vllm#48342",
        ),
    ]


def section_cases(markup: Markup) -> list[Case]:
    zone = markup.zone
    return [
        Case("none", f"{zone}{zone}", said("", ZONE_CALL, ZONE_CALL), "vllm#48020 sglang#35563"),
        Case("its closer only", f"{zone.removesuffix(END)}{SECTION_END}Hi", said("Hi", ZONE_CALL)),
        Case("nothing in it", f"a{SECTION}{SECTION_END}b", said("ab")),
    ]


V31 = Markup(call_v31, BEGIN, STOP, "<｜tool▁output▁end｜>")
V31_BY_POLICY: dict[str, list[Case]] = {
    **reasoning_cases(V31),
    **content_cases(V31),
    **call_cases(V31),
    **json_cases(V31),
    **marked_cases(V31),
    "section": section_cases(V31),
    "bad_head": [
        Case("no name", f"a{BEGIN}{SEP}{OSLO}{END}b", said(f"a{OSLO}b")),
        Case("words", f"{BEGIN}let us go{SEP}{OSLO}{END}", said(f"let us go{OSLO}")),
        Case("another tag", f"{BEGIN}get<think>{END}", said("get")),
    ],
    "missing_separator": [
        Case("arguments", f"{BEGIN}get_time_zone{OSLO}{END}", said("", ZONE_CALL)),
        Case("closer", f"{BEGIN}get{END}{V31.zone}", said("", ("get", "{}"), ZONE_CALL)),
    ],
}
V31_BY_POLICY["undeclared_tool"].append(
    Case("text", call_v31("fly", "{}") + V31.zone, said("fly{}", ZONE_CALL), "", False, TEXT)
)
DEEPSEEK_V31_CASES = Cases(
    [
        *json_replies(V31),
        *sectioned(V31),
        Case(
            "thinking on",
            f"So.</think>Hi{SECTION}{V31.zone}{SECTION_END}",
            said("Hi", ZONE_CALL, reasoning="So."),
            "",
            True,
        ),
    ],
    V31_BY_POLICY,
)

V3 = Markup(call_v3, BEGIN, STOP, "<｜tool▁output▁end｜>")
V3_BY_POLICY: dict[str, list[Case]] = {
    **reasoning_cases(V3),
    **content_cases(V3),
    **call_cases(V3),
    **json_cases(V3),
    **marked_cases(V3),
    "section": section_cases(V3),
    "bad_head": [
        Case("no name", f"{BEGIN}function{SEP}\n```json\n{OSLO}\n```{END}", said(f"\n```json\n{OSLO}\n```")),
        Case("no token before it", f"a{BEGIN}get{END}b", said("agetb")),
        Case("long", f"{BEGIN}{'x' * 300}{SEP}", said("x" * 300)),
        Case("long behind its token", f"{BEGIN}function{SEP}{'x' * 300}{END}", said("x" * 300)),
        Case("words", f"{BEGIN}function{SEP}let us go{OSLO}{END}", said(f"let us go{OSLO}")),
    ],
    "empty_arguments": [Case("null", call_v3("get", "null"), said("", ("get", "{}")))],
    "missing_fence": [
        Case("none", f"{BEGIN}function{SEP}get_time_zone\n{OSLO}{END}", said("", ZONE_CALL)),
        Case("no word", f"{BEGIN}function{SEP}get_time_zone\n```\n{OSLO}\n```{END}", said("", ZONE_CALL)),
        Case("no arguments", f"{BEGIN}function{SEP}get{END}{V3.zone}", said("", ("get", "{}"), ZONE_CALL)),
        Case("nothing in it", f"{BEGIN}function{SEP}get\n```json\n```{END}", said("", ("get", "{}"))),
    ],
    "type_word": [
        Case("none", f"{BEGIN}{SEP}get_time_zone\n```json\n{OSLO}\n```{END}", said("", ZONE_CALL)),
        Case("tool", f"{BEGIN}tool{SEP}get_time_zone\n```json\n{OSLO}\n```{END}", said("", ZONE_CALL)),
    ],
    "framing_newlines": [
        Case("dropped", "So.\n\n</think>\n\n\nHi", said("\nHi", reasoning="So.\n"), "", True),
        Case("kept", "So.\n</think>\n\nHi", said("\n\nHi", reasoning="So.\n"), "", True, {"framing_newlines": "keep"}),
    ],
}
V3_BY_POLICY["undeclared_tool"].append(
    Case("text", call_v3("fly", "{}"), said("fly\n```json\n{}\n```"), "", False, TEXT)
)
DEEPSEEK_V3_CASES = Cases(
    [
        *json_replies(V3),
        *sectioned(V3),
        Case(
            "R1",
            f"So.\n</think>\n\nHi{SECTION}{V3.zone}{SECTION_END}",
            said("Hi", ZONE_CALL, reasoning="So."),
            "",
            True,
        ),
        Case("a fence quoted in a string", call_v3("save", '{"text": "```"}'), said("", ("save", '{"text": "```"}'))),
    ],
    V3_BY_POLICY,
)
