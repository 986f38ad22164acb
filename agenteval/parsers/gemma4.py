"""Gemma 4: calls in a notation of their own, between tokens.

A call is `<|tool_call>call:NAME{key:<|"|>text<|"|>,n:42,list:[…],object:{…}}<tool_call|>`: keys stand bare, strings
between quote tokens, numbers and literals as in JSON. Reasoning is `<|channel>thought`, a newline, the thought, a
newline, `<channel|>`; with thinking off the prompt holds an empty one. Behind its calls the model stops, or writes
`<|tool_response>`, where the results would follow.

Arguments come out as JSON; strings are verbatim, and stream while they are written, everything else comes when it is
complete. What ambiguous and malformed text means is told in `POLICIES`. Not covered: the quote token itself in a string
or a key (the format has no escape for it, `render` refuses it), strings between single quotes, and arguments in
parentheses (both are text).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from agenteval.messages import Message, ToolCall, ToolSpec
from agenteval.parsers import policies
from agenteval.parsers.family import Family
from agenteval.parsers.framing import Framing
from agenteval.parsers.gemma4_reader import CHANNEL, CLOSER, OPENER, reader_of
from agenteval.parsers.markers import Markers
from agenteval.parsers.notation import QUOTE
from agenteval.parsers.policy import Policy, only
from agenteval.parsers.reader import Shape
from agenteval.parsers.writable import name_of, object_of, whole_characters, without_markers, words_of

ENDS = ("<bos>", "<eos>", "<|turn>", "<turn|>", "<|tool_response>")
THINK = ("<|channel>", "<channel|>")
MARKERS = (*ENDS, "<tool_response|>", "<|tool>", "<tool|>", "<|think|>", *THINK, OPENER, CLOSER, QUOTE)
FRAMING = Framing(thought=1)
SHAPE = Shape(
    all=Markers(MARKERS),
    ends=frozenset(ENDS),
    calls=frozenset({OPENER}),
    closers=frozenset({CLOSER}),
    think=THINK,
    framing=FRAMING,
)

POLICIES: tuple[Policy, ...] = (
    *policies.OF_REASONING,
    only(
        "channel_name",
        "A channel is not called `thought`, or its name is missing.",
        "reasoning",
        "It is reasoning all the same, and another name belongs to its text.",
        vllm="the same",
    ),
    *policies.OF_CALLS,
    policies.BAD_HEAD,
    only(
        "no_braces",
        "A call's name is followed by its closer, or by what is no brace; or `call:` is missing before it.",
        "call",
        "It is a call, in the first two cases without arguments; what stands in their place is dropped.",
        vllm="no call",
    ),
    policies.DUPLICATE_KEY,
    policies.DOUBLE_ENCODED,
    Policy(
        "bare_words",
        "A value without quotes is no JSON.",
        {
            "literal": "`None`, `True` and `False` are null, true and false; any other word is a string.",
            "text": "It is a string.",
        },
        "literal",
        {"vllm": "null, none and nil, in any case, are null; other words are strings", "template": "writes null so"},
    ),
    Policy(
        "plain_quotes",
        "A key or a value begins with a plain double quote.",
        {
            "json": "It is a JSON string, as it is written up to its closing quote.",
            "text": "The quotes belong to a bare word.",
        },
        "json",
        {"vllm": "text (vllm#51284)"},
    ),
    only(
        "missing_quote",
        "A string lacks its first quote token, or its last.",
        "string",
        "A last one makes a string of what stands before it. Without it everything that follows is the string's text.",
    ),
    only(
        "missing_bracket",
        "Brackets are missing at the call's closer, or of the wrong kind.",
        "closed",
        "A closing bracket closes the innermost one, the call's closer all of them.",
    ),
    only(
        "missing_separator",
        "A colon or a comma is missing, or stands twice.",
        "skip",
        "A bracket or a quote token begins the key's value, and what follows a bracket or a string the next member. "
        "Further colons belong to the value; commas and brackets before a key mean nothing.",
        yzma="the same for a comma (yzma#243)",
    ),
    only(
        "key_without_value",
        "A key has no value.",
        "drop",
        "The key is dropped.",
        vllm="an empty string at the end of the arguments",
    ),
    only(
        "marker_in_string",
        "A marker stands inside a string.",
        "text",
        "It is the string's text. Between strings, any but the closer breaks the arguments off: they are never closed.",
    ),
    policies.TEXT_BEHIND_JSON,
    *policies.OF_WORDS,
    policies.FRAMING_NEWLINES,
)

_BARE_KEY = re.compile(r"""[^\s:,{}\[\]<"](?:[^:,{}\[\]<"]*[^\s:,{}\[\]<"])?""")


def render(message: Message, tools: Sequence[ToolSpec], thinking_open: bool) -> str:
    """What the model would have written behind the generation prompt: the parser's inverse.

    Arguments come back equal as JSON. Raises UnrenderableError where another message would come back.
    """
    content, reasoning = words_of(message, MARKERS)
    thought = f"{reasoning}\n{THINK[1]}"
    if not thinking_open:
        thought = f"{THINK[0]}{CHANNEL}\n{thought}" if reasoning else ""
    return whole_characters(thought + content + "".join(map(_call, message.tool_calls)))


def _call(call: ToolCall) -> str:
    return f"{OPENER}call:{name_of(call)}{noted(object_of(call))}{CLOSER}"


def noted(json_text: str) -> str:
    """Valid JSON in the notation, with its order, repeated keys and numbers as they are written.

    Raises UnrenderableError if the quote token stands in a string.
    """
    return _noted(
        json.loads(json_text, object_pairs_hook=_Members, parse_int=_Bare, parse_float=_Bare),
    )


class _Members(list[tuple[str, Any]]):
    """An object's."""


class _Bare(str):
    """A number as it is written."""

    __slots__ = ()


def _noted(value: Any) -> str:
    if isinstance(value, _Members):
        return "{" + ",".join(f"{_key(key)}:{_noted(item)}" for key, item in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_noted, value)) + "]"
    if isinstance(value, str) and not isinstance(value, _Bare):
        return QUOTE + without_markers(value, [QUOTE], "a string") + QUOTE
    return str(value) if isinstance(value, str) else json.dumps(value)


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else QUOTE + without_markers(key, [QUOTE], "a key") + QUOTE


GEMMA4 = Family(
    name="gemma4",
    special=MARKERS,
    markers=MARKERS,
    policies=POLICIES,
    reader=reader_of(SHAPE),
    render=render,
    framing=FRAMING,
)
