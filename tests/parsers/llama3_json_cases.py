"""Replies of Llama 3 and what they mean."""

from __future__ import annotations

from tests.parsers.cases import Case, Cases, said
from tests.parsers.shared_cases import CALC_CALL, ZONE_CALL, Markup, call_cases, content_cases, json_cases, json_replies

TAG = "<|python_tag|>"
TEXT = {"undeclared_tool": "text"}


def bare(name: str, arguments: str) -> str:
    return f'{{"name": "{name}", "parameters": {arguments}}}'


def call(name: str, arguments: str) -> str:
    return TAG + bare(name, arguments)


MARKUP = Markup(call, TAG, "<|eot_id|>", TAG)
ZONE = bare(*ZONE_CALL)

WELL_FORMED = [
    *json_replies(MARKUP),
    Case("bare", ZONE, said("", ZONE_CALL)),
    Case("bare, two", f"{ZONE}; {ZONE}", said("", ZONE_CALL, ZONE_CALL), "vllm#47901"),
    Case("behind a newline", f"\n{ZONE}<|eom_id|>", said("", ZONE_CALL)),
    Case("with a type", '{"type": "function", "name": "get", "parameters": {}}', said("", ("get", "{}"))),
    Case("zero arguments, bare", bare("get", "{}"), said("", ("get", "{}")), "vllm#44326"),
    Case("JSON that is an answer", '{"city": "Oslo"}', said('{"city": "Oslo"}')),
]
CONTENT = content_cases(MARKUP)
del CONTENT["stray_tag"]
BY_POLICY: dict[str, list[Case]] = {
    **CONTENT,
    **call_cases(MARKUP),
    **json_cases(MARKUP),
    "missing_closer": [
        Case("the text's end", ZONE[:-1], said("", ZONE_CALL)),
        Case("the message's end", f"{ZONE[:-1]}<|eot_id|>", said("", ZONE_CALL)),
        Case("the next tag", f"{ZONE[:-1]}{TAG}{ZONE}", said("", ZONE_CALL, ZONE_CALL)),
    ],
    "broken_json": [
        Case("a brace too few", f"{TAG}{bare('calc', '{')}", said("", ("calc", "{}"))),
        Case(
            "two too few",
            f"{ZONE[:-2]}{TAG}{bare('get', '{}')}",
            said("", (ZONE_CALL[0], ZONE_CALL[1][:-1]), ("get", "{}")),
        ),
        Case("a comma too many", bare("calc", '{"n": 1,}'), said("", ("calc", '{"n": 1,}'))),
    ],
    "marker_in_string": [
        Case(
            "a quote is missing",
            f'{bare("save", "")[:-1]}{{"a": "b}}<|eot_id|>',
            said("", ("save", '{"a": "b}<|eot_id|>')),
        ),
    ],
    "object_without_name": [
        Case("behind its tag", f"{TAG}{{}}", said("{}")),
        Case("bare", '{"type": "object"}', said('{"type": "object"}')),
        Case("no name", '{"name": 7}', said('{"name": 7}')),
        Case("in a row", f'{ZONE}; {{"a": 1}}; {ZONE}', said(f'; {{"a": 1}}; {ZONE}', ZONE_CALL)),
    ],
    "arguments_first": [
        Case("first", '{"parameters": {"n": 1}, "name": "calc"}', said("", CALC_CALL)),
    ],
    "parameters_alias": [
        Case("arguments", '{"name": "calc", "arguments": {"n": 1}}', said("", CALC_CALL)),
    ],
    "bare_object": [
        Case("another first key", '{"answer": {"name": "get"}}', said('{"answer": {"name": "get"}}')),
        Case("behind words", f"Hi {ZONE}", said(f"Hi {ZONE}")),
        Case("half", '{"name": "ge', said(), "vllm#39757"),
        Case("a brace", "{ braces }", said("{ braces }")),
    ],
    "separators": [
        Case("none", f"{ZONE}{ZONE}", said("", ZONE_CALL, ZONE_CALL)),
        Case("many", f"{ZONE} ;;\n, {ZONE};", said("", ZONE_CALL, ZONE_CALL)),
        Case("a closing bracket", f"{TAG}{ZONE}, {ZONE}]", said("", ZONE_CALL, ZONE_CALL)),
        Case("words", f"{ZONE}; then {ZONE}", said(f"; then {ZONE}", ZONE_CALL)),
    ],
}
BY_POLICY["undeclared_tool"].append(Case("text", bare("fly", "{}"), said(bare("fly", "{}")), "", False, TEXT))

LLAMA3_JSON_CASES = Cases(WELL_FORMED, BY_POLICY)
