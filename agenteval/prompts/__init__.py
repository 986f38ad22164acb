"""Whole prompts as a model sees them: messages and tools as text, and their tokens."""

from __future__ import annotations

from agenteval.prompts.counting import FORMATS, PromptCount, PromptCounter, count_prompt
from agenteval.prompts.format import Parts, PromptFormat, render
from agenteval.prompts.reuse import Reuse

__all__ = ["FORMATS", "Parts", "PromptCount", "PromptCounter", "PromptFormat", "Reuse", "count_prompt", "render"]
