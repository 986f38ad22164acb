"""What became of each side beside the baseline, in plain words: a sentence each, none of which ranks. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agenteval.summary.contrast import Contrast
from agenteval.summary.measures import SideRow
from agenteval.summary.sides import Side
from agenteval.summary.versus import Versus, versus

NOTHING = 1.05
"""A ratio of prefilled tokens up to this is no cost worth a word."""


def story(found: Versus) -> tuple[str, ...]:
    """The baseline first, then every other side but its repetition."""
    rows = {row.name: row for row in found.sides}
    told = [_told(contrast, rows[contrast.name], found) for contrast in found.contrasts if contrast.decision != "noise"]
    return (_baseline(rows[found.base]), *told)


def described(sides: Sequence[Side], base: Side) -> tuple[str, ...]:
    """The story of sides that nobody wants to see ranked."""
    found = versus(sides, base, "policy", ranked=False)
    return story(found)


def _baseline(row: SideRow) -> str:
    failing = row.turns - row.turns_ok
    if not row.turns:
        return f"{row.name}: no conversation came to its end."
    if not failing:
        return f"{row.name}: all {row.turns} turns are right, so that there is nothing to fix."
    return f"{row.name}: {_turns(failing)} of {row.turns} fail{'s' * (failing == 1)}."


def _told(contrast: Contrast, row: SideRow, found: Versus) -> str:
    parts = [*_outcome(contrast), *_cost(contrast, row)]
    sentence = f"{contrast.name} {', '.join(parts)}"
    if not contrast.pairs:
        sentence = f"{contrast.name}: nothing to set beside {found.base}"
    elif contrast.engaged == 0:
        sentence = f"{contrast.name} never acted, so nothing is shown about it"
    if contrast.decision in ("better", "worse", "as good", "undecided"):
        than = {"better": "than", "worse": "than", "as good": "as", "undecided": "beside"}[contrast.decision]
        sentence += f". It is {contrast.decision} {than} {found.base}: {contrast.why}"
    elif contrast.why:
        sentence += f". It is not ranked: {contrast.why}"
    return f"{sentence}."


def _outcome(contrast: Contrast) -> Iterator[str]:
    if contrast.failing:
        yield f"fixes {contrast.fixed} of {_turns(contrast.failing, 'failing ')}"
    if contrast.broken:
        yield f"breaks {_turns(contrast.broken)} that {'was' if contrast.broken == 1 else 'were'} right"
    elif not contrast.failing:
        yield "breaks nothing"


def _cost(contrast: Contrast, row: SideRow) -> Iterator[str]:
    prefill = contrast.prefill
    if prefill is not None:
        more = prefill > NOTHING
        yield f"prefill ×{prefill:.1f}" if more else f"costs nothing in prefix cache (prefill ×{prefill:.1f})"
    if row.cost.summaries:
        yield f"{row.cost.summaries:,} tokens for summaries"
    if contrast.extra_steps > 0:
        yield f"{contrast.extra_steps} more step{'s' * (contrast.extra_steps != 1)}"


def _turns(number: int, kind: str = "") -> str:
    return f"{number} {kind}turn{'s' * (number != 1)}"


def in_words(found: Versus) -> Sequence[str]:
    """The outcome of the whole comparison, before its sides: whether all are ranked, and what is shown if not."""
    if found.refusals:
        return ("Not ranked: the sides are described only.", *(f"Because {reason}." for reason in found.refusals))
    left = [contrast.name for contrast in found.contrasts if contrast.decision in ("undecided", "not ranked")]
    if not left:
        return ()
    shown = [
        f"{contrast.name} is {contrast.decision}"
        for contrast in found.contrasts
        if contrast.decision in ("better", "worse", "as good")
    ]
    proven = (f"What is shown all the same, beside {found.base}: {', '.join(shown)}.",) if shown else ()
    return (f"Not all sides found their place: {', '.join(left)}.", *proven)
