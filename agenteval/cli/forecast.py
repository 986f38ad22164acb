"""Before a run: what its policies cannot do in it, by the sizes of its scenarios when all goes well."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agenteval.context import POLICIES, Rule, names_code, parse_rules
from agenteval.dialects import sent_history
from agenteval.run import Accountant, Cell, Plan
from agenteval.script import Scenario
from agenteval.tokens import Calibration
from agenteval.tools import beginning, play


@dataclass(frozen=True, slots=True)
class Sizes:
    """Tokens of one scenario: what system prompt and tools alone take, and its longest prompt when all goes well."""

    fixed: int
    longest: int


def forecast(plan: Plan, cells: Sequence[Cell], family: str | None) -> Iterator[str]:
    """A sentence for each policy whose marks are below what it can reach, or above what most conversations have.
    `cells` are those of the plan. Counted without thoughts, which no plan knows, and by characters where the family is
    unknown."""
    marked = {text: rules for text in plan.policies if (rules := _marked(text))}
    if not marked:
        return
    accountant = Accountant(family)
    scenarios = {cell.scenario.name: cell.scenario for cell in cells}
    sizes = [_sizes(scenario, accountant, family) for scenario in scenarios.values()]
    each = len(plan.thinking) * plan.trials
    for text, rules in marked.items():
        said = [part for rule in rules for part in (*_too_low(rule, sizes), *_too_high(rule, sizes, each))]
        if said:
            yield f"Policy {text}: {'; '.join(dict.fromkeys(said))}."


def _marked(text: str) -> list[Rule]:
    """The rules of a policy that act above so many tokens."""
    if names_code(text):
        return []
    return [rule for rule in parse_rules(text, POLICIES) if rule.trigger.tokens is not None]


def _sizes(scenario: Scenario, accountant: Accountant, family: str | None) -> Sizes:
    scale = accountant.scale("off")
    begun = sent_history(beginning(scenario), "off", family).messages
    said = [message for turn in play(scenario) for message in (turn.user, *turn.messages)]
    while said and said[-1].role == "assistant":
        said.pop()
    fixed, longest = (
        scale.size(messages, scenario.tool_specs).estimate(Calibration()) for messages in (begun[:1], (*begun, *said))
    )
    return Sizes(fixed, longest)


def _too_low(rule: Rule, sizes: Sequence[Sizes]) -> Iterator[str]:
    """A low mark, or both, below what no policy can take away."""
    high, low = rule.trigger.tokens or 0, rule.target or 0
    fixed = sorted(size.fixed for size in sizes if size.fixed > low)
    if not fixed:
        return
    take = f"{fixed[0]:,}" if fixed[0] == fixed[-1] else f"{fixed[0]:,} to {fixed[-1]:,}"
    where = "" if len(sizes) == 1 else f" in {len(fixed)} of {len(sizes)} scenarios"
    below = f"its target of {low:,} tokens is below the {take} that system and tools alone take{where}"
    if fixed[-1] > high:
        yield f"{below}: it will act at each opportunity and never reach it"
    else:
        yield f"{below}: once it acts it will never reach it"


def _too_high(rule: Rule, sizes: Sequence[Sizes], each: int) -> Iterator[str]:
    """A trigger that stays out of reach in more than half of the conversations."""
    trigger = rule.trigger
    if trigger.tokens is None or trigger.always or trigger.on_error or trigger.turns or trigger.tool_uses:
        return
    silent = sum(size.longest <= trigger.tokens for size in sizes) * each
    planned = len(sizes) * each
    if silent * 2 > planned:
        where = f"in {silent} of {planned} conversations as planned"
        yield f"its trigger of {trigger.tokens:,} tokens is not reached {where}"
