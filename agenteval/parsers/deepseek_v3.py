"""DeepSeek-V3 and R1: calls between tokens, with a type, a name and fenced JSON.

A call is `<｜tool▁call▁begin｜>function<｜tool▁sep｜>NAME`, a line break, a fence marked `json` around the arguments,
and `<｜tool▁call▁end｜>`; the next one stands on a new line. Tokens and sections are those of `deepseek_v31`. R1 thinks
between `<think>` and `</think>`, on lines of their own; the prompt opens it.

Arguments are JSON text, passed on verbatim while they are written; in their strings neither a marker nor a fence
counts. What ambiguous and malformed text means is told in `POLICIES`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from agenteval.messages import Message, ToolCall, ToolSpec
from agenteval.parsers import policies
from agenteval.parsers.deepseek_v31 import CLOSER, MARKERS, OPENER, SECTION, SECTION_POLICY, SEPARATOR
from agenteval.parsers.deepseek_v31 import SHAPE as SHAPE_OF_V31
from agenteval.parsers.family import Family
from agenteval.parsers.framing import Framing
from agenteval.parsers.marked_reader import MarkedReader, Marks
from agenteval.parsers.names import BLANK, NAME_PATTERN
from agenteval.parsers.policy import Policy, only
from agenteval.parsers.writable import name_of, object_of, whole_characters, words_of

FRAMING = Framing(thought=1, answer=2, called=1)
SHAPE = replace(SHAPE_OF_V31, framing=FRAMING)
MARKS = Marks(
    SEPARATOR,
    re.compile(rf"\s*(?P<name>{NAME_PATTERN})\s*(?:```(?:json)?\s*)?(?:null\s*)?(?:```\s*)?"),
    re.compile(rf"{BLANK}(?:{NAME_PATTERN}{BLANK}(?:`{{0,3}}[a-z]{{0,4}}{BLANK}[a-z]{{0,4}}{BLANK}`{{0,3}}{BLANK})?)?"),
    typed=True,
)

POLICIES: tuple[Policy, ...] = (
    *policies.OF_REASONING,
    *policies.OF_CALLS,
    *(policy for policy in policies.OF_JSON if policy is not policies.EMPTY_ARGUMENTS),
    only("empty_arguments", "A complete call has no arguments, blank ones, or null.", "object", "They become {}."),
    policies.BAD_HEAD,
    only("missing_fence", "The arguments stand without a fence.", "call", "They are read all the same."),
    only("type_word", "Another word than `function` stands before the name, or none.", "ignored", "It means nothing."),
    SECTION_POLICY,
    *policies.OF_WORDS,
    policies.FRAMING_NEWLINES,
)


def render(message: Message, tools: Sequence[ToolSpec], thinking_open: bool) -> str:
    """What the model would have written behind the generation prompt: the parser's inverse.

    Arguments come back as the same text. Raises UnrenderableError where another message would come back.
    """
    content, reasoning = words_of(message, MARKERS)
    calls = "\n".join(map(_call, message.tool_calls))
    thought = f"{reasoning}\n</think>\n\n"
    if not thinking_open:
        thought = f"<think>\n{thought}" if reasoning else ""
    return whole_characters(thought + content + (f"{SECTION[0]}{calls}{SECTION[1]}" if calls else ""))


def _call(call: ToolCall) -> str:
    return f"{OPENER}function{SEPARATOR}{name_of(call)}\n```json\n{object_of(call)}\n```{CLOSER}"


DEEPSEEK_V3 = Family(
    name="deepseek_v3",
    special=MARKERS,
    markers=MARKERS,
    policies=POLICIES,
    reader=partial(MarkedReader, SHAPE, MARKS),
    render=render,
    framing=FRAMING,
)
