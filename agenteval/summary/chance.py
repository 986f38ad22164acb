"""What chance may have done in a comparison of two runs: said in words, not tested. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from agenteval.summary.rows import mode_order
from agenteval.summary.trials import JudgedTurn

Place: TypeAlias = tuple[str, str, str, int]
"""Scenario, policy, order of the thinking mode, turn: the same for all trials."""


def chance_note(base: Sequence[JudgedTurn], new: Sequence[JudgedTurn], *, simulated: bool) -> str | None:
    """A warning where a turn of a real server broke or was repaired: single trials say little, and of several it
    counts how many changes stand where one run's own trials disagree."""
    old, fresh = ({(_place(turn), turn.trial): turn.ok for turn in turns} for turns in (base, new))
    moved = [place for place, trial in old if fresh.get((place, trial), old[place, trial]) != old[place, trial]]
    if simulated or not moved:
        return None
    if not any(turn.trial for turn in (*base, *new)):
        return "Each cell was played once: a single turn may also break or recover by chance; --trials shows which do."
    unsure = _wavering(base) | _wavering(new)
    by_chance = sum(place in unsure for place in moved)
    return (
        f"Trials are paired by their number, which means nothing to a server: {by_chance} of the {len(moved)} turns "
        "that broke or were repaired stand where the trials of one run differ among themselves, and may have moved "
        f"by chance. Over all trials {_share(base)} of the turns are ok in BASE, {_share(new)} in NEW."
    )


def _place(turn: JudgedTurn) -> Place:
    return turn.scenario, turn.policy, mode_order(turn.thinking), turn.turn


def _wavering(turns: Iterable[JudgedTurn]) -> set[Place]:
    """Where the trials of one run differ in their verdict."""
    seen: dict[Place, set[bool]] = {}
    for turn in turns:
        seen.setdefault(_place(turn), set()).add(turn.ok)
    return {place for place, verdicts in seen.items() if len(verdicts) > 1}


def _share(turns: Sequence[JudgedTurn]) -> str:
    return f"{sum(turn.ok for turn in turns) / len(turns):.0%}"
