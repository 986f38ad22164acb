"""Planted causes of failure. An ailment looks at the received request and at nothing else: no clock, no chance, no
memory of earlier requests; so the same view fails every time, on every run, under every seed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from agenteval.messages import Transcript

Effect = Literal["prose", "call_as_text"]
"""What becomes of a call: `prose` speaks of it and makes none, `call_as_text` writes it into the content as JSON."""


@dataclass(frozen=True, slots=True)
class Symptoms:
    """What of a request an ailment can react to. `prompt_tokens` includes tools and template."""

    prompt_tokens: int
    messages: Transcript

    @property
    def tool_messages(self) -> int:
        return sum(message.role == "tool" for message in self.messages)


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
}


def effect_on(symptoms: Symptoms, ailments: tuple[Ailment, ...]) -> Effect | None:
    """The effect of the first ailment that strikes; None if none does."""
    return next((ailment.effect for ailment in ailments if ailment.breaks(symptoms)), None)
