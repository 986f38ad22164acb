"""Before a run: what its policies cannot do in it, by the sizes of its scenarios when all goes well."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agenteval.context import Rule, marked_rules
from agenteval.run import Accountant, Cell, Lengths, Plan, lengths


def forecast(plan: Plan, cells: Sequence[Cell], family: str | None) -> Iterator[str]:
    """A sentence for each policy whose marks are below what it can reach, or above what most conversations have.
    `cells` are those of the plan."""
    marked = {text: rules for text in plan.policies if (rules := marked_rules(text))}
    if not marked:
        return
    accountant = Accountant(family)
    scenarios = {cell.scenario.name: cell.scenario for cell in cells}
    sizes = [lengths(scenario, accountant, family) for scenario in scenarios.values()]
    each = len(plan.thinking) * plan.trials
    for text, rules in marked.items():
        said = [part for rule in rules for part in (*_too_low(rule, sizes), *_too_high(rule, sizes, each))]
        if said:
            yield f"Policy {text}: {'; '.join(dict.fromkeys(said))}."


def _too_low(rule: Rule, sizes: Sequence[Lengths]) -> Iterator[str]:
    """A low mark, or both, below what no policy can take away."""
    high, low = rule.trigger.tokens or 0, rule.target or 0
    fixed = sorted(size.fixed for size in sizes if size.fixed > low)
    if not fixed:
        return
    take = f"{fixed[0]:,}" if fixed[0] == fixed[-1] else f"{fixed[0]:,} to {fixed[-1]:,}"
    where = "" if len(sizes) == 1 else f" in {len(fixed)} of {len(sizes)} scenarios"
    below = (
        f"its target of {low:,} tokens is below the {take} that system, tools and the first user message take{where}"
    )
    if fixed[-1] > high:
        yield f"{below}: it will act at each opportunity and never reach it"
    else:
        yield f"{below}: once it acts it will never reach it"


def _too_high(rule: Rule, sizes: Sequence[Lengths], each: int) -> Iterator[str]:
    """A trigger that stays out of reach in more than half of the conversations."""
    trigger = rule.trigger
    if trigger.tokens is None or trigger.always or trigger.on_error or trigger.turns or trigger.tool_uses:
        return
    silent = sum(size.longest <= trigger.tokens for size in sizes) * each
    planned = len(sizes) * each
    if silent * 2 > planned:
        where = f"in {silent} of {planned} conversations as planned"
        yield f"its trigger of {trigger.tokens:,} tokens is not reached {where}"
