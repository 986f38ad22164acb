"""Records → rows, scores, advice and comparisons. Pure; every report starts from a `Summary` or a `Comparison`."""

from __future__ import annotations

from agenteval.summary.compare import ArmChange, Comparison, Thresholds, TurnPair, compare
from agenteval.summary.contrast import Contrast, Estimate, chance
from agenteval.summary.engaged import PolicyRow
from agenteval.summary.lean import lean
from agenteval.summary.measures import Endured, Retention, SideRow, Survival
from agenteval.summary.missing import Missing
from agenteval.summary.protocol import planned_otherwise, protocol
from agenteval.summary.rows import ArmRow, TurnRow
from agenteval.summary.sides import AXES, Axis, Side, baseline, sides_in, sides_of_runs
from agenteval.summary.story import in_words, story
from agenteval.summary.summary import Summary, summarise
from agenteval.summary.thisrun import how_to_go_on
from agenteval.summary.trials import TrialRow
from agenteval.summary.versus import MARGIN, Versus, versus
from agenteval.summary.workload import unlike

__all__ = [
    "AXES",
    "MARGIN",
    "ArmChange",
    "ArmRow",
    "Axis",
    "Comparison",
    "Contrast",
    "Endured",
    "Estimate",
    "Missing",
    "PolicyRow",
    "Retention",
    "Side",
    "SideRow",
    "Summary",
    "Survival",
    "Thresholds",
    "TrialRow",
    "TurnPair",
    "TurnRow",
    "Versus",
    "baseline",
    "chance",
    "compare",
    "how_to_go_on",
    "in_words",
    "lean",
    "planned_otherwise",
    "protocol",
    "sides_in",
    "sides_of_runs",
    "story",
    "summarise",
    "unlike",
    "versus",
]
