"""Families of model output: raw text ↔ messages.

Reasoning, content and calls come out of one pass over the text: a reasoning parser glued before a tool parser
is the seam where engines lose calls. Every family has the inverse, `render`, and passes the one exam in
`tests/parsers`.
"""

from __future__ import annotations

from agenteval.parsers.deepseek_v3 import DEEPSEEK_V3
from agenteval.parsers.deepseek_v31 import DEEPSEEK_V31
from agenteval.parsers.deepseek_v32 import DEEPSEEK_V32
from agenteval.parsers.deltas import (
    CallDelta,
    ContentDelta,
    Delta,
    ParsedCall,
    ParsedMessage,
    ReasoningDelta,
    fold,
)
from agenteval.parsers.family import Family, Parser
from agenteval.parsers.gemma4 import GEMMA4
from agenteval.parsers.glm45 import GLM45
from agenteval.parsers.glm47 import GLM47
from agenteval.parsers.harmony import HARMONY
from agenteval.parsers.hermes import HERMES
from agenteval.parsers.kimi_k2 import KIMI_K2
from agenteval.parsers.llama3_json import LLAMA3_JSON
from agenteval.parsers.minimax_m2 import MINIMAX_M2
from agenteval.parsers.mistral import MISTRAL
from agenteval.parsers.policy import Choices, Policy
from agenteval.parsers.qwen3_coder import QWEN3_CODER

__all__ = [
    "FAMILIES",
    "CallDelta",
    "Choices",
    "ContentDelta",
    "Delta",
    "Family",
    "ParsedCall",
    "ParsedMessage",
    "Parser",
    "Policy",
    "ReasoningDelta",
    "fold",
]

FAMILIES: dict[str, Family] = {
    "glm45": GLM45,
    "glm47": GLM47,
    "harmony": HARMONY,
    "hermes": HERMES,
    "qwen3_coder": QWEN3_CODER,
    "kimi_k2": KIMI_K2,
    "deepseek_v31": DEEPSEEK_V31,
    "deepseek_v32": DEEPSEEK_V32,
    "minimax_m2": MINIMAX_M2,
    "llama3_json": LLAMA3_JSON,
    "mistral": MISTRAL,
    "deepseek_v3": DEEPSEEK_V3,
    "gemma4": GEMMA4,
}
