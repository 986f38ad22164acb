"""Planted causes of failure. An ailment looks at the received request and at nothing else: no clock, no chance, no
memory of earlier requests; so the same view fails every time, on every run, under every seed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from agenteval.messages import Transcript, last_user_index

Effect = Literal["prose", "call_as_text", "stale"]
"""What becomes of a call: `prose` speaks of it and makes none, `call_as_text` writes it into the content as JSON,
`stale` makes it with what was right before."""

FAILED = "Error"
"""How the result of a failed call begins, as this model reads it."""


@dataclass(frozen=True, slots=True)
class Symptoms:
    """What of a request an ailment can react to. `prompt_tokens` includes tools and template; `thinking`: whether it is
    asked for; `stale`: how many values stand in the messages that were right once, of those that are needed now."""

    prompt_tokens: int
    messages: Transcript
    thinking: bool = False
    stale: int = 0

    @property
    def tool_messages(self) -> int:
        return sum(message.role == "tool" for message in self.messages)

    @property
    def null_contents(self) -> int:
        """Messages with calls whose content is null, which a template may print as the word None."""
        return sum(bool(message.tool_calls) and message.content is None for message in self.messages)

    @property
    def string_arguments(self) -> int:
        """Calls whose arguments a template prints as one text, with its quotes escaped; of `{}` none are left."""
        return sum(call.arguments_text not in ("", "{}") for message in self.messages for call in message.tool_calls)

    @property
    def lost_thoughts(self) -> int:
        """Messages with calls since the newest user message that came without the thoughts that led to them."""
        loop = self.messages[last_user_index(self.messages) + 1 :] if self.thinking else ()
        return sum(bool(message.tool_calls) and not message.reasoning for message in loop)

    @property
    def failures(self) -> int:
        """Results that show the model failing."""
        return sum(message.role == "tool" and (message.content or "").startswith(FAILED) for message in self.messages)

    @property
    def longest_result(self) -> int:
        """Characters of the longest result of a tool."""
        return max((len(message.content or "") for message in self.messages if message.role == "tool"), default=0)


@dataclass(frozen=True, slots=True)
class Ailment:
    """Calls break when a request is strictly above `limit` in what `kind` measures."""

    kind: str
    limit: int
    effect: Effect = "prose"

    def breaks(self, symptoms: Symptoms) -> bool:
        return KINDS[self.kind](symptoms) > self.limit


KINDS: Mapping[str, Callable[[Symptoms], int]] = {
    "breaks_above_tokens": lambda symptoms: symptoms.prompt_tokens,
    "breaks_above_tool_messages": lambda symptoms: symptoms.tool_messages,
    "null_content": lambda symptoms: symptoms.null_contents,
    "string_arguments": lambda symptoms: symptoms.string_arguments,
    "reasoning_lost": lambda symptoms: symptoms.lost_thoughts,
    "own_bad_calls": lambda symptoms: symptoms.failures,
    "stale_value": lambda symptoms: symptoms.stale,
    "large_result": lambda symptoms: symptoms.longest_result,
}


def effect_on(symptoms: Symptoms, ailments: tuple[Ailment, ...]) -> Effect | None:
    """The effect of the first ailment that strikes; None if none does."""
    return next((ailment.effect for ailment in ailments if ailment.breaks(symptoms)), None)
