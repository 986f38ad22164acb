"""Two runs of one workload, cell by cell: what was repaired, what broke, and how the speeds moved. Pure.

Turns are paired by scenario, thinking, policy (not by its spelling), trial and turn; speeds by request, over those that
were measured in both runs. Runs of unlike workloads are refused; what only BASE judged leaves the gates undecided. What
is told are differences; whether chance may have made them is said in words (`chance`), not tested.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias, get_args

from agenteval.context import canonical_policy
from agenteval.errors import UsageError
from agenteval.outcome import StepRecord
from agenteval.stats import median
from agenteval.store import Manifest, StoredRun
from agenteval.summary.chance import chance_note
from agenteval.summary.missing import Missing, cell_of, doubts, missing
from agenteval.summary.rows import last_attempts, mode_order
from agenteval.summary.summary import title_of
from agenteval.summary.trials import JudgedTurn, judged_turns
from agenteval.summary.workload import differences, speed_obstacle, unlike
from agenteval.thinking import Thinking

Change = Literal["repaired", "broke", "changed", "unchanged", "only_base", "only_new"]
"""What became of a turn. `changed`: it fails in both, with other kinds of findings; `only_…`: judged in one run."""

CHANGES: tuple[Change, ...] = get_args(Change)

Verdict = Literal["met", "missed", "undecided"]
"""Of the gates: all met, at least one missed, or too little was judged to say."""

TurnKey: TypeAlias = tuple[str, str, str, int, int]
"""Scenario, policy, order of the thinking mode, trial, turn: pairs turns, and sorts them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """How much worse NEW may be. A ratio is NEW / BASE of an arm; None: not gated. `allow_missing`: what only BASE
    judged is left out, where otherwise nothing can be said."""

    max_broken: int = 0
    max_ttft_ratio: float | None = None
    min_decode_ratio: float | None = None
    allow_missing: bool = False

    def __post_init__(self) -> None:
        for name, ratio in (("max-ttft", self.max_ttft_ratio), ("min-decode", self.min_decode_ratio)):
            if ratio is not None and not (math.isfinite(ratio) and ratio > 0):
                raise UsageError(f"--{name}-ratio must be a number above 0, for instance 1.1; {ratio} is none")


@dataclass(frozen=True, slots=True)
class RunFacts:
    run: str
    title: str
    simulated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnPair:
    """One turn in both runs. `base`, `new`: kinds of findings that fail it there; () if it is ok, None if it was not
    judged there."""

    scenario: str
    thinking: Thinking
    policy: str
    trial: int
    turn: int
    change: Change
    base: tuple[str, ...] | None
    new: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Speed:
    """Medians of a metric over the `n` requests at which both runs measured it; `ratio` is new / base."""

    n: int
    base: float | None = None
    new: float | None = None
    ratio: float | None = None


@dataclass(frozen=True, slots=True)
class ArmChange:
    scenario: str
    thinking: Thinking
    policy: str
    ttft_ms: Speed
    decode_tok_s: Speed


@dataclass(frozen=True, slots=True)
class Comparison:
    """`counts`: change → number of turns, all six of them. `missed`, `undecided`: gates that were missed or cannot be
    decided, in words. `missing`: what BASE judged and NEW did not, allowed or not. `differences`: what else is not the
    same in both runs; `notes`: how to read the numbers."""

    base: RunFacts
    new: RunFacts
    verdict: Verdict
    counts: Mapping[Change, int]
    missed: tuple[str, ...]
    undecided: tuple[str, ...]
    missing: tuple[Missing, ...]
    pairs: tuple[TurnPair, ...]
    arms: tuple[ArmChange, ...]
    differences: tuple[str, ...]
    notes: tuple[str, ...]


def compare(base: StoredRun, new: StoredRun, thresholds: Thresholds) -> Comparison:
    """Pair two runs and gate the result. Raises UsageError, naming what differs, for unlike workloads."""
    if reasons := unlike(base.manifest, new.manifest):
        raise UsageError(f"these runs cannot be compared: {'; '.join(reasons)}")
    old_steps, new_steps = _steps(base), _steps(new)
    old, fresh = judged_turns(old_steps), judged_turns(new_steps)
    pairs = pair_turns(old, fresh)
    counts = {change: sum(pair.change == change for pair in pairs) for change in CHANGES}
    simulated = all(run.manifest.endpoint.get("simulated") for run in (base, new))
    obstacle = speed_obstacle({"BASE": base.manifest, "NEW": new.manifest})
    arms = arm_changes(old_steps, new_steps, comparable=obstacle is None)
    lacking = missing(old, fresh, new_steps)
    missed = _missed(counts, arms, thresholds)
    undecided = _undecided(counts, lacking, arms, thresholds)
    return Comparison(
        base=_facts(base.manifest),
        new=_facts(new.manifest),
        verdict="undecided" if undecided else "missed" if missed else "met",
        counts=counts,
        missed=missed,
        undecided=undecided,
        missing=lacking,
        pairs=pairs,
        arms=arms,
        differences=differences(base.manifest, new.manifest),
        notes=tuple(note for note in (obstacle, chance_note(old, fresh, simulated=simulated)) if note),
    )


def _steps(run: StoredRun) -> list[StepRecord]:
    """What scores take, with each policy in its one spelling."""
    spelled = {text: canonical_policy(text) for text in {record.policy for record in run.records}}
    return [replace(step, policy=spelled[step.policy]) for step in last_attempts(run.records)]


def _facts(manifest: Manifest) -> RunFacts:
    return RunFacts(manifest.run, title_of(manifest), bool(manifest.endpoint.get("simulated")))


# --- pairs --------------------------------------------------------------------------------------------------


def pair_turns(base: Sequence[JudgedTurn], new: Sequence[JudgedTurn]) -> tuple[TurnPair, ...]:
    """Every turn that was judged in at least one of the runs, by scenario, policy, thinking, trial and turn."""
    old = {_key(turn): turn for turn in base}
    fresh = {_key(turn): turn for turn in new}
    return tuple(_pair(old.get(key), fresh.get(key)) for key in sorted({*old, *fresh}))


def _key(turn: JudgedTurn) -> TurnKey:
    return (*cell_of(turn), turn.turn)


def _pair(base: JudgedTurn | None, new: JudgedTurn | None) -> TurnPair:
    known = base or new
    assert known is not None, "a pair has at least one side"
    return TurnPair(
        scenario=known.scenario,
        thinking=known.thinking,
        policy=known.policy,
        trial=known.trial,
        turn=known.turn,
        change=_change(base, new),
        base=base.failures if base else None,
        new=new.failures if new else None,
    )


def _change(base: JudgedTurn | None, new: JudgedTurn | None) -> Change:
    if base is None or new is None:
        return "only_new" if base is None else "only_base"
    if base.ok != new.ok:
        return "broke" if base.ok else "repaired"
    return "unchanged" if set(base.failures) == set(new.failures) else "changed"


# --- speeds -------------------------------------------------------------------------------------------------


def arm_changes(
    base: Sequence[StepRecord], new: Sequence[StepRecord], *, comparable: bool = True
) -> tuple[ArmChange, ...]:
    """One per arm that both runs played. Speeds that are not `comparable` are left out."""
    fresh = {_request(step): step for step in new if step.judged}
    both = [(step, fresh[_request(step)]) for step in base if step.judged and _request(step) in fresh]
    arms: dict[tuple[str, str, str], list[tuple[StepRecord, StepRecord]]] = {}
    for old, step in both:
        arms.setdefault((old.scenario, old.policy, mode_order(old.thinking)), []).append((old, step))
    return tuple(_arm_change(arms[key], comparable=comparable) for key in sorted(arms))


def _request(step: StepRecord) -> tuple[Any, ...]:
    return step.scenario, step.policy, step.thinking, step.trial, step.turn, step.step


def _arm_change(both: Sequence[tuple[StepRecord, StepRecord]], *, comparable: bool) -> ArmChange:
    example, told = both[0][0], both if comparable else ()
    return ArmChange(
        example.scenario, example.thinking, example.policy, _speed(told, "ttft_ms"), _speed(told, "decode_tok_s")
    )


def _speed(both: Sequence[tuple[StepRecord, StepRecord]], metric: str) -> Speed:
    values = [(getattr(old.timing, metric, None), getattr(new.timing, metric, None)) for old, new in both]
    known = [(old, new) for old, new in values if old is not None and new is not None]
    base, new = median(old for old, _ in known), median(new for _, new in known)
    return Speed(len(known), base, new, new / base if base and new is not None else None)


# --- gates --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _SpeedGate:
    """One gated ratio: `misses(ratio, limit)`; `said` how a missed one is told."""

    name: str
    limit: float | None
    metric: Callable[[ArmChange], Speed]
    misses: Callable[[float, float], bool]
    said: str


def _speed_gates(thresholds: Thresholds) -> tuple[_SpeedGate, ...]:
    limits = (thresholds.max_ttft_ratio, thresholds.min_decode_ratio)
    return (
        _SpeedGate("TTFT", limits[0], lambda arm: arm.ttft_ms, float.__gt__, "at most"),
        _SpeedGate("Decode speed", limits[1], lambda arm: arm.decode_tok_s, float.__lt__, "at least"),
    )


def _missed(counts: Mapping[Change, int], arms: Sequence[ArmChange], thresholds: Thresholds) -> tuple[str, ...]:
    broken, allowed = counts["broke"], thresholds.max_broken
    missed = [f"{broken} turn{'s' * (broken != 1)} broke; at most {allowed} may."] if broken > allowed else []
    for gate in _speed_gates(thresholds):
        for arm in arms:
            ratio = gate.metric(arm).ratio
            if gate.limit is not None and ratio is not None and gate.misses(ratio, float(gate.limit)):
                missed.append(
                    f"{gate.name} of {_where(arm)} is {ratio:.3f} times BASE's; {gate.said} {gate.limit:g} is asked."
                )
    return tuple(missed)


def _undecided(
    counts: Mapping[Change, int], lacking: Sequence[Missing], arms: Sequence[ArmChange], thresholds: Thresholds
) -> tuple[str, ...]:
    common = sum(counts[change] for change in ("repaired", "broke", "changed", "unchanged"))
    if not common:
        return ("No turn was judged in both runs.",)
    reasons = [] if thresholds.allow_missing else list(doubts(lacking))
    for gate in _speed_gates(thresholds):
        unknown = [arm for arm in arms if gate.metric(arm).ratio is None]
        if gate.limit is not None and unknown:
            reasons.append(f"{gate.name} is not known in both runs for {', '.join(map(_where, unknown))}.")
    return tuple(reasons)


def _where(arm: ArmChange) -> str:
    return f"{arm.scenario}, thinking {arm.thinking}, {arm.policy}"
