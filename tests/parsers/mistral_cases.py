"""Replies of Mistral's models and what they mean."""

from __future__ import annotations

from tests.parsers.cases import Case, Cases, said
from tests.parsers.shared_cases import (
    CALC_CALL,
    OSLO,
    ZONE_CALL,
    Markup,
    call_cases,
    content_cases,
    json_cases,
    json_replies,
    reasoning_cases,
)

OPENER = "[TOOL_CALLS]"


def call(name: str, arguments: str) -> str:
    return f"{OPENER}{name}[ARGS]{arguments}"


def old(name: str, arguments: str) -> str:
    return f'{{"name": "{name}", "arguments": {arguments}, "id": "a1B2c3D4e"}}'


MARKUP = Markup(call, OPENER, "</s>", "[/TOOL_RESULTS]", open_think="[THINK]", close_think="[/THINK]")
ZONE, OLD_ZONE = MARKUP.zone, old(*ZONE_CALL)

WELL_FORMED = [
    *json_replies(MARKUP),
    Case("a thought", f"[THINK]So.[/THINK]Hi{ZONE}</s>", said("Hi", ZONE_CALL, reasoning="So.")),
    Case("with an id", f"{OPENER}get_time_zone[CALL_ID]a1B2c3D4e[ARGS]{OSLO}</s>", said("", ZONE_CALL)),
    Case("a list", f"{OPENER}[{OLD_ZONE}, {OLD_ZONE}]</s>", said("", ZONE_CALL, ZONE_CALL), "sglang#37634"),
    Case("a list behind words", f"Hi{OPENER} [{OLD_ZONE}]", said("Hi", ZONE_CALL)),
    Case(
        "a bracket in a string",
        call("save", '{"text": "[TOOL_CALLS]]"}'),
        said("", ("save", '{"text": "[TOOL_CALLS]]"}')),
    ),
]
BY_POLICY: dict[str, list[Case]] = {
    **reasoning_cases(MARKUP),
    **content_cases(MARKUP),
    **call_cases(MARKUP),
    **json_cases(MARKUP),
    "missing_closer": [
        Case("none is needed", f"{ZONE}{ZONE}", said("", ZONE_CALL, ZONE_CALL)),
        Case("of a list", f"{OPENER}[{OLD_ZONE}", said("", ZONE_CALL)),
        Case("of an object", f"{OPENER}[{OLD_ZONE[:-1]}</s>", said("", ZONE_CALL)),
    ],
    "broken_json": [
        Case("a comma too many", call("calc", '{"n": 1,}'), said("", ("calc", '{"n": 1,}'))),
        Case("a brace too few", call("calc", '{"n": 1') + "</s>", said("", ("calc", '{"n": 1'))),
        Case("a brace too many", call("calc", '{"n": 1}}'), said("}", CALC_CALL)),
    ],
    "marker_in_string": [
        Case("a quote is missing", call("save", '{"text": "a') + "</s>", said("", ("save", '{"text": "a</s>'))),
    ],
    "object_without_name": [
        Case("none", f"{OPENER}[{{}}]", said("[{}]")),
        Case("a list of numbers", f"{OPENER}[1, 2]", said("[1, 2]")),
        Case("an empty list", f"a{OPENER}[]b", said("a[]b")),
    ],
    "arguments_first": [Case("first", f'{OPENER}[{{"arguments": {{"n": 1}}, "name": "calc"}}]', said("", CALC_CALL))],
    "parameters_alias": [
        Case("parameters", f'{OPENER}[{{"name": "calc", "parameters": {{"n": 1}}}}]', said("", CALC_CALL))
    ],
    "bad_head": [
        Case("no name", f"a{OPENER}[ARGS]{OSLO}", said(f"a{OSLO}")),
        Case("words", f"{OPENER}let us go[ARGS]{OSLO}", said(f"let us go{OSLO}")),
        Case("a bracket", f"{OPENER}get[0]", said("get[0]")),
        Case("another token", f"{OPENER}get[THINK]So.", said("get", reasoning="So.")),
        Case("an endless id", f"{OPENER}get[CALL_ID]{'x' * 80}[ARGS]{{}}", said(f"get{'x' * 80}{{}}")),
        Case("an id and another token", f"{OPENER}get[CALL_ID]x[THINK]", said("getx")),
    ],
    "missing_separator": [
        Case("arguments", f"{OPENER}get_time_zone{OSLO}", said("", ZONE_CALL)),
        Case("no arguments", f"{OPENER}get[ARGS]{ZONE}", said("", ("get", "{}"), ZONE_CALL)),
    ],
    "older_form": [
        Case("no list", f"{OPENER}{OLD_ZONE}", said("", ZONE_CALL)),
        Case("words behind it", f"{OPENER}[{OLD_ZONE}] Hi", said(" Hi", ZONE_CALL)),
        Case("both forms", f"{OPENER}[{OLD_ZONE}]{ZONE}", said("", ZONE_CALL, ZONE_CALL)),
    ],
    "call_id": [
        Case("in a list", f"{OPENER}[{old('get', '{}')}]", said("", ("get", "{}"))),
        Case("empty", f"{OPENER}get_time_zone[CALL_ID][ARGS]{OSLO}", said("", ZONE_CALL)),
    ],
}
BY_POLICY["undeclared_tool"].append(
    Case("text", call("fly", "{}") + ZONE, said("fly{}", ZONE_CALL), choices={"undeclared_tool": "text"})
)

MISTRAL_CASES = Cases(WELL_FORMED, BY_POLICY)
