"""Replies of GLM-4.7 and what they mean: the defects that the field knows, and every policy."""

from __future__ import annotations

from tests.parsers.cases import Case, Cases, said


def arg(key: str, value: str) -> str:
    return f"<arg_key>{key}</arg_key><arg_value>{value}</arg_value>"


def call(name: str, *arguments: str) -> str:
    return f"<tool_call>{name}{''.join(arguments)}</tool_call>"


ZONE = call("get_time_zone", arg("city", "Oslo"))
ZONE_CALL = ("get_time_zone", '{"city": "Oslo"}')
DROP_CUT = {"truncated_call": "drop"}

WELL_FORMED = [
    Case("content only", "Hello.\n", said("Hello.\n")),
    Case("nothing at all", "", said()),
    Case("the prompt opened thinking", "So.</think>Hi", said("Hi", reasoning="So."), "vllm#31220", True),
    Case("thinking on, no thought", "</think>Hi", said("Hi"), "", True),
    Case("answer without a closer", "Hi", said(reasoning="Hi"), "sglang#37645 vllm#48645", True),
    Case("zero arguments", call("get_time"), said("", ("get_time", "{}")), "vllm#44326 vllm#41654 sglang#15405"),
    Case("zero arguments, newline", call("get_time\n"), said("", ("get_time", "{}")), "vllm#48131"),
    Case(
        "zero arguments between others",
        ZONE + call("get") + ZONE,
        said("", ZONE_CALL, ("get", "{}"), ZONE_CALL),
        "vllm#47901 sglang#33901 sglang#37634",
    ),
    Case("thought, then a call", f"So.</think>{ZONE}", said("", ZONE_CALL, reasoning="So."), "", True),
    Case("text before a call", f"Let me see. {ZONE}", said("Let me see. ", ZONE_CALL), "llama.cpp#20260"),
    Case(
        "newline framing of 4.5",
        "\n<tool_call>get_time_zone\n<arg_key>city</arg_key>\n<arg_value>Oslo</arg_value>\n</tool_call>\n",
        said("", ZONE_CALL),
    ),
    Case(
        "newlines around a value are its own",
        call("get_time_zone", arg("city", "\nOslo\n")),
        said("", ("get_time_zone", '{"city": "\\nOslo\\n"}')),
    ),
    Case(
        "five calls at once",
        "".join(call("calc", arg("n", str(number))) for number in range(5)),
        said("", *(("calc", f'{{"n": {number}}}') for number in range(5))),
        "sglang#33324 vllm#34449 vllm#39253",
    ),
    Case(
        "a number-like string stays one",
        call("get_time_zone", arg("city", "00417")),
        said("", ("get_time_zone", '{"city": "00417"}')),
        "ds4#569 vllm#36410",
    ),
    Case(
        "an integer is not quoted, an object closes all its braces",
        call("calc", arg("n", "7")) + call("save", arg("meta", '{"a": {"b": {}}}')),
        said("", ("calc", '{"n": 7}'), ("save", '{"meta": {"a": {"b": {}}}}')),
        "sglang#36688",
    ),
    Case(
        "a word where a number belongs is a string",
        call("calc", arg("n", "seven")),
        said("", ("calc", '{"n": "seven"}')),
        "sglang#36688",
    ),
    Case(
        "numbers keep their digits",
        call("calc", arg("n", "123456789012345678901234567890"), arg("x", "0.10")),
        said("", ("calc", '{"n": 123456789012345678901234567890, "x": 0.10}')),
        "colibri#118",
    ),
    Case(
        "a string beside other types",
        call("limit", arg("unit", '"x"'))
        + call("limit", arg("unit", "null"))
        + call("limit", arg("unit", "42"))
        + call("limit", arg("upto", "null")),
        said(
            "",
            ("limit", '{"unit": "\\"x\\""}'),
            ("limit", '{"unit": null}'),
            ("limit", '{"unit": "42"}'),
            ("limit", '{"upto": null}'),
        ),
    ),
    Case(
        "JSON in a string is a string",
        call("save", arg("text", '{"a": [1, "\\n"]}')),
        said("", ("save", '{"text": "{\\"a\\": [1, \\"\\\\n\\"]}"}')),
        "vllm#36410",
    ),
    Case(
        "tags quoted in a value are its text",
        call("save", arg("text", "<tool_call>get</tool_call></think><|user|><arg_key>"), arg("path", "a")),
        said("", ("save", '{"text": "<tool_call>get</tool_call></think><|user|><arg_key>", "path": "a"}')),
        "vllm#40861",
    ),
    Case(
        "beginnings of the closer in a value",
        call("save", arg("text", "</arg_value</arg_valu")),
        said("", ("save", '{"text": "</arg_value</arg_valu"}')),
    ),
    Case("empty strings", call("get_time_zone", arg("city", "")), said("", ("get_time_zone", '{"city": ""}'))),
    Case(
        "control characters, astral and combining ones",
        call("get_time_zone", arg("city", "\x00\t😀e\u0301\u2028")),
        said("", ("get_time_zone", '{"city": "\\u0000\\t😀e\u0301\u2028"}')),
    ),
]

BY_POLICY: dict[str, list[Case]] = {
    "call_in_thinking": [
        Case("a call", f"So{ZONE}", said("", ZONE_CALL, reasoning="So"), "vllm#42400 vllm#46040 opencode#6708", True),
        Case(
            "words",
            f"So{ZONE}</think>{ZONE}",
            said("", ZONE_CALL, reasoning="Soget_time_zonecityOslo"),
            thinking=True,
            choices={"call_in_thinking": "reasoning"},
        ),
    ],
    "late_closer": [
        Case("content", f"So{ZONE}a</think>Hi", said("aHi", ZONE_CALL, reasoning="So"), "vllm#46040", True),
        Case(
            "reasoning goes on",
            f"So{ZONE}a</think>Hi",
            said("Hi", ZONE_CALL, reasoning="Soa"),
            thinking=True,
            choices={"late_closer": "reasoning"},
        ),
    ],
    "unclosed_thinking": [
        Case("reasoning", "Hi", said(reasoning="Hi"), "sglang#37645 vllm#48645", True),
        Case("content", "Hi", said("Hi"), "sglang#37644", True, {"unclosed_thinking": "content"}),
        Case("closed", "So</think>Hi", said("Hi", reasoning="So"), "", True, {"unclosed_thinking": "content"}),
        Case(
            "a call",
            f"So{ZONE}",
            said("", ZONE_CALL, reasoning="So"),
            thinking=True,
            choices={"unclosed_thinking": "content"},
        ),
        Case(
            "half a call",
            "So<tool_call>get_ti",
            said(reasoning="So"),
            thinking=True,
            choices={"unclosed_thinking": "content"},
        ),
    ],
    "opener_mentioned": [
        Case("in prose", f"Use <tool_call> to call. {ZONE}", said("Use  to call. ", ZONE_CALL), "vllm#40861"),
        Case(
            "in reasoning",
            f"I need <tool_call> for it.</think>{ZONE}",
            said("", ZONE_CALL, reasoning="I need  for it."),
            "vllm#42400",
            True,
        ),
        Case("at the end of reasoning", "a <tool_call></think>Hi", said("Hi", reasoning="a "), "", True),
        Case("JSON", '<tool_call>{"name": "get"}</tool_call>', said('{"name": "get"}'), "llama.cpp#19612"),
        Case("twice", "<tool_call>get<tool_call>get_time</tool_call>", said("get", ("get_time", "{}")), "vllm#53638"),
        Case("in quotes", "`<tool_call>` opens", said("`` opens"), "vllm#30439"),
    ],
    "undeclared_tool": [
        Case("forwarded", call("fly", arg("to", "5")), said("", ("fly", '{"to": 5}'))),
        Case("dropped", call("fly", arg("to", "5")) + ZONE, said("", ZONE_CALL), choices={"undeclared_tool": "drop"}),
        Case(
            "text", call("fly", arg("to", "5")) + ZONE, said("flyto5", ZONE_CALL), choices={"undeclared_tool": "text"}
        ),
        Case(
            "a name to take apart",
            "<tool_call>get_time_zonecity</arg_key><arg_value>Oslo</arg_value></tool_call>",
            said("", ZONE_CALL),
            choices={"undeclared_tool": "text"},
        ),
    ],
    "undeclared_parameter": [
        Case("JSON", call("get", arg("a", "[1]")), said("", ("get", '{"a": [1]}'))),
        Case("not JSON", call("get", arg("a", "[1")), said("", ("get", '{"a": "[1"}'))),
        Case("NaN is no JSON", call("calc", arg("any", "NaN")), said("", ("calc", '{"any": "NaN"}'))),
    ],
    "no_name": [
        Case("empty", call("", arg("city", "Oslo")) + ZONE, said("", ZONE_CALL), "sglang#15754 vllm#31319"),
        Case("nothing inside", "Hi<tool_call></tool_call>", said("Hi")),
    ],
    "no_key_opener": [
        Case(
            "glued",
            "<tool_call>get_time_zonecity</arg_key><arg_value>Oslo</arg_value></tool_call>",
            said("", ZONE_CALL),
            "vllm#47190",
        ),
        Case(
            "blank",
            "<tool_call>fly to</arg_key><arg_value>5</arg_value></tool_call>",
            said("", ("fly", '{"to": 5}')),
            "vllm#47190",
        ),
        Case(
            "second",
            f"<tool_call>save{arg('path', 'a')}text</arg_key><arg_value>b</arg_value></tool_call>",
            said("", ("save", '{"path": "a", "text": "b"}')),
            "vllm#47190",
        ),
        Case("hopeless", "<tool_call>flyto</arg_key><arg_value>5</arg_value></tool_call>Hi", said("Hi")),
    ],
    "no_value_opener": [
        Case(
            "newline framing",
            "<tool_call>save<arg_key>\ntext\n</arg_key>\n b\n</arg_value></tool_call>",
            said("", ("save", '{"text": " b\\n"}')),
        ),
        Case(
            "string",
            "<tool_call>get_time_zone<arg_key>city</arg_key>Oslo</arg_value></tool_call>",
            said("", ZONE_CALL),
            "vllm#49248",
        ),
        Case(
            "number",
            "<tool_call>calc<arg_key>n</arg_key>7</arg_value></tool_call>",
            said("", ("calc", '{"n": 7}')),
            "vllm#49248",
        ),
    ],
    "key_without_value": [
        Case("last", "<tool_call>save<arg_key>path</arg_key></tool_call>", said("", ("save", "{}"))),
        Case(
            "twice opened",
            f"<tool_call>save<arg_key>te{arg('path', 'a')}</tool_call>",
            said("", ("save", '{"path": "a"}')),
            "vllm#54971",
        ),
    ],
    "value_without_key": [
        Case(
            "first",
            f"<tool_call>save<arg_value>x</arg_value>{arg('path', 'a')}</tool_call>",
            said("", ("save", '{"path": "a"}')),
        ),
        Case("closer only", "<tool_call>get</arg_value></tool_call>", said("", ("get", "{}")), "python-sdk#119"),
    ],
    "duplicate_key": [
        Case("kept", call("calc", arg("n", "1"), arg("n", "2")), said("", ("calc", '{"n": 1, "n": 2}'))),
        Case(
            "last",
            call("calc", arg("n", "1"), arg("x", "0.10"), arg("n", "2")) + call("get"),
            said("", ("calc", '{"n": 2, "x": 0.10}'), ("get", "{}")),
            choices={"duplicate_key": "last"},
        ),
        Case(
            "last, cut",
            call("calc", arg("n", "1"), arg("n", "2"))[:-12],
            said("", ("calc", '{"n": 1, "n": 2')),
            choices={"duplicate_key": "last"},
        ),
    ],
    "double_encoded": [
        Case(
            "as written",
            call("save", arg("meta", r'"{\"a\": 1}"')),
            said("", ("save", r'{"meta": "{\"a\": 1}"}')),
            "vllm#36410",
        ),
        Case(
            "unwrapped where no string may be",
            call("save", arg("meta", r'"{\"a\": 1}"'), arg("text", r'"{\"a\": 1}"'), arg("tags", '"{}"')),
            said("", ("save", r'{"meta": {"a": 1}, "text": "\"{\\\"a\\\": 1}\"", "tags": "{}"}')),
            choices={"double_encoded": "unwrap"},
        ),
    ],
    "missing_closer": [
        Case("closed by the next", f"<tool_call>calc{arg('n', '1')}{ZONE}", said("", ("calc", '{"n": 1}'), ZONE_CALL)),
        Case("in a key", f"<tool_call>calc<arg_key>n{ZONE}", said("", ("calc", "{}"), ZONE_CALL)),
    ],
    "truncated_name": [
        Case("no call", "Hi<tool_call>get_ti", said("Hi"), "vllm#39757 vllm#40071 sglang#15754"),
        Case("in the tag", "Hi<tool_call>get_time<arg_k", said("Hi"), "vllm#47137"),
    ],
    "truncated_call": [
        Case("before an argument", "<tool_call>save<arg_key>pa", said("", ("save", "{")), "vllm#35208"),
        Case(
            "in a string",
            f"<tool_call>save{arg('path', 'a')}<arg_key>text</arg_key><arg_value>b\n",
            said("", ("save", '{"path": "a", "text": "b\\n')),
        ),
        Case("in a number", "<tool_call>calc<arg_key>n</arg_key><arg_value>4", said("", ("calc", '{"n": 4'))),
        Case("before the closer", f"<tool_call>calc{arg('n', '4')}", said("", ("calc", '{"n": 4'))),
        Case("dropped", f"{ZONE}Hi<tool_call>calc{arg('n', '4')}", said("Hi", ZONE_CALL), "", False, DROP_CUT),
    ],
    "truncated_marker": [
        Case("in content", "a <tool_c", said("a <tool_c"), "vllm#47137"),
        Case("in reasoning", "a </thi", said(reasoning="a </thi"), "", True),
    ],
    "role_marker": [
        Case("ends content", "Hi<|user|>\nAnd?", said("Hi")),
        Case("ends reasoning", "So<|endoftext|>Hi", said(reasoning="So"), "", True),
        Case("after a call", f"{ZONE}<|observation|><tool_response>", said("", ZONE_CALL)),
        Case("in a call", "<tool_call>get<arg_key><|observation|>", said("", ("get", "{"))),
        Case(
            "not in a value",
            call("get_time_zone", arg("city", "<|user|>")),
            said("", ("get_time_zone", '{"city": "<|user|>"}')),
        ),
    ],
    "thinking_reopened": [
        Case("redundant", "<think>So</think>Hi", said("Hi", reasoning="So"), "vllm#27703", True),
        Case("thinking off", "\n<think>So</think>Hi", said("Hi", reasoning="So")),
        Case("again", "a</think>b<think>c</think>d", said("bd", reasoning="ac"), "", True),
    ],
    "stray_tag": [
        Case(
            "text before it in a gap is nothing",
            f"<tool_call>save{arg('path', 'a')}x</think>text</arg_key><arg_value>b</arg_value></tool_call>",
            said("", ("save", '{"path": "a", "text": "b"}')),
        ),
        Case(
            "text between key closers is nothing",
            "<tool_call>save<arg_key>path</arg_key>x</arg_key><arg_value>a</arg_value></tool_call>",
            said("", ("save", '{"path": "a"}')),
        ),
        Case("closers", "a</think>b</tool_call>c<arg_key>d</arg_value>", said("abcd"), "vllm#27703 vllm#37023"),
        Case(
            "in a gap",
            f"<tool_call>save{arg('path', 'a')}</think>{arg('text', 'b')}</tool_call>",
            said("", ("save", '{"path": "a", "text": "b"}')),
        ),
        Case(
            "second key closer",
            "<tool_call>save<arg_key>path</arg_key></arg_key><arg_value>a</arg_value></tool_call>",
            said("", ("save", '{"path": "a"}')),
            "vllm#54971",
        ),
    ],
    "parted_marker": [
        Case("dropped tag", "<tool<arg_key>_call>x", said("<tool_callx")),
        Case("call between", f"<thi{ZONE}nk>", said("<think", ZONE_CALL)),
    ],
    "text_after_call": [
        Case("content", f"a{ZONE}b{ZONE}c", said("abc", ZONE_CALL, ZONE_CALL)),
        Case("dropped", f"a{ZONE}b{ZONE}c", said("a", ZONE_CALL, ZONE_CALL), choices={"text_after_call": "drop"}),
    ],
    "blank_content": [
        Case("kept", f"\n{ZONE}\n", said("\n\n", ZONE_CALL), "sglang#29441", False, {"blank_content": "keep"}),
        Case("around calls", f"\n{ZONE}\n\n{ZONE}\n", said("", ZONE_CALL, ZONE_CALL), "sglang#29441"),
        Case("behind text", f"Hi\n{ZONE}", said("Hi\n", ZONE_CALL)),
        Case("text behind a call", f"{ZONE}\nDone.", said("\nDone.", ZONE_CALL)),
        Case("text between calls", f"{ZONE} and {ZONE}", said(" and ", ZONE_CALL, ZONE_CALL)),
        Case("alone", " \n", said(" \n")),
        Case("forgotten when more is said", f"\n{ZONE}Done.", said("Done.", ZONE_CALL)),
        Case("after text and a call", f"Hi{ZONE}\n{ZONE}\n", said("Hi", ZONE_CALL, ZONE_CALL)),
    ],
}

GLM47_CASES = Cases(WELL_FORMED, BY_POLICY)
