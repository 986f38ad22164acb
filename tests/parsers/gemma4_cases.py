"""Replies of Gemma 4 and what they mean."""

from __future__ import annotations

from agenteval.parsers.gemma4 import noted
from tests.parsers.cases import Case, Cases, said
from tests.parsers.shared_cases import (
    CALC_CALL,
    LAST_KEY,
    ZONE_CALL,
    Markup,
    call_cases,
    content_cases,
    reasoning_cases,
)

OPENER, CLOSER, QUOTE = "<|tool_call>", "<tool_call|>", '<|"|>'


def call(name: str, arguments: str) -> str:
    """`arguments`: JSON."""
    return raw(name, noted(arguments))


def raw(name: str, braces: str) -> str:
    return f"{OPENER}call:{name}{braces}{CLOSER}"


MARKUP = Markup(call, OPENER, "<turn|>", "<tool_response|>", open_think="<|channel>thought\n", close_think="<channel|>")
ZONE = MARKUP.zone
NESTED = '{"meta": {"a": [1, {"b": "x, y"}, []], "c d": {}}, "tags": ["a}", "]b"]}'

WELL_FORMED = [
    Case("content only", "Hello.\n<turn|>", said("Hello.\n")),
    Case("one call", f"{OPENER}call:get_time_zone{{city:{QUOTE}Oslo{QUOTE}}}{CLOSER}", said("", ZONE_CALL)),
    Case("words, a call", f"Let me see.{ZONE}<|tool_response>", said("Let me see.", ZONE_CALL)),
    Case("a thought", f"<|channel>thought\nSo.\n<channel|>Hi{ZONE}", said("Hi", ZONE_CALL, reasoning="So.")),
    Case("an empty thought", "<|channel>thought\n<channel|>Hi", said("Hi")),
    Case("zero arguments", raw("get", "{}"), said("", ("get", "{}"))),
    Case("calls in one increment", ZONE * 3, said("", *[ZONE_CALL] * 3), "vllm#41967 sglang#37634"),
    Case("nested", call("save", NESTED), said("", ("save", NESTED)), "mlx-vlm#916"),
    Case(
        "numbers as they are written",
        raw("calc", "{n:-0,x:1.50E+3,any:[0.10,123456789012345678901234567890]}"),
        said("", ("calc", '{"n": -0, "x": 1.50E+3, "any": [0.10, 123456789012345678901234567890]}')),
    ),
    Case("literals", raw("calc", "{flag:true,any:null}"), said("", ("calc", '{"flag": true, "any": null}'))),
    Case(
        "markers quoted in a string",
        raw("save", f'{{text:{QUOTE}{ZONE[:20]}<turn|> {CLOSER}"\\{QUOTE},path:{QUOTE}a{QUOTE}}}') + ZONE,
        said("", ("save", '{"text": "<|tool_call>call:get<turn|> <tool_call|>\\"\\\\", "path": "a"}'), ZONE_CALL),
        "ollama#15241",
    ),
    Case(
        "strings that look like something else",
        raw("save", f"{{path:{QUOTE}00417{QUOTE},text:{QUOTE}true{QUOTE},tags:[{QUOTE}{QUOTE},{QUOTE} {QUOTE}]}}"),
        said("", ("save", '{"path": "00417", "text": "true", "tags": ["", " "]}')),
    ),
    Case("quoted keys", raw("calc", f"{{{QUOTE}a:{{{QUOTE}:1,n:2}}"), said("", ("calc", '{"a:{": 1, "n": 2}'))),
    Case("blanks between", raw("calc", " { n : 1 , x:\n[ 2 ]\t} "), said("", ("calc", '{"n": 1, "x": [2]}'))),
]
BY_POLICY: dict[str, list[Case]] = {
    **reasoning_cases(MARKUP),
    **content_cases(MARKUP),
    **call_cases(MARKUP),
    "channel_name": [
        Case("another", "<|channel>plan\nSo.<channel|>Hi", said("Hi", reasoning="plan\nSo.")),
        Case("longer", "<|channel>thoughts<channel|>Hi", said("Hi", reasoning="thoughts")),
        Case("none", "<|channel><channel|>Hi", said("Hi")),
        Case("broken off", "<|channel>thou", said("")),
        Case("no newline", "<|channel>thought<channel|>Hi", said("Hi")),
    ],
    "bad_head": [
        Case("none", f"a{OPENER}{{n:1}}{CLOSER}", said("a{n:1}")),
        Case("words", f"{OPENER}call: let us go{{n:1}}{CLOSER}", said("call: let us go{n:1}")),
        Case("no name", f"{OPENER}call:{{n:1}}{CLOSER}", said("call:{n:1}")),
        Case("parentheses", f"{OPENER}call:calc(n=1){CLOSER}", said("call:calc(n=1)"), "omlx#1886"),
    ],
    "no_braces": [
        Case("closer", raw("get", "") + ZONE, said("", ("get", "{}"), ZONE_CALL)),
        Case("no prefix", ZONE.replace("call:", ""), said("", ZONE_CALL)),
        Case("a string", raw("get", '"x"') + "Hi", said("Hi", ("get", "{}"))),
        Case("a namespace is the name's", raw("ns:get", "{}"), said("", ("ns:get", "{}")), "omlx#1854"),
    ],
    "duplicate_key": [
        Case("kept", raw("calc", "{n:1,n:2}"), said("", ("calc", '{"n": 1, "n": 2}'))),
        Case("last", raw("calc", "{n:1,n:2}"), said("", ("calc", '{"n": 2}')), "", False, LAST_KEY),
    ],
    "double_encoded": [
        Case(
            "as written",
            raw("save", f'{{meta:{QUOTE}{{"a": 1}}{QUOTE}}}'),
            said("", ("save", '{"meta": "{\\"a\\": 1}"}')),
            "vllm#36410",
        ),
        Case(
            "unwrapped",
            raw("save", f'{{meta:{QUOTE}{{"a": 1}}{QUOTE},text:{QUOTE}[1]{QUOTE}}}'),
            said("", ("save", '{"meta": {"a": 1}, "text": "[1]"}')),
            choices={"double_encoded": "unwrap"},
        ),
        Case(
            "broken off",
            f'{OPENER}call:save{{meta:{QUOTE}{{"a<',
            said("", ("save", '{"meta": "{\\"a<')),
            choices={"double_encoded": "unwrap"},
        ),
    ],
    "bare_words": [
        Case(
            "literals",
            raw("calc", "{any:None,flag:[True,False]}"),
            said("", ("calc", '{"any": null, "flag": [true, false]}')),
        ),
        Case(
            "words",
            raw("save", "{path:a/b <c>.txt ,text:00417}"),
            said("", ("save", '{"path": "a/b <c>.txt", "text": "00417"}')),
        ),
        Case(
            "text", raw("calc", "{any:None}"), said("", ("calc", '{"any": "None"}')), "", False, {"bare_words": "text"}
        ),
        Case("broken off", f"{OPENER}call:calc{{any:Non", said("", ("calc", '{"any": Non'))),
    ],
    "plain_quotes": [
        Case(
            "JSON",
            raw("save", '{"tags": ["a, \\"b\\"", "}"], "path": "c"}'),
            said("", ("save", '{"tags": ["a, \\"b\\"", "}"], "path": "c"}')),
            "vllm#51284",
        ),
        Case(
            "text",
            raw("save", '{tags:["a"]}'),
            said("", ("save", '{"tags": ["\\"a\\""]}')),
            "",
            False,
            {"plain_quotes": "text"},
        ),
    ],
    "missing_quote": [
        Case(
            "the first",
            raw("get_time_zone", f"{{city:Oslo{QUOTE},n:1}}"),
            said("", ("get_time_zone", '{"city": "Oslo", "n": 1}')),
        ),
        Case(
            "the last",
            f"{OPENER}call:get_time_zone{{city:{QUOTE}Oslo}}{CLOSER}",
            said("", ("get_time_zone", '{"city": "Oslo}<tool_call|>')),
        ),
    ],
    "missing_bracket": [
        Case("a brace", raw("calc", "{n:1"), said("", CALC_CALL)),
        Case("several", raw("save", f"{{meta:{{a:[1,{QUOTE}b{QUOTE}"), said("", ("save", '{"meta": {"a": [1, "b"]}}'))),
        Case("the wrong one", raw("save", "{tags:[1}}"), said("", ("save", '{"tags": [1]}'))),
    ],
    "missing_separator": [
        Case(
            "a comma",
            raw("save", f"{{path:{QUOTE}a{QUOTE}text:{QUOTE}b{QUOTE}}}"),
            said("", ("save", '{"path": "a", "text": "b"}')),
            "yzma#243",
        ),
        Case(
            "a colon",
            raw("save", f"{{path{QUOTE}a{QUOTE},meta{{a:1}},{QUOTE}x{QUOTE}2}}"),
            said("", ("save", '{"path": "a", "meta": {"a": 1}, "x": 2}')),
        ),
        Case(
            "twice", raw("save", "{{,path:a::b,,tags:[,1,,2,]}"), said("", ("save", '{"path": "a::b", "tags": [1, 2]}'))
        ),
    ],
    "key_without_value": [
        Case("at the end", raw("calc", "{n:1,x}"), said("", CALC_CALL)),
        Case("with a colon", raw("calc", "{x:,n:1,any:}"), said("", CALC_CALL)),
    ],
    "marker_in_string": [
        Case("text", raw("save", f"{{text:{QUOTE}<turn|>{QUOTE}}}"), said("", ("save", '{"text": "<turn|>"}'))),
        Case("between strings", raw("calc", "{n:1,<channel|>x:2}") + "Hi", said("Hi", ("calc", '{"n": 1'))),
    ],
    "text_behind_json": [
        Case("a brace", raw("calc", "{n:1}}") + "Hi", said("Hi", CALC_CALL), "vllm#53638"),
    ],
    "missing_closer": [
        Case("next opener", raw("calc", "{n:1}").removesuffix(CLOSER) + ZONE, said("", CALC_CALL, ZONE_CALL)),
        Case("the text's end", raw("calc", "{n:1}").removesuffix(CLOSER), said("", CALC_CALL)),
        Case("the message's end", raw("calc", "{n:1}").removesuffix(CLOSER) + "<turn|>Hi", said("", CALC_CALL)),
        Case("and a bracket's", f"{OPENER}call:calc{{n:1,{ZONE}", said("", ("calc", '{"n": 1'), ZONE_CALL)),
    ],
    "framing_newlines": [
        Case("dropped", "<|channel>thought\n\nSo.\n\n<channel|>\nHi", said("\nHi", reasoning="\nSo.\n")),
        Case(
            "kept",
            "<|channel>thought\nSo.\n<channel|>Hi",
            said("Hi", reasoning="\nSo.\n"),
            choices={"framing_newlines": "keep"},
        ),
    ],
}
BY_POLICY["undeclared_tool"].append(
    Case("text", raw("fly", "{}") + ZONE, said("call:fly{}", ZONE_CALL), choices={"undeclared_tool": "text"})
)


GEMMA4_CASES = Cases(WELL_FORMED, BY_POLICY)
