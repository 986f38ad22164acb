"""Whole prompts as a model sees them: messages and tools as text, their tokens, and what two prompts
share."""

from __future__ import annotations

from agenteval.prompts.counting import RENDERERS, PromptCount, RenderPrompt, count_prompt
from agenteval.prompts.glm import render_prompt
from agenteval.prompts.prefix import common_prefix

__all__ = ["RENDERERS", "PromptCount", "RenderPrompt", "common_prefix", "count_prompt", "render_prompt"]
