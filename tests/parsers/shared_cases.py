"""Cases of policies that families share, written with a family's own markup."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from tests.parsers.cases import Case, said

OSLO = '{"city": "Oslo"}'
ZONE_CALL = ("get_time_zone", OSLO)
CALC = '{"n": 1}'
CALC_CALL = ("calc", CALC)
DROP_CUT = {"truncated_call": "drop"}


@dataclass(frozen=True, slots=True)
class Markup:
    """How a family writes. `call`: a call by name and arguments' JSON, without newlines around it; `thought`: a thought
    from its opener to what stands before an answer; `end`: a marker that ends the message; `stray`: one without a
    meaning in content; `opener`: what begins a call, so that `prose` behind it makes it a mention; `line`: what stands
    between content and a call."""

    call: Callable[[str, str], str]
    opener: str
    end: str
    stray: str
    line: str = ""
    open_think: str = "<think>"
    close_think: str = "</think>"

    @property
    def zone(self) -> str:
        return self.call(*ZONE_CALL)


def reasoning_cases(m: Markup) -> dict[str, list[Case]]:
    """Policies of reasoning; the prompt opened it."""
    zone, close = m.zone, m.close_think
    hold = {"unclosed_thinking": "content"}
    return {
        "call_in_thinking": [
            Case("a call", f"So{zone}", said("", ZONE_CALL, reasoning="So"), "vllm#42400 opencode#6708", True),
            Case(
                "words",
                f"So{m.opener}{close}Hi",
                said("Hi", reasoning="So"),
                thinking=True,
                choices={"call_in_thinking": "reasoning"},
            ),
        ],
        "late_closer": [
            Case("content", f"So{zone}a{close}Hi", said("aHi", ZONE_CALL, reasoning="So"), "vllm#46040", True),
            Case(
                "reasoning goes on",
                f"So{zone}a{close}Hi",
                said("Hi", ZONE_CALL, reasoning="Soa"),
                thinking=True,
                choices={"late_closer": "reasoning"},
            ),
        ],
        "unclosed_thinking": [
            Case("reasoning", "Hi", said(reasoning="Hi"), "sglang#37645 vllm#48645", True),
            Case("content", "Hi", said("Hi"), "sglang#37644", True, hold),
            Case("a call", f"So{zone}", said("", ZONE_CALL, reasoning="So"), "", True, hold),
        ],
        "thinking_reopened": [
            Case("redundant", f"{m.open_think}So{close}Hi", said("Hi", reasoning="So"), "vllm#27703", True),
            Case("again", f"a{close}b{m.open_think}c{close}d", said("bd", reasoning="ac"), "", True),
        ],
    }


def content_cases(m: Markup) -> dict[str, list[Case]]:
    """Policies of content and of the message's end."""
    zone = m.zone
    return {
        "text_after_call": [
            Case("content", f"a{zone}b{zone}c", said("abc", ZONE_CALL, ZONE_CALL)),
            Case(
                "dropped", f"a{zone}b{zone}c", said("a", ZONE_CALL, ZONE_CALL), "", False, {"text_after_call": "drop"}
            ),
        ],
        "blank_content": [
            Case("around calls", f" {m.line}{zone} \n{zone}\n", said("", ZONE_CALL, ZONE_CALL), "sglang#29441"),
            Case("kept", f" {m.line}{zone} ", said("  ", ZONE_CALL), "", False, {"blank_content": "keep"}),
            Case("alone", " \n", said(" \n")),
        ],
        "role_marker": [
            Case("ends content", f"Hi{m.end}\nAnd?", said("Hi")),
            Case("after a call", f"{zone}{m.end}Hi", said("", ZONE_CALL)),
        ],
        "stray_tag": [Case("in content", f"a{m.stray}b", said("ab"), "vllm#37023 kimi-cli#443")],
        "parted_marker": [
            Case("dropped", f"{m.end[:3]}{m.stray}{m.end[3:]}", said(m.end[:-1])),
        ],
        "truncated_marker": [Case("in content", f"a {m.end[:-1]}", said(f"a {m.end[:-1]}"), "vllm#47137")],
    }


def call_cases(m: Markup) -> dict[str, list[Case]]:
    """Policies of calls, whatever their arguments are written as."""
    fly, half = m.call("fly", "{}"), m.zone[: m.zone.index("slo")]
    return {
        "opener_mentioned": [
            Case("in prose", f"Use {m.opener} to call. {m.zone}", said("Use  to call. ", ZONE_CALL), "vllm#40861"),
            Case("in quotes", f"`{m.opener}` opens", said("`` opens"), "vllm#30439"),
            Case("twice", f"{m.opener}{m.zone}", said("", ZONE_CALL), "vllm#53638"),
        ],
        "undeclared_tool": [
            Case("reported", fly + m.zone, said("", ("fly", "{}"), ZONE_CALL)),
            Case("dropped", fly + m.zone, said("", ZONE_CALL), "", False, {"undeclared_tool": "drop"}),
        ],
        "truncated_name": [
            Case("half", f"Hi{m.zone[: m.zone.index('_zone')]}", said("Hi"), "vllm#39757 vllm#40071 sglang#15754"),
        ],
        "truncated_call": [
            Case("in a string", half, said("", ("get_time_zone", '{"city": "O')), "vllm#35208 vllm#37937"),
            Case("dropped", f"{m.zone}{half}", said("", ZONE_CALL), "", False, DROP_CUT),
        ],
    }


def json_cases(m: Markup) -> dict[str, list[Case]]:
    """Policies of arguments that are written as JSON."""
    twice, quoted = '{"n": 1, "n": 2}', r'"{\"n\": 1}"'
    calc = m.call(*CALC_CALL)
    return {
        "duplicate_key": [
            Case("kept", m.call("calc", twice), said("", ("calc", twice))),
            Case("last", m.call("calc", twice) + calc, said("", ("calc", '{"n": 2}'), CALC_CALL), "", False, LAST_KEY),
        ],
        "double_encoded": [
            Case("as written", m.call("calc", quoted), said("", ("calc", quoted)), "vllm#36410"),
            Case("unwrapped", m.call("calc", quoted), said("", CALC_CALL), "", False, {"double_encoded": "unwrap"}),
        ],
        "empty_arguments": [
            Case("null", m.call("get", "null"), said("", ("get", "{}"))),
            Case("null stays", m.call("get", "null"), said("", ("get", "null")), "", False, NULL_STAYS),
        ],
    }


def json_replies(m: Markup) -> list[Case]:
    """Well-formed replies whose arguments are JSON."""
    quotes = json.dumps({"text": f'{m.opener} {m.end}{m.close_think} \\ " {{ [', "path": m.zone}, ensure_ascii=False)
    exact = '{ "meta":{"a":[1.50,{}], "b\\"":"}"},\n"text" : "\\u00e9\\\\" }'
    return [
        Case("content only", "Hello.\n", said("Hello.\n")),
        Case("one call", m.zone, said("", ZONE_CALL)),
        Case("words, a call", f"Let me see.{m.line}{m.zone}", said("Let me see.", ZONE_CALL), "llama.cpp#20260"),
        Case("zero arguments", m.call("get", "{}"), said("", ("get", "{}")), "vllm#44326 vllm#48020"),
        Case("calls in one increment", m.zone * 3, said("", *[ZONE_CALL] * 3), "sglang#37634 sglang#33901"),
        Case("markers quoted in a string", m.call("save", quotes) + m.zone, said("", ("save", quotes), ZONE_CALL)),
        Case("arguments are verbatim", m.call("save", exact), said("", ("save", exact)), "vllm#48636"),
        Case("an object at the end", m.call("save", '{"meta": {"a": {}}}'), said("", ("save", '{"meta": {"a": {}}}'))),
        Case("a number at the end", m.call("calc", '{"n": 42 }'), said("", ("calc", '{"n": 42 }')), "vllm#30866"),
    ]


def marked_cases(m: Markup) -> dict[str, list[Case]]:
    """Policies of names and JSON arguments between tokens."""
    calc = m.call(*CALC_CALL)
    cut = calc[: calc.index("1}") + 1]
    close = calc[calc.index("1}") + 2 :]
    return {
        "broken_json": [
            Case("a brace too few", f"{cut}{close}{m.zone}", said("", ("calc", '{"n": 1' + rest(close)), ZONE_CALL)),
            Case("a comma too many", m.call("calc", '{"n": 1,}'), said("", ("calc", '{"n": 1,}'))),
        ],
        "marker_in_string": [
            Case(
                "a closing quote is missing", f'{cut}, "a": "b{close}', said("", ("calc", f'{{"n": 1, "a": "b{close}'))
            ),
        ],
        "text_behind_json": [
            Case("a brace", m.call("calc", '{"n": 1}}') + "Hi", said("Hi", CALC_CALL), "vllm#53638"),
            Case("words and tags", m.call("calc", '{"n": 1} so < <think>') + "Hi", said("Hi", CALC_CALL)),
        ],
        "missing_closer": [
            Case("next opener", calc.removesuffix(close) + m.zone, said("", CALC_CALL, ZONE_CALL)),
            Case("the text's end", calc.removesuffix(close), said("", CALC_CALL)),
            Case("the message's end", f"{calc.removesuffix(close)}{m.end}Hi", said("", CALC_CALL)),
        ],
    }


def rest(closer: str) -> str:
    """What of a closer does not begin with `<`: it stands in the arguments that it does not end."""
    return closer[: closer.index("<")]


def bare_cases(call: Callable[..., str], arg: Callable[[str, str], str]) -> dict[str, list[Case]]:
    """Policies of arguments that are written as bare text."""
    quoted = arg("meta", r'"{\"a\": 1}"')
    twice = call("calc", arg("n", "1"), arg("x", "0.10"), arg("n", "2"))
    return {
        "undeclared_parameter": [
            Case("JSON", call("get", arg("a", "[1]")), said("", ("get", '{"a": [1]}'))),
            Case("not JSON", call("get", arg("a", "[1")), said("", ("get", '{"a": "[1"}'))),
        ],
        "duplicate_key": [
            Case("kept", twice, said("", ("calc", '{"n": 1, "x": 0.10, "n": 2}'))),
            Case("last", twice, said("", ("calc", '{"n": 2, "x": 0.10}')), "", False, LAST_KEY),
        ],
        "double_encoded": [
            Case("as written", call("save", quoted), said("", ("save", r'{"meta": "{\"a\": 1}"}')), "vllm#36410"),
            Case(
                "unwrapped",
                call("save", quoted),
                said("", ("save", '{"meta": {"a": 1}}')),
                choices={"double_encoded": "unwrap"},
            ),
        ],
    }


LAST_KEY = {"duplicate_key": "last"}
NULL_STAYS = {"empty_arguments": "as_written"}
