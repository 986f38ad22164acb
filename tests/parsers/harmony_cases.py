"""Replies of gpt-oss and what they mean: the defects that the field knows, and every policy."""

from __future__ import annotations

from tests.parsers.cases import Case, Cases, said

S = "<|start|>assistant"
ZONE_ARGUMENTS = '{"city": "Oslo"}'
ZONE_CALL = ("get_time_zone", ZONE_ARGUMENTS)
ZONE = f"<|channel|>commentary to=functions.get_time_zone <|constrain|>json<|message|>{ZONE_ARGUMENTS}"
FLY = "<|channel|>commentary to=functions.fly json<|message|>"
CALC = "<|channel|>commentary to=functions.calc json<|message|>"
ONCE, TWICE, QUOTED = '{"n":1, "x":2}', '{"n": 1, "n": 2}', '"{\\"n\\": 1}"'
THOUGHT = "<|channel|>analysis<|message|>So.<|end|>"
HI = "<|channel|>final<|message|>Hi"
SO_HI = said("Hi", reasoning="So.")
SO_ZONE = said("", ZONE_CALL, reasoning="So.")


def headed(header: str) -> str:
    """The usual call with another header."""
    return f"{THOUGHT}{S}{header}<|message|>{ZONE_ARGUMENTS}<|call|>"


WELL_FORMED = [
    Case("an answer", f"{HI}<|return|>", said("Hi")),
    Case("nothing at all", "", said()),
    Case("a thought, an answer", f"{THOUGHT}{S}{HI}<|return|>", SO_HI),
    Case("a thought, a call", f"{THOUGHT}{S}{ZONE}<|call|>", SO_ZONE, "vllm#35907"),
    Case("no thought, a call", f"{ZONE}<|call|>", said("", ZONE_CALL), "llama.cpp#15181"),
    Case(
        "a preamble is content",
        f"{THOUGHT}{S}<|channel|>commentary<|message|>Let me look.<|end|>{S}{ZONE}<|call|>",
        said("Let me look.", ZONE_CALL, reasoning="So."),
        "vllm#26291",
    ),
    Case(
        "zero arguments",
        "<|channel|>commentary to=functions.get <|constrain|>json<|message|>{}<|call|>",
        said("", ("get", "{}")),
    ),
    Case("two thoughts", f"{THOUGHT}{S}{THOUGHT}{S}{HI}", said("Hi", reasoning="So.So."), "vllm#35902"),
    Case(
        "a thought between calls",
        f"{ZONE}<|call|>{S}{THOUGHT}{S}{ZONE}",
        said("", ZONE_CALL, ZONE_CALL, reasoning="So."),
    ),
    Case(
        "arguments are verbatim",
        '<|channel|>commentary to=functions.calc <|constrain|>json<|message|>{ "n":1e2,\n"n" : "\\u00e9<|"}<|call|>',
        said("", ("calc", '{ "n":1e2,\n"n" : "\\u00e9<|"}')),
    ),
    Case("the engine stripped the stop token", f"{THOUGHT}{S}{ZONE}", SO_ZONE, "vllm#37937"),
]

BY_POLICY: dict[str, list[Case]] = {
    "call_in_thinking": [
        Case("a call", headed("<|channel|>analysis to=functions.get_time_zone code"), SO_ZONE, "vllm#35907 vllm#35779"),
        Case(
            "words",
            f"<|channel|>analysis to=functions.get_time_zone code<|message|>x<|end|>{S}{ZONE}",
            said("", ZONE_CALL, reasoning="x"),
            choices={"call_in_thinking": "reasoning"},
        ),
    ],
    "recipient_place": [
        Case("author's part", headed(" to=functions.get_time_zone<|channel|>commentary json"), SO_ZONE, "harmony#114"),
        Case(
            "author's part, bare commentary",
            headed(" to=functions.get_time_zone<|channel|>commentary"),
            SO_ZONE,
            "vllm#31677 vllm#32587 llama.cpp#15181",
        ),
        Case(
            "first in the reply",
            f" to=functions.get_time_zone<|channel|>commentary <|constrain|>json<|message|>{ZONE_ARGUMENTS}",
            said("", ZONE_CALL),
        ),
        Case(
            "both",
            headed(" to=functions.get<|channel|>commentary to=functions.get_time_zone <|constrain|>json"),
            SO_ZONE,
            "harmony#38 vllm#23567 vllm#51977",
        ),
        Case("behind the type", headed("<|channel|>commentary <|constrain|>json to=functions.get_time_zone"), SO_ZONE),
    ],
    "content_type": [
        Case("no blank", headed("<|channel|>commentary to=functions.get_time_zone<|constrain|>json"), SO_ZONE),
        Case("no marker", headed("<|channel|>commentary to=functions.get_time_zone json"), SO_ZONE),
        Case("none", headed("<|channel|>commentary to=functions.get_time_zone"), SO_ZONE),
        Case("glued", headed("<|channel|>commentaryto=functions.get_time_zone json"), SO_ZONE, "harmony#76"),
        Case("code", headed("<|channel|>analysis to=functions.get_time_zone code"), SO_ZONE),
        Case("of an answer", '<|channel|>final <|constrain|>json<|message|>{"a": 1}', said('{"a": 1}'), "vllm#45570"),
    ],
    "call_on_any_channel": [
        Case("final", headed("<|channel|>final to=functions.get_time_zone"), SO_ZONE),
        Case("none", headed(" to=functions.get_time_zone"), SO_ZONE),
    ],
    "bare_recipient": [
        Case("offered", headed("<|channel|>commentary to=get_time_zone <|constrain|>json"), SO_ZONE),
        Case("not offered", "<|channel|>commentary to=fly json<|message|>{}", said("{}")),
    ],
    "undeclared_tool": [
        Case("forwarded", f"{FLY}{{}}", said("", ("fly", "{}"))),
        Case("dropped", f"{FLY}{{}}<|call|>{S}{ZONE}", said("", ZONE_CALL), choices={"undeclared_tool": "drop"}),
        Case("text", f"{FLY}{{}}", said("{}"), choices={"undeclared_tool": "text"}),
    ],
    "other_recipient": [
        Case(
            "the assistant", "<|channel|>commentary to=assistant<|message|>Now.<|end|>", said("Now."), "llama.cpp#21286"
        ),
        Case("built in", "<|channel|>analysis to=python code<|message|>print(1)<|call|>", said(reasoning="print(1)")),
        Case("nobody", "<|channel|>commentary to=functions. json<|message|>{}", said("{}")),
    ],
    "unknown_channel": [
        Case("another word", "<|channel|>comment<|message|>Hi<|end|>", said("Hi")),
        Case("none", f"{THOUGHT}{S}<|message|>Hi", SO_HI, "vllm#35540"),
        Case("empty", "<|channel|><|message|>Hi", said("Hi")),
    ],
    "repeated_marker": [
        Case("channel", f"<|channel|>analysis{THOUGHT}{S}{HI}", SO_HI, "harmony#97"),
        Case(
            "channel in a call's header",
            headed("<|channel|>commentary to=functions.get_time_zone<|channel|>commentary json"),
            SO_ZONE,
            "vllm#32633 vllm#35906",
        ),
        Case("message", "<|channel|>final<|message|><|message|>Hi", said("Hi")),
        Case("constrain", f"{THOUGHT}{S}{HI}<|constrain|>json", said("Hijson", reasoning="So.")),
    ],
    "missing_start": [
        Case("channel in a body", f"<|channel|>analysis<|message|>So.{HI}", SO_HI, "harmony#60 vllm#22515"),
        Case("only the role", f"{THOUGHT}assistant{HI}", SO_HI, "vllm#22519"),
        Case("neither", f"{THOUGHT}{HI}", SO_HI),
        Case("the prompt's again", f"{S}{THOUGHT}{S}{HI}", SO_HI),
        Case("channel glued to the role", f"{THOUGHT}<|start|>assistantfinal<|message|>Hi", SO_HI),
        Case("start in a body", f"{HI}{S}{HI}", said("HiHi")),
    ],
    "header_without_message": [
        Case("refusal", "<|channel|>final I'm sorry.<|end|>", said("I'm sorry."), "vllm#28303"),
        Case("glued", f"<|channel|>analysisWe go.<|end|>{S}{HI}", said("Hi", reasoning="We go.")),
        Case("role only", f"{S} Hello there", said("Hello there")),
        Case("no role", f"{THOUGHT}<|start|>Hello, you", said("Hello, you", reasoning="So.")),
        Case("a word like a type", "<|channel|>final to be", said("to be")),
    ],
    "call_without_message": [
        Case(
            "arguments",
            f"<|channel|>commentary to=functions.get_time_zone <|constrain|>json{ZONE_ARGUMENTS}",
            said("", ZONE_CALL),
        ),
        Case(
            "thought behind the constrain marker",
            f"<|channel|>commentary to=functions.get_time_zone <|constrain|>We need it.<|message|>{ZONE_ARGUMENTS}",
            said("", ZONE_CALL, reasoning="We need it."),
            "vllm#57099",
        ),
        Case(
            "thought only", "<|channel|>commentary to=functions.get We need it.<|end|>", said(reasoning="We need it.")
        ),
    ],
    "call_without_body": [
        Case("call", "<|channel|>commentary to=functions.get <|constrain|>json<|call|>", said("", ("get", "{}"))),
        Case("end", "<|channel|>commentary to=functions.get <|constrain|>json<|end|>", said()),
    ],
    "duplicate_key": [
        Case("kept", f"{CALC}{TWICE}<|call|>", said("", ("calc", TWICE))),
        Case("last", f"{CALC}{TWICE}<|call|>", said("", ("calc", '{"n": 2}')), choices={"duplicate_key": "last"}),
        Case(
            "last, unterminated", f"{CALC}{TWICE}", said("", ("calc", '{"n": 2}')), "", False, {"duplicate_key": "last"}
        ),
        Case("once", f"{CALC} {ONCE} <|call|>", said("", ("calc", f" {ONCE} ")), choices={"duplicate_key": "last"}),
    ],
    "double_encoded": [
        Case("as written", f"{CALC}{QUOTED}<|call|>", said("", ("calc", QUOTED))),
        Case("object", f"{CALC}{QUOTED}<|call|>", said("", ("calc", '{"n": 1}')), choices={"double_encoded": "unwrap"}),
        Case("words", f'{CALC}"n"<|call|>', said("", ("calc", '"n"')), choices={"double_encoded": "unwrap"}),
        Case("no JSON", f'{CALC}"n<|call|>', said("", ("calc", '"n')), choices={"double_encoded": "unwrap"}),
    ],
    "empty_arguments": [
        Case("null", f"{CALC}null<|call|>", said("", ("calc", "{}"))),
        Case(
            "null as written",
            f"{CALC}null<|call|>",
            said("", ("calc", "null")),
            "",
            False,
            {"empty_arguments": "as_written"},
        ),
        Case("ended", "<|channel|>commentary to=functions.get json<|message|><|call|>", said("", ("get", "{}"))),
        Case("blank", "<|channel|>commentary to=functions.get json<|message|>\n<|call|>", said("", ("get", "\n{}"))),
        Case("open", "<|channel|>commentary to=functions.get json<|message|>", said("", ("get", ""))),
    ],
    "missing_closer": [
        Case("answer", HI, said("Hi")),
        Case("next message", f"{ZONE}{S}{ZONE}", said("", ZONE_CALL, ZONE_CALL)),
    ],
    "text_between": [
        Case("words", f"{THOUGHT} and {S}{HI}", said(" and Hi", reasoning="So."), "harmony#60"),
        Case("blanks", f"{THOUGHT}\n{S}{HI}\n<|end|>\n", said("Hi\n", reasoning="So.")),
        Case("words like an author's", f"{THOUGHT}to <|channel|>final<|message|>Hi", said("to Hi", reasoning="So.")),
    ],
    "no_markup": [
        Case("words", "Hello.\n", said("Hello.\n")),
        Case("JSON", '{"a": 1}', said('{"a": 1}')),
        Case("the author's word", "assistants help", said("assistants help")),
        Case("half of it", "as", said("as")),
    ],
    "several_messages": [
        Case("preamble and answer", f"<|channel|>commentary<|message|>A<|end|>{S}{HI}", said("AHi")),
    ],
    "other_author": [
        Case("user", f"{HI}<|end|><|start|>user<|message|>And?<|end|>{S}{HI}", said("Hi")),
        Case(
            "tool",
            f"{ZONE}<|call|><|start|>functions.get_time_zone to=assistant<|channel|>commentary<|message|>1",
            said("", ZONE_CALL),
        ),
    ],
    "after_return": [Case("more", f"{HI}<|return|>{S}{HI}", said("Hi"), "llama.cpp#15417")],
    "truncated_header": [
        Case("name", "<|channel|>commentary to=functions.get_ti", said(), "vllm#45736 vllm#47062"),
        Case("whole name", "<|channel|>commentary to=functions.get_time <|constrain|>json", said()),
        Case("channel", f"{THOUGHT}{S}<|channel|>fin", said(reasoning="So.")),
        Case("author", f"{THOUGHT}<|start|>assis", said(reasoning="So.")),
        Case("recipient without start", f"{THOUGHT} to=functions.get", said(reasoning="So.")),
    ],
    "truncated_call": [
        Case("in a string", f"{ZONE[:-4]}", said("", ("get_time_zone", '{"city": "Os')), "vllm#37937"),
        Case("dropped", f"{ZONE}<|call|>{S}{ZONE[:-4]}", said("", ZONE_CALL), choices={"truncated_call": "drop"}),
        Case("complete", ZONE, said("", ZONE_CALL), choices={"truncated_call": "drop"}),
    ],
    "truncated_marker": [
        Case("in content", f"{HI}<|en", said("Hi<|en")),
        Case("in a header", "<|channel|>final<|mess", said()),
    ],
    "parted_marker": [Case("dropped", f"{HI}<|en<|message|>d|>", said("Hi<|end|"))],
    "text_after_call": [
        Case("content", f"{ZONE}<|call|>{S}{HI}", said("Hi", ZONE_CALL)),
        Case("dropped", f"{ZONE}<|call|>{S}{HI}", said("", ZONE_CALL), choices={"text_after_call": "drop"}),
    ],
    "blank_content": [
        Case(
            "kept",
            f"<|channel|>commentary<|message|>\n<|end|>{S}{ZONE}",
            said("\n", ZONE_CALL),
            choices={"blank_content": "keep"},
        ),
        Case("before a call", f"<|channel|>commentary<|message|>\n<|end|>{S}{ZONE}", said("", ZONE_CALL)),
        Case("before a thought", f"<|channel|>commentary<|message|>\n<|end|>{S}{THOUGHT}{S}{HI}", SO_HI),
        Case("alone", "<|channel|>final<|message|> \n", said(" \n")),
    ],
}

HARMONY_CASES = Cases(WELL_FORMED, BY_POLICY)
