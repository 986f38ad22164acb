"""Records → rows, scores, advice and comparisons. Pure; every report starts from a `Summary` or a `Comparison`."""

from __future__ import annotations

from agenteval.summary.compare import ArmChange, Comparison, Thresholds, TurnPair, compare
from agenteval.summary.engaged import PolicyRow
from agenteval.summary.lean import lean
from agenteval.summary.missing import Missing
from agenteval.summary.rows import ArmRow, TurnRow
from agenteval.summary.summary import Summary, summarise
from agenteval.summary.trials import TrialRow

__all__ = [
    "ArmChange",
    "ArmRow",
    "Comparison",
    "Missing",
    "PolicyRow",
    "Summary",
    "Thresholds",
    "TrialRow",
    "TurnPair",
    "TurnRow",
    "compare",
    "lean",
    "summarise",
]
