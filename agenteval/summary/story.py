"""What became of each side beside the baseline, in plain words: a sentence each, none of which ranks. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agenteval.summary.contrast import Contrast
from agenteval.summary.costs import Cost
from agenteval.summary.measures import SideRow
from agenteval.summary.sides import Axis, Side
from agenteval.summary.versus import Versus, versus

NOTHING = 1.05
"""A ratio of prefilled tokens up to this is no cost worth a word."""

BREAKS = {
    "policy": "its policy breaks the prefix cache",
    "template": "the chat template breaks the prefix cache",
    "history": "golden history breaks the prefix cache",
    "eviction": "the server forgot a cached prefix",
}
"""Who ended a cached prefix, as in `Cost.breaks`, in words."""


def story(found: Versus) -> tuple[str, ...]:
    """The baseline first, then every other side but its repetition."""
    rows = {row.name: row for row in found.sides}
    told = [
        _told(contrast, rows[contrast.name], rows[found.base], found.axis)
        for contrast in found.contrasts
        if contrast.decision != "noise"
    ]
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


def _told(contrast: Contrast, row: SideRow, base: SideRow, axis: Axis) -> str:
    parts = [*_outcome(contrast), *_cost(contrast, row.cost, base, axis)]
    sentence = f"{contrast.name} {', '.join(parts)}"
    if not contrast.pairs:
        sentence = f"{contrast.name}: nothing to set beside {base.name}"
    elif contrast.engaged == 0:
        sentence = f"{contrast.name} never acted, so nothing is shown about it"
    if contrast.decision in ("better", "worse", "as good", "undecided"):
        than = {"better": "than", "worse": "than", "as good": "as", "undecided": "beside"}[contrast.decision]
        sentence += f". It is {contrast.decision} {than} {base.name}: {contrast.why}"
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


def _cost(contrast: Contrast, cost: Cost, base: SideRow, axis: Axis) -> Iterator[str]:
    """What is known of it: shorter prompts may hide in the ratio of prefilled tokens what broken prefixes cost."""
    breaks, ratio = tuple(_breaks(cost, base, axis)), contrast.prefill
    if ratio is not None:
        shown = f"prefill ×{ratio:.1f}"
        if ratio <= NOTHING and breaks:
            shown += f" in all{' (shorter prompts)' if (cost.sent or 0) < (base.cost.sent or 0) else ''}"
        free = ratio <= NOTHING and not breaks and cost.reusable_share is not None
        yield f"costs nothing in prefix cache ({shown})" if free else shown
    yield from breaks
    if contrast.extra_summaries:
        more = "" if not base.cost.summaries else " more" if contrast.extra_summaries > 0 else " fewer"
        yield f"{abs(contrast.extra_summaries):,} tokens{more} for summaries"
    if contrast.extra_steps > 0:
        yield f"{contrast.extra_steps} more step{'s' * (contrast.extra_steps != 1)} in turns that are right in both"


def _breaks(cost: Cost, base: SideRow, axis: Axis) -> Iterator[str]:
    """Who ended a cached prefix more often than beside the baseline. Of policies a side that is one does it itself."""
    for who, did in BREAKS.items():
        times, beside = cost.breaks.get(who, 0), base.cost.breaks.get(who, 0)
        if times > beside:
            said = did.removeprefix("its policy ") if axis == "policy" else did
            yield f"{said} {'once' if times == 1 else f'{times} times'}{f' ({base.name}: {beside})' if beside else ''}"


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
