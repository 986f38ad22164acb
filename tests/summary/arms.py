"""Runs of several policies, made up so that what compares them can be checked in the head."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from agenteval.outcome import Finding, StepRecord
from agenteval.store import StoredRun
from agenteval.summary import Versus, baseline, sides_in, versus
from tests.records import record
from tests.summary.test_compare import run_of

WRONG = (Finding("wrong_argument", "not the value"),)
MASK = "observation_masking"
AGAIN = "full_history+again"


def steps(
    policies: tuple[str, ...], scenarios: int, wrong: Callable[[str, int, int], bool], **changes: Any
) -> Iterator[StepRecord]:
    """Three turns per conversation; `wrong(policy, scenario, trial)`: whether the last one fails."""
    trials = changes.pop("trials", 1)
    for policy in policies:
        for number in range(scenarios):
            for trial in range(trials):
                for turn in (1, 2, 3):
                    yield record(
                        cell=f"s{number}.off.{policy}.{trial}",
                        scenario=f"s{number}",
                        policy=policy,
                        trial=trial,
                        turn=turn,
                        findings=WRONG if turn == 3 and wrong(policy, number, trial) else (),
                        policy_report={"acted": policy != "full_history"},
                        simulated=False,
                        **changes,
                    )


def run(*records: StepRecord, **changes: Any) -> StoredRun:
    """A run that planned what these records played."""
    policies = tuple(dict.fromkeys(item.policy for item in records))
    plan = {"policies": policies, "thinking": ("off",), "trials": 1 + max(item.trial for item in records)}
    return run_of(*records, plan={**plan, **changes.pop("plan", {})}, **changes)


def ranked(stored: StoredRun, **options: Any) -> Versus:
    sides = sides_in(stored.manifest, stored.records, "policy")
    return versus(sides, baseline(sides, None), "policy", **options)


def only(found: Versus) -> Any:
    (contrast,) = found.contrasts
    return contrast


def only_side(found: Versus, name: str) -> Any:
    return next(contrast for contrast in found.contrasts if contrast.name == name)


def fails_half(policy: str, number: int, _: int) -> bool:
    return policy == "full_history" and number % 2 == 0
