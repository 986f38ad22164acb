"""How many tokens a prompt has, and how many of them are messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agenteval.errors import UsageError
from agenteval.messages import Message, ToolSpec
from agenteval.prompts.format import Parts, PromptFormat
from agenteval.prompts.glm import GlmFormat
from agenteval.prompts.harmony import HarmonyFormat
from agenteval.tokens import Vocabulary

FORMATS: dict[str, PromptFormat] = {
    "glm47": GlmFormat(),
    "harmony": HarmonyFormat(),
}


@dataclass(frozen=True, slots=True)
class PromptCount:
    """`messages`: tokens of the prompt rendered without tools, generation prompt included; `tools`: what the
    tools add; `total`: the sum."""

    messages: int
    tools: int
    total: int


class PromptCounter:
    """Counts the prompts of one conversation; parts that were counted before are not counted again."""

    def __init__(self, family: str, vocabulary: Vocabulary) -> None:
        if family not in FORMATS:
            raise UsageError(f"no prompt format for family {family!r}; known: {', '.join(FORMATS)}")
        self._form = FORMATS[family]
        self._vocabulary = vocabulary
        self._counted: Parts[int] = Parts(self._form, self._count_on)

    def _count_on(self, part: str) -> int:
        """The tokens of all parts up to this one."""
        return (self._counted.made[-1] if self._counted.made else 0) + self._vocabulary.count(part)

    def count(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec], *, thinking: bool, keep_reasoning: bool
    ) -> PromptCount:
        """Tokens of the prompt."""
        counted = self._counted.of(messages, keep_reasoning=keep_reasoning)
        parts = counted[-1] if counted else 0
        closing = self._vocabulary.count(self._form.closing(thinking=thinking))
        alone, opening = (self._vocabulary.count(self._form.opening(messages, offered)) for offered in ((), tools))
        return PromptCount(alone + parts + closing, opening - alone, opening + parts + closing)


def count_prompt(
    family: str,
    messages: Sequence[Message],
    tools: Sequence[ToolSpec],
    vocabulary: Vocabulary,
    *,
    thinking: bool,
    keep_reasoning: bool,
) -> PromptCount:
    """Tokens of a family's prompt; raises UsageError for a family without a prompt format."""
    return PromptCounter(family, vocabulary).count(messages, tools, thinking=thinking, keep_reasoning=keep_reasoning)
