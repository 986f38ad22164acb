"""Replies of GLM-4.5 and 4.6 and what they mean. What they share with GLM-4.7's is taken from there."""

from __future__ import annotations

from tests.parsers.cases import Case, Cases, said
from tests.parsers.glm47_cases import BY_POLICY as OF_GLM47
from tests.parsers.glm47_cases import ZONE_CALL


def arg(key: str, value: str) -> str:
    return f"<arg_key>{key}</arg_key>\n<arg_value>{value}</arg_value>\n"


def call(name: str, *arguments: str) -> str:
    return f"\n<tool_call>{name}\n{''.join(arguments)}</tool_call>"


ZONE = call("get_time_zone", arg("city", "Oslo"))
THOUGHT = "\n<think>So.</think>"
KEEP = {"framing_newlines": "keep"}

WELL_FORMED = [
    Case("thinking off", "\nHello.", said("Hello.")),
    Case("a thought, an answer", f"{THOUGHT}\nHi", said("Hi", reasoning="So.")),
    Case("an empty thought", "\n<think></think>\nHi", said("Hi")),
    Case("a thought of lines", "\n<think>\na\n\n</think>\nHi", said("Hi", reasoning="\na\n\n")),
    Case("a thought, words, a call", f"{THOUGHT}\nLet me see.{ZONE}", said("Let me see.", ZONE_CALL, reasoning="So.")),
    Case("a thought, a call", f"{THOUGHT}{ZONE}", said("", ZONE_CALL, reasoning="So."), "sglang#11888"),
    Case("two calls", f"\n{ZONE}{ZONE}", said("", ZONE_CALL, ZONE_CALL), "sglang#37634"),
    Case("zero arguments", call("get_time"), said("", ("get_time", "{}")), "vllm#44326 vllm#44327"),
    Case(
        "a value keeps its newlines",
        call("save", arg("text", "\ndef f():\n    pass\n"), arg("path", "")),
        said("", ("save", '{"text": "\\ndef f():\\n    pass\\n", "path": ""}')),
        "vllm#33218",
    ),
    Case("a value alone in its line", call("calc", arg("n", "\n7\n")), said("", ("calc", '{"n": 7}'))),
    Case(
        "strings, numbers, objects",
        call("save", arg("path", "00417"), arg("meta", '{"a": {"b": "</tool_call>"}}')),
        said("", ("save", '{"path": "00417", "meta": {"a": {"b": "</tool_call>"}}}')),
        "sglang#36688 vllm#36410",
    ),
    Case("stop token", f"{ZONE}\n<|observation|>", said("", ZONE_CALL)),
]

BY_POLICY = {
    **OF_GLM47,
    "unclosed_thinking": [
        *OF_GLM47["unclosed_thinking"],
        Case("its own opener", "\n<think>Hi\n", said(reasoning="Hi\n"), "sglang#37645"),
        Case("as content", "\n<think>Hi\n", said("Hi\n"), "sglang#37645", False, {"unclosed_thinking": "content"}),
    ],
    "opener_mentioned": [
        *OF_GLM47["opener_mentioned"],
        Case("JSON of a drifted model", 'Hi\n<tool_call>{"name": "get"}</tool_call>', said('Hi\n{"name": "get"}')),
    ],
    "call_in_thinking": [
        *OF_GLM47["call_in_thinking"],
        Case("its own opener", f"\n<think>So.\n{ZONE}", said("", ZONE_CALL, reasoning="So.\n"), "vllm#42400"),
    ],
    "blank_content": [
        Case("around calls", f"\n\n\n{ZONE}\n\n{ZONE}\n", said("", ZONE_CALL, ZONE_CALL)),
        Case("kept", f"\n\n\n{ZONE}\n\n", said("\n\n\n\n", ZONE_CALL), "", False, {"blank_content": "keep"}),
        Case("behind text", f"Hi \n\n{ZONE}", said("Hi \n\n", ZONE_CALL)),
        Case("alone", "\n\n \n", said("\n \n")),
    ],
    "framing_newlines": [
        Case("dropped", f"{THOUGHT}\n\nHi{ZONE}", said("\nHi", ZONE_CALL, reasoning="So.")),
        Case(
            "none there", "<think>So.</think>Hi<tool_call>get</tool_call>", said("Hi", ("get", "{}"), reasoning="So.")
        ),
        Case("at the end they are text", f"{THOUGHT}\nHi\n", said("Hi\n", reasoning="So.")),
        Case("before text they are, too", "\nHi\n</arg_key>\nyou", said("Hi\n\nyou")),
        Case("kept", f"{THOUGHT}\nHi{ZONE}", said("\nHi\n", ZONE_CALL, reasoning="So."), "", False, KEEP),
    ],
}
GLM45_CASES = Cases(WELL_FORMED, BY_POLICY)
