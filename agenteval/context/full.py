"""`full_history`: everything, always. The control of every comparison."""

from __future__ import annotations

from dataclasses import dataclass

from agenteval.context.policy import Budget, Count, PolicyReport, State, View
from agenteval.messages import Message, ToolSpec, Transcript


@dataclass(frozen=True, slots=True)
class FullHistory:
    name: str = "full_history"
    tools: tuple[ToolSpec, ...] = ()

    def begin(self) -> State:
        return None

    def step(self, transcript: Transcript, state: State, budget: Budget, count: Count) -> View:
        return View(transcript, state, PolicyReport(acted=False, policy=self.name))

    def resume(self, state: State, reply: Message) -> View:
        raise AssertionError("full_history asks no model")
