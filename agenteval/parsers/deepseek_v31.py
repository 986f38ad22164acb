"""DeepSeek-V3.1: calls between tokens, a name and JSON.

A call is `<｜tool▁call▁begin｜>NAME<｜tool▁sep｜>{…}<｜tool▁call▁end｜>`; all calls stand between
`<｜tool▁calls▁begin｜>` and its closer, which mean nothing more here: a call counts without them. With thinking on the
prompt ends with `<think>`, else with `</think>`.

Arguments are JSON text, passed on verbatim while they are written; in their strings no marker counts. What ambiguous
and malformed text means is told in `POLICIES`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

from agenteval.messages import Message, ToolSpec
from agenteval.parsers import policies
from agenteval.parsers.family import Family
from agenteval.parsers.marked_reader import MarkedReader, Marks
from agenteval.parsers.markers import Markers
from agenteval.parsers.names import BLANK, NAME_PATTERN
from agenteval.parsers.policy import Policy, only
from agenteval.parsers.reader import Shape
from agenteval.parsers.writable import name_of, object_of, whole_characters, words_of

ENDS = (
    *("<｜end▁of▁sentence｜>", "<｜begin▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>"),
    *("<｜tool▁outputs▁begin｜>", "<｜tool▁output▁begin｜>"),
)
OPENER, SEPARATOR, CLOSER = "<｜tool▁call▁begin｜>", "<｜tool▁sep｜>", "<｜tool▁call▁end｜>"
SECTION = ("<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>")
OUTPUTS = ("<｜tool▁output▁end｜>", "<｜tool▁outputs▁end｜>")
MARKERS = (*ENDS, "<think>", "</think>", *SECTION, OPENER, SEPARATOR, CLOSER, *OUTPUTS)
SHAPE = Shape(
    all=Markers(MARKERS),
    ends=frozenset(ENDS),
    calls=frozenset({OPENER}),
    closers=frozenset({CLOSER, SECTION[1]}),
)
MARKS = Marks(
    SEPARATOR,
    head=re.compile(rf"\s*(?P<name>{NAME_PATTERN})\s*"),
    begun=re.compile(rf"{BLANK}(?:{NAME_PATTERN}{BLANK})?"),
)

SECTION_POLICY = only(
    "section",
    "The tokens around all calls are missing or repeated.",
    "ignored",
    "They mean nothing: each call has its own.",
)
POLICIES: tuple[Policy, ...] = (
    *policies.OF_REASONING,
    *policies.OF_CALLS,
    *policies.OF_MARKED_JSON,
    SECTION_POLICY,
    *policies.OF_WORDS,
)


def render(message: Message, tools: Sequence[ToolSpec], thinking_open: bool) -> str:
    """What the model would have written behind the generation prompt: the parser's inverse.

    Arguments come back as the same text. Raises UnrenderableError where another message would come back.
    """
    content, reasoning = words_of(message, MARKERS)
    calls = [f"{OPENER}{name_of(call)}{SEPARATOR}{object_of(call)}{CLOSER}" for call in message.tool_calls]
    thought = f"{'' if thinking_open else '<think>'}{reasoning}</think>" if reasoning or thinking_open else ""
    return whole_characters(thought + content + ("".join([SECTION[0], *calls, SECTION[1]]) if calls else ""))


DEEPSEEK_V31 = Family(
    name="deepseek_v31",
    special=MARKERS,
    markers=MARKERS,
    policies=POLICIES,
    reader=partial(MarkedReader, SHAPE, MARKS),
    render=render,
)
