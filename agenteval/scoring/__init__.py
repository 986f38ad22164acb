"""Verdicts: a reply and what was expected of it → findings of the closed list in `outcome`. Pure.

`judge_step` judges one reply inside a turn and carries the turn's progress; `judge_end` judges the answer and the
world when the turn is over.
"""

from __future__ import annotations

from agenteval.scoring.judge import Judgement, StepContext, judge_end, judge_step
from agenteval.scoring.progress import Progress

__all__ = ["Judgement", "Progress", "StepContext", "judge_end", "judge_step"]
