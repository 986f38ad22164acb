"""MiniMax-M2: calls as elements that carry names in attributes.

All calls stand between `<minimax:tool_call>` and its closer, which are tokens; a call is `<invoke name="NAME">`, for
each argument `<parameter name="KEY">value</parameter>`, and `</invoke>`, each on a line of its own. The prompt opens
reasoning with `<think>` and a newline.

Values are verbatim, and nothing but `</parameter>` ends one; the tool's schema types them. String arguments stream. The
inner tags are plain text, and remain text where they make no call. What ambiguous and malformed text means is told in
`POLICIES`. Not covered: `</parameter>` quoted in a value (`render` refuses it), and the nested elements of M3.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

from agenteval.messages import Message, ToolCall, ToolSpec
from agenteval.parsers import policies
from agenteval.parsers.family import Family
from agenteval.parsers.framing import Framing
from agenteval.parsers.markers import Markers
from agenteval.parsers.policy import Policy
from agenteval.parsers.reader import Shape
from agenteval.parsers.tag_reader import Element, Elements, TagReader
from agenteval.parsers.tag_writer import bare_arguments, key_in
from agenteval.parsers.writable import name_of, whole_characters, words_of

ENDS = ("[e~[", "]~b]", "]~!b[")
SECTION = ("<minimax:tool_call>", "</minimax:tool_call>")
MARKERS = (*ENDS, "<think>", "</think>", *SECTION)
ELEMENTS = Elements(
    openers=frozenset(SECTION[:1]),
    closers=frozenset(SECTION[1:]),
    call=Element('<invoke name="', re.compile(r'(?P<name>[^\s<>"]{1,128})"'), "</invoke>"),
    argument=Element('<parameter name="', re.compile(r'(?P<name>[^<>\n"]{1,256})"'), "</parameter>"),
)
FRAMING = Framing(thought=1, answer=2, call=1, called=1)
OPENER = ELEMENTS.call.opener
SHAPE = Shape(
    all=Markers((*MARKERS, OPENER)),
    ends=frozenset(ENDS),
    calls=frozenset({SECTION[0], OPENER}),
    tags=frozenset({OPENER}),
    framing=FRAMING,
)

POLICIES: tuple[Policy, ...] = (
    *policies.OF_REASONING,
    *policies.OF_CALLS,
    *policies.OF_ELEMENTS,
    *policies.OF_WORDS,
    policies.FRAMING_NEWLINES,
)


def render(message: Message, tools: Sequence[ToolSpec], thinking_open: bool) -> str:
    """What the model would have written behind the generation prompt: the parser's inverse.

    Arguments come back equal as JSON. Raises UnrenderableError where another message would come back.
    """
    content, reasoning = words_of(message, (*MARKERS, *ELEMENTS.tags))
    calls = "".join(_call(call, tools) for call in message.tool_calls)
    section = f"{SECTION[0]}\n{calls}{SECTION[1]}" if calls else ""
    thought = f"{reasoning}\n</think>\n\n"
    if not thinking_open:
        thought = f"<think>\n{thought}" if reasoning else ""
    return whole_characters(thought + (f"{content}\n{section}" if content and section else content + section))


def _call(call: ToolCall, tools: Sequence[ToolSpec]) -> str:
    pairs = bare_arguments(call, tools, ELEMENTS.argument.closer)
    arguments = "".join(f'{ELEMENTS.argument.opener}{key_in(key)}">{value}</parameter>\n' for key, value in pairs)
    return f'{OPENER}{name_of(call)}">\n{arguments}</invoke>\n'


MINIMAX_M2 = Family(
    name="minimax_m2",
    special=MARKERS,
    markers=MARKERS,
    tags=ELEMENTS.tags,
    policies=POLICIES,
    reader=partial(TagReader, SHAPE, ELEMENTS),
    render=render,
    framing=FRAMING,
)
