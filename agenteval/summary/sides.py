"""Sides: what a comparison sets against each other — policies, thinking modes, or whole runs — each with its records.

Pairs are the conversations that two sides have in common: scenario, what is not compared, and trial (hence the seed).
Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Literal, TypeAlias, get_args

from agenteval.context import canonical_policy
from agenteval.errors import UsageError
from agenteval.outcome import StepRecord
from agenteval.store import Manifest, StoredRun
from agenteval.summary.engaged import AGAIN, CONTROL
from agenteval.summary.rows import is_over, last_attempts, mode_order
from agenteval.summary.workload import speed_obstacle

Axis = Literal["policy", "thinking", "run"]
"""What tells the sides apart."""

AXES: tuple[Axis, ...] = get_args(Axis)

Unit: TypeAlias = tuple[str, str, str, int]
"""One conversation of a side: scenario, policy, thinking mode (each empty where it is what is compared), trial."""


@dataclass(frozen=True, slots=True)
class Played:
    """One conversation that came to its end: its steps as scores take them, and all requests made for it. `turns`: turn
    → whether it is ok."""

    scenario: str
    trial: int
    steps: tuple[StepRecord, ...]
    requests: tuple[StepRecord, ...]
    turns: Mapping[int, bool]

    @property
    def ok(self) -> bool:
        return all(self.turns.values())

    @property
    def share(self) -> float:
        """Of the turns that are ok."""
        return sum(self.turns.values()) / len(self.turns)


@dataclass(frozen=True, slots=True)
class Side:
    """`planned`: the conversations that it should have; those that did not come to their end are in no number.
    `simulated`: whether the built-in endpoint answered; `untimed`: why its speeds may not be set beside the others';
    None if they may."""

    name: str
    planned: Collection[Unit]
    played: Mapping[Unit, Played]
    simulated: bool
    untimed: str | None = None

    def steps(self) -> Iterator[StepRecord]:
        """Of all conversations, as scores take them."""
        return (step for cell in self.played.values() for step in cell.steps)


def sides_in(manifest: Manifest, records: Iterable[StepRecord], axis: Axis) -> tuple[Side, ...]:
    """The sides inside one run, in the order in which they were planned; one where nothing can be compared."""
    groups: dict[str, list[StepRecord]] = {name: [] for name in _planned_names(manifest, axis)}
    for record in _spelled(records):
        groups.setdefault(getattr(record, axis), []).append(record)
    untimed = speed_obstacle({"this run": manifest})
    return tuple(_side(name, manifest, group, axis, untimed) for name, group in groups.items())


def sides_of_runs(runs: Mapping[str, StoredRun]) -> tuple[Side, ...]:
    """Whole runs as sides, by the given names."""
    untimed = speed_obstacle({name: run.manifest for name, run in runs.items()})
    return tuple(_side(name, run.manifest, _spelled(run.records), "run", untimed) for name, run in runs.items())


def _planned_names(manifest: Manifest, axis: Axis) -> tuple[str, ...]:
    """The policies (in their one spelling) or thinking modes of a plan."""
    wanted = manifest.plan.get("policies" if axis == "policy" else "thinking", ())
    return tuple(dict.fromkeys(canonical_policy(name) if axis == "policy" else name for name in wanted))


def _spelled(records: Iterable[StepRecord]) -> list[StepRecord]:
    """With each policy in its one spelling."""
    records = list(records)
    spelled = {text: canonical_policy(text) for text in {record.policy for record in records}}
    return [replace(record, policy=spelled[record.policy]) for record in records]


def _side(name: str, manifest: Manifest, records: Sequence[StepRecord], axis: Axis, untimed: str | None) -> Side:
    turns: Mapping[str, int] = manifest.cells.get("turns", {})
    cells: dict[str, list[StepRecord]] = {}
    for record in records:
        cells.setdefault(record.cell, []).append(record)
    played = {}
    for cell, requests in cells.items():
        found = _played(requests, turns.get(cell, 0))
        if found is not None:
            played[_unit(requests[0], axis)] = found
    return Side(name, _planned(manifest, axis), played, bool(manifest.endpoint.get("simulated")), untimed)


def _planned(manifest: Manifest, axis: Axis) -> frozenset[Unit]:
    """The conversations of one side in a run's plan."""
    policies = ("",) if axis == "policy" else _planned_names(manifest, "policy")
    modes = ("",) if axis == "thinking" else map(mode_order, manifest.plan.get("thinking", ()))
    trials = range(manifest.plan.get("trials", 1))
    return frozenset(product(manifest.scenarios, policies, modes, trials))


def _played(requests: Sequence[StepRecord], planned: int) -> Played | None:
    """None if not all of its turns were judged."""
    steps = last_attempts(requests)
    groups: dict[int, list[StepRecord]] = {}
    for step in steps:
        groups.setdefault(step.turn, []).append(step)
    turns = {turn: all(step.ok for step in group) for turn, group in groups.items() if is_over(group)}
    if len(turns) < planned or not turns:
        return None
    return Played(steps[0].scenario, steps[0].trial, tuple(steps), tuple(requests), dict(sorted(turns.items())))


def _unit(record: StepRecord, axis: Axis) -> Unit:
    return (
        record.scenario,
        "" if axis == "policy" else record.policy,
        "" if axis == "thinking" else mode_order(record.thinking),
        record.trial,
    )


def pairs(base: Side, new: Side) -> list[tuple[Played, Played]]:
    """The conversations that both sides played to their end, in order."""
    return [(base.played[unit], new.played[unit]) for unit in sorted(base.played) if unit in new.played]


def by_scenario(
    both: Iterable[tuple[Played, Played]], value: Callable[[Played, Played], float | None]
) -> dict[str, list[float]]:
    """Scenario → what is found in each of its pairs, where anything is."""
    groups: dict[str, list[float]] = {}
    for base, new in both:
        found = value(base, new)
        if found is not None:
            groups.setdefault(base.scenario, []).append(found)
    return groups


def baseline(sides: Sequence[Side], wanted: str | None) -> Side:
    """What the others are compared with: as asked for, else full_history, else the first. Raises UsageError."""
    names = [side.name for side in sides]
    if wanted is not None:
        spelled = {wanted, canonical_policy(wanted)} if wanted not in names else {wanted}
        found = next((side for side in sides if side.name in spelled), None)
        if found is None:
            raise UsageError(f"--base {wanted!r} is none of what is compared: {', '.join(names)}")
        return found
    return next((side for side in sides if side.name == CONTROL), sides[0])


def is_again(name: str, base: str) -> bool:
    """Whether a side is the baseline once more, or the baseline that side."""
    return f"{base}{AGAIN}" == name or f"{name}{AGAIN}" == base


def lacking(side: Side, others: Iterable[Side]) -> int:
    """Conversations that a side was to share with others, and did not bring to their end."""
    shared = {unit for other in others for unit in other.planned}.intersection(side.planned)
    return len(shared.difference(side.played))
