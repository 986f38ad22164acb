"""Mistral: calls as a name and JSON between tokens, and the older list of objects.

A call is `[TOOL_CALLS]NAME[ARGS]{…}`, with `[CALL_ID]` and an id before `[ARGS]` in some versions; older models write
`[TOOL_CALLS][{"name": …, "arguments": {…}, "id": …}, …]`. Nothing closes a call: its JSON does. Reasoning models write
`[THINK]`, reasoning, `[/THINK]` before their content.

Both forms are read; `render` writes the newer one. Arguments are JSON text, passed on verbatim while they are written.
What ambiguous and malformed text means is told in `POLICIES`. Not covered: the ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from agenteval.messages import Message, ToolSpec
from agenteval.parsers import policies
from agenteval.parsers.family import Family
from agenteval.parsers.markers import Markers
from agenteval.parsers.mistral_reader import ARGUMENTS, CALL_ID, MistralReader
from agenteval.parsers.policy import Policy, only
from agenteval.parsers.reader import Shape
from agenteval.parsers.writable import name_of, object_of, whole_characters, words_of

ENDS = ("<s>", "</s>", "[INST]", "[/INST]", "[AVAILABLE_TOOLS]", "[TOOL_RESULTS]")
OPENER = "[TOOL_CALLS]"
MARKERS = (*ENDS, "[/TOOL_RESULTS]", "[THINK]", "[/THINK]", OPENER, CALL_ID, ARGUMENTS)
SHAPE = Shape(all=Markers(MARKERS), ends=frozenset(ENDS), calls=frozenset({OPENER}), think=("[THINK]", "[/THINK]"))

POLICIES: tuple[Policy, ...] = (
    *policies.OF_REASONING,
    *policies.OF_CALLS,
    *(policy for policy in policies.OF_OBJECTS if policy not in (policies.TEXT_BEHIND_JSON, policies.SEVERAL_OBJECTS)),
    policies.BAD_HEAD,
    policies.MISSING_SEPARATOR,
    only("older_form", "Calls are a list of objects, or objects without a list.", "calls", "Each is a call."),
    only("call_id", "An id stands between name and arguments, or in an object.", "ignored", "It is not reported."),
    *policies.OF_WORDS,
)


def render(message: Message, tools: Sequence[ToolSpec], thinking_open: bool) -> str:
    """What the model would have written behind the generation prompt: the parser's inverse.

    Arguments come back as the same text. Raises UnrenderableError where another message would come back.
    """
    content, reasoning = words_of(message, MARKERS)
    calls = "".join(f"{OPENER}{name_of(call)}{ARGUMENTS}{object_of(call)}" for call in message.tool_calls)
    thought = f"{'' if thinking_open else '[THINK]'}{reasoning}[/THINK]" if reasoning or thinking_open else ""
    return whole_characters(thought + content + calls)


MISTRAL = Family(
    name="mistral",
    special=MARKERS,
    markers=MARKERS,
    policies=POLICIES,
    reader=partial(MistralReader, SHAPE),
    render=render,
)
