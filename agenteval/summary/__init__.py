"""Records → rows, scores and advice. Pure; every report starts from a `Summary`."""

from __future__ import annotations

from agenteval.summary.rows import ArmRow, TurnRow
from agenteval.summary.summary import Summary, summarise

__all__ = ["ArmRow", "Summary", "TurnRow", "summarise"]
