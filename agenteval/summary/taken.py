"""What a policy has to do with the failures of its own arm: the facts that it took away from turns that needed them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from agenteval.outcome import RecordedFact, StepRecord
from agenteval.summary.engaged import is_control
from agenteval.summary.rows import ArmRow

Arm = tuple[str, str, str]
"""Scenario, thinking, policy."""

NAMED = 4
"""So many lost facts are named one by one."""


@dataclass(frozen=True, slots=True)
class Part:
    """Of one arm under a policy: `lost`: failing turn → the facts that it needed, that had been said, and that the view
    lacked; `watched`: turns of which that is known; `acted`: the first turn at which the policy did something."""

    lost: Mapping[int, tuple[RecordedFact, ...]]
    watched: frozenset[int]
    acted: int | None

    def took(self, turn: int | None) -> bool:
        """Whether it is known to be the cause that this turn fails."""
        return turn in self.lost

    def may_have_part(self, turn: int) -> bool:
        """Whether it acted before, and nobody watched what this turn needs."""
        return self.acted is not None and self.acted <= turn and turn not in self.watched

    def words(self, last: int | None = None) -> str:
        """The facts, each with its turn; only those of turns up to `last`, if that is given."""
        turns = [turn for turn in sorted(self.lost) if last is None or turn <= last]
        told = [_lost(fact, turn) for turn in turns for fact in self.lost[turn]]
        more = [f"and {len(told) - NAMED} more"] if len(told) > NAMED else []
        return ", ".join((*told[:NAMED], *more))


def parts(steps: Iterable[StepRecord]) -> dict[Arm, Part]:
    """One for each arm under another policy than full_history."""
    arms: dict[Arm, list[StepRecord]] = {}
    for step in steps:
        if not is_control(step.policy):
            arms.setdefault((step.scenario, step.thinking, step.policy), []).append(step)
    return {arm: _part(mine) for arm, mine in arms.items()}


def arm_of(row: ArmRow) -> Arm:
    return row.scenario, row.thinking, row.policy


def _part(steps: Sequence[StepRecord]) -> Part:
    failed = {(step.cell, step.turn) for step in steps if step.judged and not step.ok}
    lost: dict[int, dict[str, RecordedFact]] = {}
    for step in steps:
        for fact in step.facts:
            if fact.outcome == "lost" and (step.cell, step.turn) in failed:
                lost.setdefault(step.turn, {}).setdefault(fact.name, fact)
    return Part(
        {turn: tuple(facts.values()) for turn, facts in lost.items()},
        frozenset(step.turn for step in steps if step.facts),
        min((step.turn for step in steps if step.policy_report.get("acted")), default=None),
    )


def _lost(fact: RecordedFact, turn: int) -> str:
    kinds = {"stale": "a stale value instead", "invented": "an invented value instead"}
    return f"{fact.name} (turn {turn}{f', {kinds[fact.instead]}' if fact.instead else ''})"
