"""Whole prompts as a model sees them: messages and tools as text, and their tokens."""

from __future__ import annotations

from agenteval.prompts.counting import FORMATS, PromptCount, PromptCounter, count_prompt
from agenteval.prompts.format import Parts, PromptFormat, render

__all__ = ["FORMATS", "Parts", "PromptCount", "PromptCounter", "PromptFormat", "count_prompt", "render"]
