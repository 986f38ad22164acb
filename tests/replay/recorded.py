"""A run of the small scenario on disk, with every reply that a scripted endpoint gave."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from agenteval.clock import run_virtual
from agenteval.dialects import DIALECTS
from agenteval.run import Accountant, Desk, Plan, expand, run_cell
from agenteval.script import Scenario
from agenteval.store import Manifest, RunFolder, Secrets, StoredRun, load_run
from agenteval.thinking import Thinking
from tests.run.scripted import SCENARIO, Body, Says, ScriptedTransport

MODES: tuple[Thinking, ...] = ("off", "preserved")


def recorded(
    folder: Path,
    answer: Callable[[Body], Says],
    *,
    scenarios: Sequence[Scenario] = (SCENARIO,),
    modes: tuple[Thinking, ...] = MODES,
    key: str | None = None,
) -> StoredRun:
    """Play the scenarios and keep them as a run does."""
    plan = Plan(tuple(scenarios), modes, ("full_history",), 1, 0)
    cells = expand(plan)
    run = RunFolder.create(folder / "run", _manifest(plan, [cell.id for cell in cells]), Secrets(key, ()))
    for cell in cells:
        desk = Desk(
            run="run",
            plan=plan,
            transport=ScriptedTransport(answer),
            dialect=DIALECTS["vllm"],
            model="m",
            accountant=Accountant("glm47"),
            journal=run.append,
            family="glm47",
        )
        run_virtual(run_cell(cell, desk))
    run.close()
    return load_run(run.path)


def _manifest(plan: Plan, cells: Sequence[str]) -> Manifest:
    kept = {"thinking": plan.thinking, "policies": plan.policies, "trials": 1, "seed": 0, "history": "live"}
    return Manifest(
        run="run",
        status="complete",
        created_at="2026-01-01T00:00:00.000Z",
        plan={**kept, "temperature": None, "max_tokens": None},
        options={"extra_body": {}, "stream": True},
        endpoint={"model": "m", "dialect": "vllm", "family": "glm47", "context_window": None, "simulated": False},
        scenarios={scenario.name: scenario.hash for scenario in plan.scenarios},
        versions={},
        cells={"turns": dict.fromkeys(cells, 3)},
    )
