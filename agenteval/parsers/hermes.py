"""Hermes, Qwen2.5 and Qwen3: calls as JSON objects between `<tool_call>` and `</tool_call>`.

A reply is `<think>`, reasoning, `</think>`, content, and any number of `<tool_call>{"name": …, "arguments": {…}}
</tool_call>`, each tag on a line of its own. Hybrid Qwen3 models open their reasoning themselves; for those that always
think the prompt does it, with `<think>` and a newline. Qwen2.5 has no reasoning.

Arguments are JSON text, passed on verbatim while they are written. Any tag may be quoted in their strings: only outside
strings does one count. The keys come in any order; arguments that come before the name wait for it.

What ambiguous and malformed text means is told in `POLICIES`. Not covered: objects that name the tool elsewhere than
under `name`, and single-quoted Python dictionaries (both are text).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial

from agenteval.messages import Message, ToolCall, ToolSpec
from agenteval.parsers import policies
from agenteval.parsers.family import Family
from agenteval.parsers.framing import Framing
from agenteval.parsers.markers import Markers
from agenteval.parsers.object_reader import ObjectReader
from agenteval.parsers.policy import Policy, only
from agenteval.parsers.reader import Shape
from agenteval.parsers.writable import name_of, object_of, whole_characters, words_of

ENDS = ("<|im_start|>", "<|im_end|>", "<|endoftext|>")
MARKERS = (*ENDS, "<think>", "</think>", "<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>")
FRAMING = Framing(thought=1, answer=2, call=1)
SHAPE = Shape(
    all=Markers(MARKERS),
    ends=frozenset(ENDS),
    calls=frozenset({"<tool_call>"}),
    closers=frozenset({"</tool_call>"}),
    framing=FRAMING,
)

POLICIES: tuple[Policy, ...] = (
    *policies.OF_REASONING,
    *policies.OF_CALLS,
    *policies.OF_OBJECTS,
    only("json_without_tags", "An object stands outside tags.", "content", "It is content."),
    *policies.OF_WORDS,
    policies.FRAMING_NEWLINES,
)


def render(message: Message, tools: Sequence[ToolSpec], thinking_open: bool) -> str:
    """What the model would have written behind the generation prompt: the parser's inverse.

    Arguments come back as the same text. Raises UnrenderableError where another message would come back.
    """
    content, reasoning = words_of(message, MARKERS)
    calls = [_call(call) for call in message.tool_calls]
    thought = f"{reasoning}\n</think>\n\n"
    if not thinking_open:
        thought = f"<think>\n{thought}" if reasoning else ""
    return whole_characters(thought + "\n".join([content, *calls] if content else calls))


def _call(call: ToolCall) -> str:
    name = json.dumps(name_of(call), ensure_ascii=False)
    return f'<tool_call>\n{{"name": {name}, "arguments": {object_of(call)}}}\n</tool_call>'


HERMES = Family(
    name="hermes",
    special=MARKERS,
    markers=MARKERS,
    policies=POLICIES,
    reader=partial(ObjectReader, SHAPE),
    render=render,
    framing=FRAMING,
)
