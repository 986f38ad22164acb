"""The matrix scenario × thinking × policy × trial as cells, in a seeded random order. Pure.

Arms that are compared share everything but the thing compared: a cell's seed depends on scenario and trial only.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import Literal

from agenteval.canonical import seed_of
from agenteval.errors import UsageError
from agenteval.scenario import bind
from agenteval.script import Scenario
from agenteval.thinking import Thinking

History = Literal["live", "golden"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run. `policies` are written as on the command line; `temperature` and `max_tokens` override scenarios."""

    scenarios: tuple[Scenario, ...]
    thinking: tuple[Thinking, ...]
    policies: tuple[str, ...]
    trials: int
    seed: int
    history: History = "live"
    temperature: float | None = None
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """One unit of scheduling, resuming and pairing. `scenario` is bound to `seed`; `id` is a file name, too."""

    id: str
    scenario: Scenario
    thinking: Thinking
    policy: str
    trial: int
    seed: int


def expand(plan: Plan) -> tuple[Cell, ...]:
    """All cells of a plan, interleaved in a random order that depends on the plan's seed alone."""
    cells = [
        _cell(plan, scenario, thinking, policy, trial)
        for scenario in plan.scenarios
        for thinking in plan.thinking
        for policy in plan.policies
        for trial in range(plan.trials)
    ]
    if len({cell.id for cell in cells}) < len(cells):
        raise UsageError("two of the policies are spelled so alike that their cells could not be told apart")
    random.Random(seed_of("order", plan.seed)).shuffle(cells)
    return tuple(cells)


def _cell(plan: Plan, scenario: Scenario, thinking: Thinking, policy: str, trial: int) -> Cell:
    seed = seed_of("cell", plan.seed, scenario.name, trial)
    label = re.sub(r"[^A-Za-z0-9_]+", "-", policy)
    name = f"{scenario.name}.{thinking}.{label}.{trial}"
    return Cell(name, bind(scenario, seed), thinking, policy, trial, seed)
