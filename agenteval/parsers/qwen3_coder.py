"""Qwen3-Coder and Qwen3.5: calls as elements that carry names in their tags.

A call is `<tool_call>`, `<function=NAME>`, for each argument `<parameter=KEY>`, a line break, the value, a line break,
`</parameter>`; then `</function>` and `</tool_call>`, each tag on a line of its own. `<tool_call>` is often left out.
Qwen3.5 thinks as Qwen3 does: the tags are the model's own or, for the opener, the prompt's.

Values are verbatim but for one newline on each side, and nothing but `</parameter>` ends one. The tool's schema types
them; the template writes `True`, `False` and `None`, and so does the model. String arguments stream.

Of the tags, `<tool_call>`, `<think>` and their closers are tokens. The others are plain text, and remain text where
they make no call. What ambiguous and malformed text means is told in `POLICIES`. Not covered: `</parameter>` quoted in
a value (the format has no escape for it, `render` refuses it), and Python's spelling of lists and dictionaries (text).
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

ENDS = ("<|im_start|>", "<|im_end|>", "<|endoftext|>")
MARKERS = (*ENDS, "<think>", "</think>", "<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>")
ELEMENTS = Elements(
    openers=frozenset({"<tool_call>"}),
    closers=frozenset({"</tool_call>"}),
    call=Element("<function=", re.compile(r"(?P<name>[^\s<>]{1,128})"), "</function>"),
    argument=Element("<parameter=", re.compile(r"(?P<name>[^<>\n]{1,256})"), "</parameter>"),
    framed=True,
)
FRAMING = Framing(thought=1, answer=2, call=2, called=1)
OPENER = ELEMENTS.call.opener
SHAPE = Shape(
    all=Markers((*MARKERS, OPENER)),
    ends=frozenset(ENDS),
    calls=frozenset({"<tool_call>", OPENER}),
    tags=frozenset({OPENER}),
    framing=FRAMING,
)

POLICIES: tuple[Policy, ...] = (
    *policies.OF_REASONING,
    *policies.OF_CALLS,
    *policies.OF_ELEMENTS,
    policies.PYTHON_LITERALS,
    *policies.OF_WORDS,
    policies.FRAMING_NEWLINES,
)


def render(message: Message, tools: Sequence[ToolSpec], thinking_open: bool) -> str:
    """What the model would have written behind the generation prompt: the parser's inverse.

    Arguments come back equal as JSON. Raises UnrenderableError where another message would come back.
    """
    content, reasoning = words_of(message, (*MARKERS, *ELEMENTS.tags))
    calls = "\n".join(_call(call, tools) for call in message.tool_calls)
    thought = f"{reasoning}\n</think>\n\n"
    if not thinking_open:
        thought = f"<think>\n{thought}" if reasoning else ""
    return whole_characters(thought + (f"{content}\n\n{calls}" if content and calls else content + calls))


def _call(call: ToolCall, tools: Sequence[ToolSpec]) -> str:
    pairs = bare_arguments(call, tools, ELEMENTS.argument.closer, python=True)
    arguments = "".join(f"<parameter={key_in(key)}>\n{value}\n</parameter>\n" for key, value in pairs)
    return f"<tool_call>\n<function={name_of(call)}>\n{arguments}</function>\n</tool_call>"


QWEN3_CODER = Family(
    name="qwen3_coder",
    special=MARKERS,
    markers=MARKERS,
    tags=ELEMENTS.tags,
    policies=POLICIES,
    reader=partial(TagReader, SHAPE, ELEMENTS),
    render=render,
    framing=FRAMING,
)
