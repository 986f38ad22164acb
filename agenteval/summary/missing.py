"""What BASE judged and NEW has no verdict on. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from agenteval.outcome import StepRecord
from agenteval.summary.rows import mode_order
from agenteval.summary.trials import JudgedTurn
from agenteval.thinking import Thinking

CellKey: TypeAlias = tuple[str, str, str, int]
"""Scenario, policy, order of the thinking mode, trial: the same cell in both runs, however its policy is spelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Cells of one arm, by trial, with the number of their turns that only BASE judged. `played`: whether NEW asked
    for them at all."""

    scenario: str
    thinking: Thinking
    policy: str
    trials: tuple[int, ...]
    turns: int
    played: bool


def missing(base: Sequence[JudgedTurn], new: Sequence[JudgedTurn], steps: Sequence[StepRecord]) -> tuple[Missing, ...]:
    """Turns of BASE that NEW did not judge, arm by arm. `steps`: all that NEW asked for."""
    judged = {(*cell_of(turn), turn.turn) for turn in new}
    asked = {cell_of(step) for step in steps}
    groups: dict[tuple[str, str, str, bool], list[JudgedTurn]] = {}
    for turn in base:
        if (*cell_of(turn), turn.turn) not in judged:
            played = cell_of(turn) in asked
            groups.setdefault((turn.scenario, turn.policy, mode_order(turn.thinking), played), []).append(turn)
    return tuple(_missing(groups[key], played=key[-1]) for key in sorted(groups))


def cell_of(item: JudgedTurn | StepRecord) -> CellKey:
    return item.scenario, item.policy, mode_order(item.thinking), item.trial


def _missing(turns: Sequence[JudgedTurn], *, played: bool) -> Missing:
    return Missing(
        scenario=turns[0].scenario,
        thinking=turns[0].thinking,
        policy=turns[0].policy,
        trials=tuple(sorted({turn.trial for turn in turns})),
        turns=len(turns),
        played=played,
    )


def doubts(lacking: Collection[Missing]) -> Iterator[str]:
    """Why nothing can be said about what is missing."""
    for played, did in ((False, "did not play"), (True, "could not judge")):
        turns = sum(item.turns for item in lacking if item.played is played)
        they, them = ("it", "it") if turns == 1 else ("they", "them")
        if turns:
            yield (
                f"NEW {did} {turns} turn{'s' * (turns != 1)} of BASE: whether {they} broke is not known "
                f"(--allow-missing leaves {them} out)."
            )
