"""GLM-4.5 and GLM-4.6: the tags of GLM-4.7, each on a line of its own.

The model opens its reasoning itself: a reply begins with a newline and `<think>`, or, with thinking off, with a newline
and content (the prompt then holds an empty `<think></think>`). One newline stands behind `</think>`, before each call
and behind each of its tags but the last; no value has any of them. All else is as in `glm47`, with the same reader: so
either generation's framing is read from the other.

Not covered: `</arg_value>` quoted in a value, as in `glm47`.
"""

from __future__ import annotations

from collections.abc import Sequence

from agenteval.messages import Message, ToolSpec
from agenteval.parsers import policies
from agenteval.parsers.family import Family
from agenteval.parsers.framing import Framing
from agenteval.parsers.glm47 import POLICIES, SPECIAL, written
from agenteval.parsers.glm_reader import MARKERS, reader_of

FRAMING = Framing(start=1, answer=1, call=1)


def render(message: Message, tools: Sequence[ToolSpec], thinking_open: bool) -> str:
    """What the model would have written behind the generation prompt: the parser's inverse.

    Arguments come back as with GLM-4.7. Raises UnrenderableError where another message would come back.
    """
    return written(message, tools, thinking_open, line="\n")


GLM45 = Family(
    name="glm45",
    special=SPECIAL,
    markers=MARKERS,
    policies=(*POLICIES, policies.FRAMING_NEWLINES),
    reader=reader_of(FRAMING),
    render=render,
    framing=FRAMING,
)
