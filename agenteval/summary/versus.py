"""A comparison of sides, ranked only where a ranking can be trusted. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from agenteval.paired import ALPHA, FEWEST_SCENARIOS, holm
from agenteval.summary.contrast import Contrast, Draft, Estimate, Test
from agenteval.summary.engaged import never_acted, otherwise_notes
from agenteval.summary.measures import SideRow, side_row
from agenteval.summary.recalls import recall_notes
from agenteval.summary.sides import Axis, Side, lacking

MARGIN = 0.05
"""So much success may be lost by what is called as good, unless asked otherwise."""


@dataclass(frozen=True, slots=True)
class Versus:
    """`sides`: each as measured, the baseline first; `contrasts`: the others beside it. `refusals`: why nothing is
    ranked; empty if it is. `power`: what so many pairs can show; `notes`: how to read it."""

    axis: Axis
    base: str
    simulated: bool
    margin: float
    sides: tuple[SideRow, ...]
    contrasts: tuple[Contrast, ...]
    refusals: tuple[str, ...]
    power: str
    notes: tuple[str, ...]

    @property
    def decided(self) -> bool:
        """Whether each side found its place."""
        return not self.refusals and all(c.decision not in ("undecided", "not ranked") for c in self.contrasts)

    @property
    def worse(self) -> bool:
        """Whether any was shown to be worse than the baseline."""
        return any(contrast.decision == "worse" for contrast in self.contrasts)


def versus(
    sides: Sequence[Side],
    base: Side,
    axis: Axis,
    *,
    margin: float = MARGIN,
    notes: Sequence[str] = (),
    ranked: bool = True,
) -> Versus:
    """Set all sides beside the baseline. `notes`: what else a reader has to know; not `ranked`: nothing is tested."""
    others = [side for side in sides if side is not base]
    drafts = [Draft.of(base, side, axis) for side in others]
    simulated = any(side.simulated for side in sides)
    noise = next((draft for draft in drafts if draft.again), None)
    lost = {base.name: lacking(base, others), **{side.name: lacking(side, (base,)) for side in others}}
    refusals = tuple(_refusals(drafts, noise, lost, simulated=simulated)) if ranked else ()
    contrasts = [draft.described() for draft in drafts]
    if ranked and not simulated:
        contrasts = _tested(drafts, contrasts, margin, noise, ranked=not refusals)
    return Versus(
        axis=axis,
        base=base.name,
        simulated=simulated,
        margin=margin,
        sides=tuple(side_row(side) for side in (base, *others)),
        contrasts=tuple(contrasts),
        refusals=refusals,
        power=_power(contrasts) if ranked and not simulated else "",
        notes=(
            *notes,
            *dict.fromkeys(side.untimed for side in sides if side.untimed),
            *(
                note
                for side in sides
                for note in recall_notes(side.steps(), "" if axis == "policy" else f"{side.name}, ")
            ),
            *(note for side in sides for note in otherwise_notes(side.steps(), side.name)),
            *_notes(drafts, base, noise, simulated=simulated),
            *_unlike_work(contrasts),
            *_bare(contrasts),
            *(_family(drafts) if ranked and not simulated and not refusals else ()),
        ),
    )


def _tested(
    drafts: Sequence[Draft], contrasts: Sequence[Contrast], margin: float, noise: Draft | None, *, ranked: bool
) -> list[Contrast]:
    """The contrasts with their statistics, and with a decision if there may be a ranking."""
    ps = holm([draft.worst_p for draft in drafts if not draft.again])
    adjusted, alpha = iter(ps), ALPHA / max(1, len(ps))
    found = []
    for draft, contrast in zip(drafts, contrasts, strict=True):
        p_holm = None if draft.again else next(adjusted)
        test = Test.of(draft, p_holm, alpha, noise.discordant if noise else 0.0)
        decision, why, shown = contrast.decision, contrast.why, ranked and not draft.idle
        if ranked and not draft.again:
            decision, why = test.decision(draft, margin)
        found.append(
            replace(
                contrast,
                difference=Estimate.of(test.difference, draft.differences),
                p=draft.p if shown else None,
                p_holm=test.p_holm if shown else None,
                detectable=None if draft.again else test.detectable,
                ttft=test.ttft,
                decode=test.decode,
                decision=decision,
                why=why,
            )
        )
    return found


def _refusals(
    drafts: Sequence[Draft], noise: Draft | None, lost: Mapping[str, int], *, simulated: bool
) -> Iterator[str]:
    """Why nothing may be ranked, most basic first. `lost`: conversations that each side did not bring to their end."""
    if simulated:
        yield "replies are simulated: the built-in endpoint is deterministic, and repetitions of it are no evidence"
        return
    if not any(draft.both for draft in drafts):
        yield "no conversation came to its end in two of the sides"
        return
    fewest = min(len(draft.differences) for draft in drafts)
    if fewest < FEWEST_SCENARIOS:
        yield (
            f"not enough scenarios: {fewest} are paired, and below {FEWEST_SCENARIOS} an interval does not hold what "
            "it says (more trials do not help: trials of one scenario resemble each other)"
        )
    if lacks := [f"{name} lacks {number}" for name, number in lost.items() if number]:
        yield f"conversations did not come to their end, and which may be no accident: {'; '.join(lacks)}"
    if noise is not None and noise.worst_p < ALPHA:
        yield "the baseline differs from itself by more than chance: something else than the sides changed in between"


def _power(contrasts: Sequence[Contrast]) -> str:
    """What so many pairs can show, of the side that shows least."""
    sides = [contrast for contrast in contrasts if contrast.decision != "noise"]
    if not sides:
        return ""
    least = max(sides, key=lambda contrast: 2.0 if contrast.detectable is None else contrast.detectable)
    found = least.detectable
    finds = "find no difference reliably" if found is None else f"find a difference of {found * 100:.0f} points"
    beside = f" ({least.name})" if len(sides) > 1 else ""
    over = f" over all {len(sides)} sides" if len(sides) > 1 else ""
    pairs = f"{least.pairs} pair{'s' * (least.pairs != 1)}"
    return (
        f"{pairs}{beside} {finds} (four times out of five, at 5 %{over}, if as many of them differ as here "
        "and scenarios as much from each other)."
    )


def _unlike_work(contrasts: Sequence[Contrast]) -> Iterator[str]:
    """Where ratios of tokens set the work of turns that fail beside that of turns that do not."""
    if any(contrast.fixed or contrast.broken for contrast in contrasts):
        yield (
            "Where turns are fixed or broken, the ratios of prefill and output set unlike work side by side: they "
            "count all requests, those too which a failing turn never came to make."
        )


def _bare(contrasts: Sequence[Contrast]) -> Iterator[str]:
    """Where an estimate stands without its interval."""
    shown = [item for contrast in contrasts for item in (contrast.difference, contrast.ttft, contrast.decode) if item]
    if any(item.low is None for item in shown):
        yield (
            f"No interval is shown (–) where there are not enough scenarios: below {FEWEST_SCENARIOS} with a value on "
            "both sides it would not hold what it says."
        )


def _family(drafts: Sequence[Draft]) -> Iterator[str]:
    """Where sides are adjusted for that are not ranked: which of them act is seen only afterwards."""
    sides = [draft for draft in drafts if not draft.again]
    idle = [draft.name for draft in sides if draft.idle]
    if idle and len(sides) > 1:
        yield (
            f"Each p is adjusted for all {len(sides)} sides, also for {', '.join(idle)}, which cannot be ranked: they "
            "were planned, and this errs on the safe side."
        )


def _notes(drafts: Sequence[Draft], base: Side, noise: Draft | None, *, simulated: bool) -> Iterator[str]:
    yield from never_acted([draft.name for draft in drafts if draft.engaged == 0 and draft.both])
    for draft in drafts:
        if draft.only_base or draft.only_here:
            yield (
                f"Planned in {base.name} only: {draft.only_base} conversations; in {draft.name} only: "
                f"{draft.only_here}. They make no pairs, and stand in the numbers of their own side alone."
            )
    if simulated:
        return
    if noise is None:
        yield f"There is no noise floor: --policy {base.name}+again in the run would be the baseline once more."
    elif noise.both:
        repaired, broke = noise.split
        yield (
            f"Noise floor: the baseline once more differs from itself in {repaired + broke} of {len(noise.both)} "
            f"conversations ({repaired} better, {broke} worse)."
        )
