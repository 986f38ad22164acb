"""One scenario under one policy on the embedded endpoint."""

from __future__ import annotations

from dataclasses import dataclass

from agenteval.clock import LoopClock, run_virtual
from agenteval.dialects import DIALECTS
from agenteval.outcome import StepRecord
from agenteval.run import Accountant, Cell, Desk, Plan, expand, run_cell
from agenteval.script import Scenario
from agenteval.simulator import Engine, Profile, SimulatedTransport
from agenteval.thinking import Thinking
from agenteval.wire import Recording

SEED = 0


@dataclass(frozen=True, slots=True)
class Played:
    """The records of a conversation's agent steps, in their order."""

    turns: int
    steps: tuple[StepRecord, ...]

    @property
    def ok(self) -> float:
        """Share of the turns whose steps are all ok."""
        failed = {step.turn for step in self.steps if not step.ok}
        return (self.turns - len(failed)) / self.turns

    def acted_before(self, turn: int, call: int) -> int:
        """At how many steps the policy did something before this call of this turn (both from 1)."""
        return sum(
            bool(step.policy_report.get("acted")) for step in self.steps if (step.turn, step.step) <= (turn, call)
        )


def played(scenario: Scenario, policy: str, profile: Profile, thinking: Thinking = "preserved") -> Played:
    """Play a scenario (not bound yet) once, in virtual time."""
    records: list[StepRecord] = []
    plan = Plan((scenario,), (thinking,), (policy,), 1, SEED)
    (cell,) = expand(plan)
    run_virtual(run_cell(cell, _desk(cell, plan, profile, scenario, records)))
    return Played(len(scenario.turns), tuple(record for record in records if record.purpose == "agent"))


def _desk(cell: Cell, plan: Plan, profile: Profile, scenario: Scenario, records: list[StepRecord]) -> Desk:
    def journal(record: StepRecord, _: Recording | None) -> None:
        records.append(record)

    transport = SimulatedTransport(Engine(profile, (scenario,), LoopClock(), seed=cell.seed))
    return Desk(
        run="calibration",
        plan=plan,
        transport=transport,
        dialect=DIALECTS[profile.dialect],
        model=profile.model,
        accountant=Accountant(profile.client_family),
        journal=journal,
        simulated=True,
        thinking_switched=DIALECTS[profile.dialect].switches(profile.client_family),
        family=profile.client_family,
    )
