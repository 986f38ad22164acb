"""Kimi-K2 and K2-Thinking: calls between tokens, with an id in the text.

A call is `<|tool_call_begin|>functions.NAME:3<|tool_call_argument_begin|>{…}<|tool_call_end|>`; all calls stand between
`<|tool_calls_section_begin|>` and its closer, which mean nothing more here: a call counts without them. The number
counts the calls of the whole conversation; prefix or number may be missing. K2-Thinking writes `<think>`, reasoning,
`</think>` before its content.

Arguments are JSON text, passed on verbatim while they are written; in their strings no marker counts. What ambiguous
and malformed text means is told in `POLICIES`. Not covered: the ids themselves (`render` counts from 0 in each reply).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

from agenteval.messages import Message, ToolCall, ToolSpec
from agenteval.parsers import policies
from agenteval.parsers.family import Family
from agenteval.parsers.marked_reader import MarkedReader, Marks
from agenteval.parsers.markers import Markers
from agenteval.parsers.names import BLANK, LETTER, NAME_PATTERN
from agenteval.parsers.policy import Policy, only
from agenteval.parsers.reader import Shape
from agenteval.parsers.writable import name_of, object_of, whole_characters, words_of

ENDS = ("<|im_end|>", "<|im_user|>", "<|im_assistant|>", "<|im_system|>", "[EOS]")
OPENER, SEPARATOR, CLOSER = "<|tool_call_begin|>", "<|tool_call_argument_begin|>", "<|tool_call_end|>"
SECTION = ("<|tool_calls_section_begin|>", "<|tool_calls_section_end|>")
SINGULAR = ("<|tool_call_section_begin|>", "<|tool_call_section_end|>")
MARKERS = (*ENDS, "<|im_middle|>", "<think>", "</think>", *SECTION, *SINGULAR, OPENER, SEPARATOR, CLOSER)
SHAPE = Shape(
    all=Markers(MARKERS),
    ends=frozenset(ENDS),
    calls=frozenset({OPENER}),
    closers=frozenset({CLOSER, SECTION[1], SINGULAR[1]}),
)
MARKS = Marks(
    SEPARATOR,
    head=re.compile(rf"\s*(?:functions\.)?(?P<name>{NAME_PATTERN}?)(?::\d{{1,9}})?\s*"),
    begun=re.compile(rf"{BLANK}(?:{LETTER}{{1,148}}{BLANK})?"),
)

POLICIES: tuple[Policy, ...] = (
    *policies.OF_REASONING,
    *policies.OF_CALLS,
    *policies.OF_MARKED_JSON,
    only(
        "call_id",
        "An id lacks `functions.`, or its number.",
        "ignored",
        "The name is what stands between them. Ids are not reported.",
        vllm="the id becomes a random one (vllm#29596)",
    ),
    only(
        "section",
        "The tokens around all calls are missing, repeated, or spelled `tool_call_section`.",
        "ignored",
        "They mean nothing: each call has its own.",
    ),
    *policies.OF_WORDS,
)


def render(message: Message, tools: Sequence[ToolSpec], thinking_open: bool) -> str:
    """What the model would have written behind the generation prompt: the parser's inverse.

    Arguments come back as the same text. Raises UnrenderableError where another message would come back.
    """
    content, reasoning = words_of(message, MARKERS)
    calls = [_call(number, call) for number, call in enumerate(message.tool_calls)]
    thought = f"{'' if thinking_open else '<think>'}{reasoning}</think>" if reasoning or thinking_open else ""
    return whole_characters(thought + content + ("".join([SECTION[0], *calls, SECTION[1]]) if calls else ""))


def _call(number: int, call: ToolCall) -> str:
    return f"{OPENER}functions.{name_of(call)}:{number}{SEPARATOR}{object_of(call)}{CLOSER}"


KIMI_K2 = Family(
    name="kimi_k2",
    special=MARKERS,
    markers=MARKERS,
    policies=POLICIES,
    reader=partial(MarkedReader, SHAPE, MARKS),
    render=render,
)
