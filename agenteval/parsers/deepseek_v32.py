"""DeepSeek-V3.2 and V4: calls as elements whose tags say which arguments are text.

All calls stand between `<｜DSML｜function_calls>` (V4: `tool_calls`) and its closer. A call is
`<｜DSML｜invoke name="NAME">`, arguments, `</｜DSML｜invoke>`; an argument is
`<｜DSML｜parameter name="KEY" string="true">value</｜DSML｜parameter>`; all of them stand on lines of their own.
`string="false"` says that the value is JSON; without the attribute the tool's schema decides. With thinking on the
prompt ends with `<think>`, else with `</think>`.

Values are verbatim, and nothing but their closer ends one; those said to be text stream. What ambiguous and malformed
text means is told in `POLICIES`. Not covered: a closer quoted in a value (the format has no escape for it, `render`
refuses it), and a JSON object in place of the parameters.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

from agenteval.messages import Message, ToolCall, ToolSpec
from agenteval.parsers import policies
from agenteval.parsers.arguments import members
from agenteval.parsers.family import Family
from agenteval.parsers.framing import Framing
from agenteval.parsers.markers import Markers
from agenteval.parsers.policy import Policy, only
from agenteval.parsers.reader import Shape
from agenteval.parsers.tag_reader import Element, Elements, TagReader
from agenteval.parsers.tag_writer import key_in
from agenteval.parsers.writable import name_of, object_of, whole_characters, without_markers, words_of

ENDS = ("<｜end▁of▁sentence｜>", "<｜begin▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>")
SECTION = ("<｜DSML｜function_calls>", "</｜DSML｜function_calls>")
SECTION_V4 = ("<｜DSML｜tool_calls>", "</｜DSML｜tool_calls>")
ELEMENTS = Elements(
    openers=frozenset({SECTION[0], SECTION_V4[0]}),
    closers=frozenset({SECTION[1], SECTION_V4[1]}),
    call=Element('<｜DSML｜invoke name="', re.compile(r'(?P<name>[^\s<>"]{1,128})"'), "</｜DSML｜invoke>"),
    argument=Element(
        '<｜DSML｜parameter name="',
        re.compile(r'(?P<name>[^<>\n"]{1,256})"(?:\s{1,8}string="(?P<string>true|false)")?'),
        "</｜DSML｜parameter>",
    ),
)
MARKERS = (*ENDS, "<think>", "</think>", *SECTION, *SECTION_V4)
FRAMING = Framing(call=2, called=1)
OPENER = ELEMENTS.call.opener
SHAPE = Shape(
    all=Markers((*MARKERS, OPENER)),
    ends=frozenset(ENDS),
    calls=ELEMENTS.openers | {OPENER},
    tags=frozenset({OPENER}),
    framing=FRAMING,
)

POLICIES: tuple[Policy, ...] = (
    *policies.OF_REASONING,
    *policies.OF_CALLS,
    *policies.OF_ELEMENTS,
    only(
        "said_type",
        "The tag says otherwise than the schema, or what it calls JSON is none.",
        "tag",
        "The tag counts; what is no JSON becomes a string.",
    ),
    *policies.OF_WORDS,
    policies.FRAMING_NEWLINES,
)


def render(message: Message, tools: Sequence[ToolSpec], thinking_open: bool) -> str:
    """What the model would have written behind the generation prompt: the parser's inverse.

    Arguments come back equal as JSON. Raises UnrenderableError where another message would come back.
    """
    content, reasoning = words_of(message, (*MARKERS, *ELEMENTS.tags))
    calls = "".join(map(_call, message.tool_calls))
    thought = f"{'' if thinking_open else '<think>'}{reasoning}</think>" if reasoning or thinking_open else ""
    return whole_characters(thought + content + (f"\n\n{SECTION[0]}\n{calls}{SECTION[1]}" if calls else ""))


def _call(call: ToolCall) -> str:
    arguments = "".join(_argument(*member) for member in members(object_of(call)))
    return f'{OPENER}{name_of(call)}">\n{arguments}{ELEMENTS.call.closer}\n'


def _argument(key: str, value: object, written: str) -> str:
    bare, string = (value, "true") if isinstance(value, str) else (written, "false")
    element = ELEMENTS.argument
    without_markers(bare, [element.closer], f"the value of {key}")
    return f'{element.opener}{key_in(key)}" string="{string}">{bare}{element.closer}\n'


DEEPSEEK_V32 = Family(
    name="deepseek_v32",
    special=MARKERS,
    markers=MARKERS,
    tags=ELEMENTS.tags,
    policies=POLICIES,
    reader=partial(TagReader, SHAPE, ELEMENTS),
    render=render,
    framing=FRAMING,
)
