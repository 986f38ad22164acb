"""What keeps scenarios from measuring policies, file by file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agenteval.calibration.played import SEED, played
from agenteval.context import build_policy, marked_rules
from agenteval.errors import Problem, UsageError
from agenteval.run import Accountant, lengths
from agenteval.scenario import bind
from agenteval.scenario.loader import Loaded, Source
from agenteval.script import Scenario
from agenteval.simulator import PROFILES

SOLVED = 0.95
"""Share of the turns that must be ok with everything in view, and with what is needed."""
SMALL = 4000
"""Of a scenario's sizes those up to so many tokens must be solved with everything in view."""
TWICE = 2
CONTROLS = {"full_history": "everything", "oracle_context": "only what is needed"}
HEALTHY = PROFILES["healthy"]


def calibration_problems(loaded: Loaded) -> Iterator[Problem]:
    """Of scenarios that declare facts; nothing else is played."""
    for source in loaded.sources:
        if source.scenario.facts:
            yield from _unsolved(source)
            yield from _idle(source, loaded.suite.policies)
            yield from _out_of_reach(source, loaded.suite.policies)


def _unsolved(source: Source) -> Iterator[Problem]:
    scenario = source.scenario
    for policy, view in CONTROLS.items():
        if policy == "full_history" and source.size is not None and source.size > SMALL:
            continue
        ok = played(scenario, policy, HEALTHY).ok
        if ok < SOLVED:
            message = (
                f"{scenario.name}: with {view} in view ({policy}) only {ok:.0%} of the turns are right on the healthy "
                f"profile, below {SOLVED:.0%}: it measures the model and not the policy"
            )
            yield source.document.problem(("name",), message)


def _idle(source: Source, policies: Sequence[str]) -> Iterator[Problem]:
    scenario = source.scenario
    names = [policy.partition(":")[0] for policy in policies]
    for name in scenario.idle:
        if name not in names:
            message = f"{name} is no policy of the suite; there are {', '.join(names) or 'none'}"
            yield source.document.problem(("idle", name), message, key=True)
    for name, policy in zip(names, policies, strict=True):
        try:
            build_policy(policy)
        except UsageError as error:
            yield source.document.problem(("name",), f"in the suite's policies: {error}")
            continue
        acted = _acted(scenario, policy)
        if acted < TWICE and name not in scenario.idle:
            message = (
                f"{scenario.name}: {policy} acts {acted} times before the last fact is needed, and twice is asked for; "
                f"write `idle: {{{name}: why}}` if it has nothing to do here"
            )
            yield source.document.problem(("facts",), message, key=True)
        elif acted >= TWICE and name in scenario.idle:
            yield source.document.problem(("idle", name), f"{scenario.name}: it acts {acted} times", key=True)


def _out_of_reach(source: Source, policies: Sequence[str]) -> Iterator[Problem]:
    """Targets below what no policy takes away: one that cannot get there acts as often as it may."""
    family = HEALTHY.client_family
    fixed = lengths(bind(source.scenario, SEED), Accountant(family), family).fixed
    low = [policy for policy in policies if _target(policy, fixed) < fixed]
    if low:
        more = f" (and of {len(low) - 1} more)" if len(low) > 1 else ""
        message = (
            f"{source.scenario.name}: system, tools and the first user message alone take {fixed:,} tokens: the target "
            f"of {low[0]}{more} can never be met"
        )
        yield source.document.problem(("name",), message)


def _target(policy: str, otherwise: int) -> int:
    """The lowest target of a policy's rules."""
    try:
        return min((rule.target for rule in marked_rules(policy) if rule.target is not None), default=otherwise)
    except UsageError:  # told by `_idle`
        return otherwise


def _acted(scenario: Scenario, policy: str) -> int:
    last = max((fact.needed, fact.needed_call or 1) for fact in scenario.facts)
    return played(scenario, policy, HEALTHY).acted_before(*last)
