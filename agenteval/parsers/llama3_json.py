"""Llama 3.1, 3.2 and 3.3: calls as JSON objects without tags around them.

A reply is content, or `{"name": …, "parameters": {…}}`, several of them joined by `;`. The token `<|python_tag|>` may
stand before the first one, also behind content. Nothing closes a call: its object does. These models have no reasoning.

Arguments are JSON text, passed on verbatim while they are written. What ambiguous and malformed text means is told in
`POLICIES`. Not covered: calls in Python's or in a user's own format, and the built-in tools (all of these are text).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from agenteval.errors import UnrenderableError
from agenteval.messages import Message, ToolCall, ToolSpec
from agenteval.parsers import policies
from agenteval.parsers.deltas import ParsedMessage
from agenteval.parsers.family import Family, Parser
from agenteval.parsers.markers import Markers
from agenteval.parsers.object_reader import ObjectReader
from agenteval.parsers.policy import Policy, only
from agenteval.parsers.reader import Shape
from agenteval.parsers.writable import name_of, object_of, whole_characters, words_of

ENDS = (
    *("<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>", "<|eom_id|>"),
    *("<|start_header_id|>", "<|end_header_id|>"),
)
OPENER = "<|python_tag|>"
MARKERS = (*ENDS, OPENER)
SHAPE = Shape(all=Markers(MARKERS), ends=frozenset(ENDS), calls=frozenset({OPENER}), think=("", ""))

POLICIES: tuple[Policy, ...] = (
    *policies.OF_CALLS,
    *(policy for policy in policies.OF_OBJECTS if policy not in (policies.TEXT_BEHIND_JSON, policies.SEVERAL_OBJECTS)),
    policies.BARE_OBJECT,
    only(
        "separators",
        "Objects follow one another without a semicolon, or with more.",
        "call",
        "Blanks, semicolons, commas and closing brackets may stand between calls; behind other text an object is text.",
    ),
    *(policy for policy in policies.OF_WORDS if policy is not policies.STRAY_TAG),
)


def reader(tools: Sequence[ToolSpec], thinking_open: bool, choices: Mapping[str, str]) -> Parser:
    """A fresh parser. These models do not think, so `thinking_open` says nothing."""
    return ObjectReader(SHAPE, tools, False, choices, bare=True)


def render(message: Message, tools: Sequence[ToolSpec], thinking_open: bool) -> str:
    """What the model would have written behind the generation prompt: the parser's inverse.

    Arguments come back as the same text. Raises UnrenderableError where another message would come back.
    """
    content, reasoning = words_of(message, MARKERS)
    if reasoning:
        raise UnrenderableError("the format has no reasoning")
    calls = "; ".join(map(_call, message.tool_calls))
    if content and not calls and LLAMA3_JSON.parse(content, tools, False) != ParsedMessage(content=content):
        raise UnrenderableError("content would be read as a call")
    return whole_characters(f"{content}{OPENER}{calls}" if content and calls else content + calls)


def _call(call: ToolCall) -> str:
    return f'{{"name": {json.dumps(name_of(call), ensure_ascii=False)}, "parameters": {object_of(call)}}}'


LLAMA3_JSON = Family(
    name="llama3_json",
    special=MARKERS,
    markers=MARKERS,
    policies=POLICIES,
    reader=reader,
    render=render,
)
