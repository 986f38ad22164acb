"""One side beside the baseline: what it repaired and broke, by more than chance or not, and what that cost. Pure.

Two sides are told apart if both say so: the exact McNemar test of their paired conversations, and the test that goes
by scenarios (`paired`); the larger p of the two is adjusted by Holm for the number of sides. A side that is not told
apart is as good where the interval of the risk difference, at 5 % over all sides together, lies above the margin. What
is neither is undecided, or not ranked at all if the policy hardly acted, or if so few pairs could not have shown much.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from agenteval.outcome import StepRecord
from agenteval.paired import (
    ALPHA,
    FEWEST_SCENARIOS,
    Interval,
    clustered_p,
    detectable,
    detectable_between,
    mcnemar,
    mean_ratio,
    risk_difference,
    split,
)
from agenteval.stats import median
from agenteval.summary.costs import answered, output, prefilled, summarised
from agenteval.summary.engaged import is_control
from agenteval.summary.measures import acted
from agenteval.summary.rows import known, speeds
from agenteval.summary.sides import Axis, Played, Side, by_scenario, is_again, pairs

MIN_ENGAGED = 0.5
"""A policy that acts in a smaller share of the conversations is not what made the difference."""

MOST_DETECTABLE = 0.3
"""A comparison that would miss this difference ranks nothing that it does not prove: policies differ by less as a rule
(8 and 21 points of success in arXiv 2606.10209). Of one side 24 pairs are too few for it; 40 do where a third of them
differ, and 60 find about 20 points."""

Decision = Literal["better", "worse", "as good", "undecided", "noise", "not ranked"]
"""Of a side beside the baseline. `noise`: it is the baseline once more."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimate with the ends of its 95 % interval, None where too few scenarios stand behind it."""

    estimate: float
    low: float | None
    high: float | None

    @classmethod
    def of(cls, interval: Interval | None, scenarios: Collection[str]) -> Estimate | None:
        if interval is None:
            return None
        held = len(scenarios) >= FEWEST_SCENARIOS
        return cls(interval.estimate, interval.low if held else None, interval.high if held else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """One side beside the baseline, over the `pairs` conversations of `scenarios` that both played to their end;
    `missing`: those that both were to play, and not both did; `only_base`, `only_here`: planned on one side alone.

    `failing`: turns that fail in the baseline, `fixed` of them are right here; `broken`: the reverse. `repaired`,
    `broke`: whole conversations. `engaged`: those in which the policy acted; of two policies the one that acted less
    (None: not a matter of policies). `difference`: of the share of conversations that are right; `p`: exact McNemar's;
    `p_holm`: the larger of that and of the test by scenarios, adjusted; `detectable`: the smallest difference that such
    pairs find four times out of five; all None where nothing may be tested, `p` and `p_holm` also where nothing may be
    ranked. `ttft`, `decode`: ratios to the baseline, paired by conversation (medians, pooled speeds; None where the
    runs do not allow it); `prefill`, `output`: ratios of tokens over all requests; `extra_steps`: in the turns that are
    right on both sides, for a failing turn lacks calls that it should have made; `extra_summaries` (tokens): in all
    pairs together. `why`: what the decision rests on."""

    name: str
    pairs: int
    missing: int
    only_base: int
    only_here: int
    scenarios: int
    failing: int
    fixed: int
    broken: int
    repaired: int
    broke: int
    engaged: int | None
    difference: Estimate | None
    p: float | None
    p_holm: float | None
    detectable: float | None
    ttft: Estimate | None
    decode: Estimate | None
    prefill: float | None
    output: float | None
    extra_steps: int
    extra_summaries: int | None
    decision: Decision
    why: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A side beside the baseline, before anything is adjusted or decided."""

    name: str
    again: bool
    both: tuple[tuple[Played, Played], ...]
    missing: int
    only_base: int
    only_here: int
    timed: bool
    engaged: int | None
    differences: Mapping[str, Sequence[float]]

    @classmethod
    def of(cls, base: Side, side: Side, axis: Axis) -> Draft:
        both, planned, other = tuple(pairs(base, side)), set(base.planned), set(side.planned)
        again = is_again(side.name, base.name)
        policies = [cell for cell, one in ((0, base), (1, side)) if not is_control(one.name)]
        acts = policies if axis == "policy" and not again else []
        return cls(
            name=side.name,
            again=again,
            both=both,
            missing=sum(not (unit in base.played and unit in side.played) for unit in planned & other),
            only_base=len(planned - other),
            only_here=len(other - planned),
            timed=base.untimed is None and side.untimed is None,
            engaged=min(sum(acted(cells[at]) for cells in both) for at in acts) if acts else None,
            differences=by_scenario(both, lambda old, new: float(new.ok) - float(old.ok)),
        )

    @property
    def split(self) -> tuple[int, int]:
        """Conversations repaired, and broken."""
        return split(value for values in self.differences.values() for value in values)

    @property
    def p(self) -> float:
        """Exact McNemar's."""
        return mcnemar(*self.split)

    @property
    def worst_p(self) -> float:
        """The larger p of both tests."""
        return max(self.p, clustered_p(self.differences))

    @property
    def discordant(self) -> float:
        """Share of the pairs that differ; 0 where there are none."""
        return sum(self.split) / len(self.both) if self.both else 0.0

    def detectable(self, alpha: float, noise: float) -> float | None:
        """What both tests find, if as many pairs differ as here, or as `noise` alone makes of them."""
        exact = detectable(len(self.both), max(self.discordant, noise), alpha)
        between = detectable_between(self.differences, alpha)
        return None if exact is None or between is None else max(exact, between)

    @property
    def idle(self) -> bool:
        return self.engaged is not None and self.engaged < MIN_ENGAGED * len(self.both)

    def described(self) -> Contrast:
        """Without a test and without a rank."""
        turns = [(old.turns[at], new.turns[at]) for old, new in self.both for at in old.turns if at in new.turns]
        repaired, broke = self.split
        return Contrast(
            name=self.name,
            pairs=len(self.both),
            missing=self.missing,
            only_base=self.only_base,
            only_here=self.only_here,
            scenarios=len(self.differences),
            failing=sum(not old for old, _ in turns),
            fixed=sum(new and not old for old, new in turns),
            broken=sum(old and not new for old, new in turns),
            repaired=repaired,
            broke=broke,
            engaged=self.engaged,
            difference=None,
            p=None,
            p_holm=None,
            detectable=None,
            ttft=None,
            decode=None,
            prefill=self._ratio(prefilled),
            output=self._ratio(output),
            extra_steps=sum(_more_steps(old, new) for old, new in self.both),
            extra_summaries=self._more(summarised),
            decision="noise" if self.again else "not ranked",
            why="the baseline once more: what differs here is chance" if self.again else "",
        )

    def _counted(self, count: Callable[[Sequence[StepRecord]], int | None]) -> tuple[int | None, int | None]:
        """Of the requests of all pairs: in the baseline, and here."""
        return count(answered(old for old, _ in self.both)), count(answered(new for _, new in self.both))

    def _more(self, count: Callable[[Sequence[StepRecord]], int | None]) -> int | None:
        old, new = self._counted(count)
        return None if old is None or new is None else new - old

    def _ratio(self, count: Callable[[Sequence[StepRecord]], int | None]) -> float | None:
        old, new = self._counted(count)
        return new / old if old and new is not None else None


@dataclass(frozen=True, slots=True)
class Test:
    """What is shown of a draft by its statistics; `bound`: the interval that holds for all sides together;
    `detectable`: what could have been shown."""

    p_holm: float | None
    difference: Interval | None
    bound: Interval | None
    detectable: float | None
    ttft: Estimate | None
    decode: Estimate | None

    @classmethod
    def of(cls, draft: Draft, p_holm: float | None, alpha: float, noise: float) -> Test:
        """`alpha`: of this side alone, so that all err in 5 % together; `noise`: share of pairs that differ anyway."""
        timed = draft.both if draft.timed else ()
        ttft, decode = by_scenario(timed, _ttft_ratio), by_scenario(timed, _decode_ratio)
        return cls(
            p_holm,
            risk_difference(draft.differences),
            risk_difference(draft.differences, alpha),
            draft.detectable(alpha, noise),
            Estimate.of(mean_ratio(ttft), ttft),
            Estimate.of(mean_ratio(decode), decode),
        )

    def decision(self, draft: Draft, margin: float) -> tuple[Decision, str]:
        """Where the side stands, and why."""
        if draft.idle:
            return "not ranked", f"the policy acted in {draft.engaged} of {len(draft.both)} conversations only"
        if self.difference is None or self.bound is None or self.p_holm is None:
            return "undecided", "fewer than two scenarios"
        difference = self.difference
        points = [f"{100 * value:+.1f}" for value in (difference.estimate, difference.low, difference.high)]
        said = f"{points[0]} points [{points[1]}, {points[2]}], p {chance(self.p_holm)} (Holm)"
        if self.p_holm < ALPHA:
            return ("better" if difference.estimate > 0 else "worse"), said
        aside = "; the interval leaves 0 out, and the adjusted test does not agree: no difference is shown"
        aside = aside if difference.low > 0 or difference.high < 0 else ""
        if self.bound.low > -margin:
            return "as good", f"{said}: at most {100 * margin:g} points worse{aside}"
        if self.detectable is None or self.detectable > MOST_DETECTABLE:
            finds = "none" if self.detectable is None else f"only one from {100 * self.detectable:.0f} points on"
            return "not ranked", (
                f"{said}, and of differences {len(draft.both)} such pairs find {finds}, where "
                f"{100 * MOST_DETECTABLE:.0f} are asked for: more scenarios or trials{aside}"
            )
        return "undecided", f"{said}: neither told apart, nor at most {100 * margin:g} points worse{aside}"


def chance(p: float) -> str:
    """A p as it is written: never 0."""
    return "<0.0001" if p < 0.0001 else f"{p:.4f}"


def _more_steps(base: Played, new: Played) -> int:
    """Steps that turns took more than in the baseline, where they are right in both."""
    right = {turn for turn, ok in base.turns.items() if ok and new.turns.get(turn)}
    old, fresh = (sum(step.turn in right for step in cell.steps) for cell in (base, new))
    return fresh - old


def _ttft_ratio(base: Played, new: Played) -> float | None:
    old, fresh = (median(known(cell.steps, "ttft_ms")) for cell in (base, new))
    return fresh / old if old and fresh else None


def _decode_ratio(base: Played, new: Played) -> float | None:
    old, fresh = (speeds(cell.steps).decode_tok_s for cell in (base, new))
    return fresh / old if old and fresh else None
