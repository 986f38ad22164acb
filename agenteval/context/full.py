"""`full_history`: everything, always. The control of every comparison."""

from __future__ import annotations

from dataclasses import dataclass

from agenteval.context.policy import Budget, Count, PolicyReport, State, View, WithoutModel
from agenteval.messages import ToolSpec, Transcript


@dataclass(frozen=True, slots=True)
class FullHistory(WithoutModel):
    name: str = "full_history"
    tools: tuple[ToolSpec, ...] = ()

    def begin(self) -> State:
        return None

    def step(self, transcript: Transcript, state: State, budget: Budget, count: Count) -> View:
        return View(transcript, state, PolicyReport(acted=False, policy=self.name))
