"""How many tokens a prompt has, and how many of them are messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from agenteval.errors import UsageError
from agenteval.messages import Message, ToolSpec
from agenteval.prompts import glm, harmony
from agenteval.tokens import Vocabulary


class RenderPrompt(Protocol):
    def __call__(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec], *, thinking: bool, keep_reasoning: bool
    ) -> str:
        """The whole prompt. `keep_reasoning`: that of earlier user turns too (preserved thinking)."""
        ...


RENDERERS: dict[str, RenderPrompt] = {
    "glm47": glm.render_prompt,
    "harmony": harmony.render_prompt,
}


@dataclass(frozen=True, slots=True)
class PromptCount:
    """`messages`: tokens of the prompt rendered without tools, generation prompt included; `tools`: what the
    tools add; `total`: the sum."""

    messages: int
    tools: int
    total: int


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
    if family not in RENDERERS:
        raise UsageError(f"no prompt format for family {family!r}; known: {', '.join(RENDERERS)}")
    render = RENDERERS[family]
    alone = vocabulary.count(render(messages, (), thinking=thinking, keep_reasoning=keep_reasoning))
    total = vocabulary.count(render(messages, tools, thinking=thinking, keep_reasoning=keep_reasoning))
    return PromptCount(alone, total - alone, total)
