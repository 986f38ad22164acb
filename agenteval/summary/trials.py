"""Trials: how often a cell passes when it is played again, and which cells are flaky.

A trial passes when all its turns do. Only complete trials count: one that infrastructure cut short is in no share.
A cell is flaky when its trials differ in the verdict of a turn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from agenteval.outcome import StepRecord
from agenteval.stats import pass_at_k, pass_hat_k, wilson
from agenteval.summary.rows import is_over, mode_order
from agenteval.thinking import Thinking

MAX_NAMED = 8
"""So many trials or turns are named one by one; of more, the rest is counted."""

MAX_WAYS = 4
"""So many ways to fail are told per flaky cell, the most frequent first."""

Arm: TypeAlias = tuple[str, str, Thinking]
"""Scenario, policy, thinking."""

ArmTrials: TypeAlias = Mapping[Arm, Mapping[int, tuple[int, ...]]]
"""Arm → complete trial → the turns that failed in it, ascending; none: it passed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedTurn:
    """One turn of one cell that came to its end; `failures`: kinds of its findings, without harmless ones, in order."""

    cell: str
    scenario: str
    thinking: Thinking
    policy: str
    trial: int
    turn: int
    ok: bool
    failures: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRow:
    """An arm over its `n` complete trials. `interval`: Wilson's, 95 %. `pass_at[k-1]`: chance that one of k trials
    passes, `pass_hat[k-1]`: that all k do, k = 1..n. The last three are None where trials are no evidence."""

    scenario: str
    thinking: Thinking
    policy: str
    n: int
    passed: int
    share: float | None
    interval: tuple[float, float] | None
    pass_at: tuple[float | None, ...] | None
    pass_hat: tuple[float | None, ...] | None


def judged_turns(steps: Sequence[StepRecord]) -> list[JudgedTurn]:
    """The turns that are over, sorted by scenario, policy, thinking, trial and turn."""
    groups: dict[tuple[str, int], list[StepRecord]] = {}
    for step in steps:
        groups.setdefault((step.cell, step.turn), []).append(step)
    turns = [_judged(group) for group in groups.values() if is_over(group)]
    return sorted(turns, key=lambda t: (t.scenario, t.policy, mode_order(t.thinking), t.trial, t.turn))


def _judged(steps: Sequence[StepRecord]) -> JudgedTurn:
    first = steps[0]
    kinds = [finding.kind for step in steps for finding in step.findings if not finding.harmless]
    return JudgedTurn(
        cell=first.cell,
        scenario=first.scenario,
        thinking=first.thinking,
        policy=first.policy,
        trial=first.trial,
        turn=first.turn,
        ok=all(step.ok for step in steps),
        failures=tuple(dict.fromkeys(kinds)),
    )


def complete_trials(steps: Sequence[StepRecord], planned: Mapping[str, int]) -> ArmTrials:
    """Group a run's complete trials by arm. `planned`: cell → number of its turns."""
    cells: dict[str, list[JudgedTurn]] = {}
    for turn in judged_turns(steps):
        cells.setdefault(turn.cell, []).append(turn)
    arms: dict[Arm, dict[int, tuple[int, ...]]] = {_arm(step): {} for step in sorted(steps, key=_order)}
    for cell, turns in cells.items():
        if len(turns) == planned.get(cell):
            arms[_arm(turns[0])][turns[0].trial] = tuple(turn.turn for turn in turns if not turn.ok)
    return arms


def _arm(item: StepRecord | JudgedTurn) -> Arm:
    return item.scenario, item.policy, item.thinking


def _order(step: StepRecord) -> tuple[str, str, str]:
    return step.scenario, step.policy, mode_order(step.thinking)


def trial_rows(arms: ArmTrials, *, simulated: bool) -> tuple[TrialRow, ...]:
    """One row per arm; none where every cell was played once. A simulated run's rows keep to counting."""
    if all(len(trials) <= 1 for trials in arms.values()):
        return ()
    return tuple(_trial_row(arm, trials, evidence=not simulated) for arm, trials in arms.items())


def _trial_row(arm: Arm, trials: Mapping[int, tuple[int, ...]], *, evidence: bool) -> TrialRow:
    n, passed = len(trials), sum(not failed for failed in trials.values())
    ks = range(1, n + 1)
    return TrialRow(
        scenario=arm[0],
        policy=arm[1],
        thinking=arm[2],
        n=n,
        passed=passed,
        share=passed / n if n else None,
        interval=wilson(passed, n) if evidence else None,
        pass_at=tuple(pass_at_k(n, passed, k) for k in ks) if evidence else None,
        pass_hat=tuple(pass_hat_k(n, passed, k) for k in ks) if evidence else None,
    )


def trial_notes(rows: Sequence[TrialRow], *, simulated: bool) -> tuple[str, ...]:
    """Why a simulated run's trials have no intervals."""
    if not simulated or not rows:
        return ()
    return (
        "Trials of the built-in endpoint are no evidence: it is deterministic, so that repetitions tell nothing about "
        "a real server. Intervals, pass@k and pass^k are withheld.",
    )


def flaky_sentences(arms: ArmTrials) -> tuple[str, ...]:
    """One sentence per arm whose trials differ in the verdict of a turn: which of them failed at which turns."""
    return tuple(_flaky(arm, trials) for arm, trials in arms.items() if len(set(trials.values())) > 1)


def _flaky(arm: Arm, trials: Mapping[int, tuple[int, ...]]) -> str:
    ways: dict[tuple[int, ...], list[int]] = {}
    for trial, failed in sorted(trials.items()):
        ways.setdefault(failed, []).append(trial)
    passed = len(ways.pop((), []))
    told = sorted(ways.items(), key=lambda way: -len(way[1]))
    parts = [f"{named('trial', who)} failed at {named('turn', turns)}" for turns, who in told[:MAX_WAYS]]
    if others := sum(len(who) for _, who in told[MAX_WAYS:]):
        parts.append(f"{others} more failed at other turns")
    where = f"{arm[0]}, thinking {arm[2]}, {arm[1]}"
    return f"{where}: {passed} of {len(trials)} trials passed; {'; '.join(parts)}."


def named(noun: str, numbers: Sequence[int]) -> str:
    """`turn 8`, `turns 8, 9`, or the first eight and how many more."""
    more = f" and {len(numbers) - MAX_NAMED} more" if len(numbers) > MAX_NAMED else ""
    return f"{noun}{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers[:MAX_NAMED]))}{more}"
