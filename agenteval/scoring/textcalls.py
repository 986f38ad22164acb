"""Calls that stand as text where they do not belong, and special tokens that leaked.

A call as text is the family's markup, a JSON object with a tool's name, or a tool's name with an opening bracket. Only
names of tools that were offered count. Not covered: prose that describes a call without spelling it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

import regex

CALL_OPENERS: tuple[str, ...] = (
    "<tool_call>",
    "<function=",
    "<invoke name=",
    "[TOOL_CALLS]",
    "<|tool_calls_section_begin|>",
    "<|channel|>commentary to=",
    "<|tool_call>",
    "<minimax:tool_call>",
)
"""What a native call begins with, in the formats of the families in use."""

SPECIAL_MARKUP: tuple[str, ...] = (
    *CALL_OPENERS,
    "</tool_call>",
    "<arg_key>",
    "</arg_key>",
    "<arg_value>",
    "</arg_value>",
    "<think>",
    "</think>",
    "<tool_response>",
    "<|observation|>",
    "<|assistant|>",
    "<|user|>",
    "<|system|>",
    "<|endoftext|>",
    "<|start|>",
    "<|channel|>",
    "<|message|>",
    "<|constrain|>",
    "<|call|>",
    "<|return|>",
    "<|im_start|>",
    "<|im_end|>",
    "[gMASK]",
)
"""Markup that a parser must have consumed (GLM, harmony, ChatML and relatives)."""

MAX_TEXT = 200_000


def spells_a_call(text: str | None, tool_names: Iterable[str]) -> str | None:
    """The beginning of a call that stands in a text, None if there is none."""
    if not text:
        return None
    text = text[:MAX_TEXT]
    for opener in CALL_OPENERS:
        if (at := text.find(opener)) >= 0:
            return text[at : at + 60]
    for name in tool_names:
        quoted = regex.escape(name)
        found = regex.search(
            rf'"(?:name|tool|function)"\s*:\s*{regex.escape(json.dumps(name))}|\b{quoted}\s*\((?=\s*(?:["\'{{)]|\w+\s*[=:]))',
            text,
        )
        if found:
            return text[found.start() : found.start() + 60]
    return None


def leaked(text: str | None, told: Callable[[], str]) -> str | None:
    """The first piece of markup in a text that nobody has told the model; None if there is none."""
    found = [mark for mark in SPECIAL_MARKUP if mark in text] if text else []
    if not text or not found:
        return None
    said = told()
    return min((mark for mark in found if mark not in said), key=text.index, default=None)
