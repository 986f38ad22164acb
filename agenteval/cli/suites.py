"""SUITE arguments → scenarios."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from agenteval.context import canonical_policy, names_code
from agenteval.errors import FileError, UsageError
from agenteval.scenario import expanded, linted, load_suite
from agenteval.script import Scenario


def title_of_suites(suites: Sequence[str]) -> str:
    """A name for a run of these suites."""
    return "+".join(Path(suite).resolve().stem for suite in suites)[:60]


OF_SUITE = "suite"
"""Stands for full_history, that once more, and all policies that the chosen suites name."""
CONTROLS = ("full_history", "full_history+again")
"""The baseline, and the same once more: how far they differ is noise."""


def spelled_policies(wanted: Sequence[str], suites: Sequence[str]) -> tuple[str, ...]:
    """Policies with `suite` spelled out. Raises UsageError if it stands for nothing."""
    if OF_SUITE not in wanted:
        return tuple(wanted)
    named = _policies_of(suites)
    if not named:
        raise UsageError(
            f"--policy {OF_SUITE}: {', '.join(suites)} names no policies (`policies:` in a suite.yaml; the bundled "
            "suite context does): name them with --policy NAME"
        )
    for policy in named:
        if names_code(policy):
            raise UsageError(f"a suite's file may name no code, and one names {policy}: give it with --policy {policy}")
    typed = {canonical_policy(text) for text in wanted if text != OF_SUITE}
    more = [text for text in dict.fromkeys((*CONTROLS, *named)) if canonical_policy(text) not in typed]
    first = wanted.index(OF_SUITE)
    return (*wanted[:first], *more, *(text for text in wanted[first:] if text != OF_SUITE))


def names_others(suites: Sequence[str], policies: Sequence[str]) -> bool:
    """Whether `--policy suite` would stand for any but these."""
    return not set(policies).issuperset(_policies_of(suites))


def _policies_of(suites: Sequence[str]) -> list[str]:
    return [policy for suite in expanded(suites) for policy in load_suite(suite).policies]


def load_scenarios(suites: Sequence[str], tags: Sequence[str]) -> tuple[Scenario, ...]:
    """All scenarios of the suites with one of the tags, if tags are given. Raises UsageError."""
    loaded = [linted(suite) for suite in expanded(suites)]
    if problems := tuple(problem for suite in loaded for problem in suite.problems):
        raise FileError(problems)
    found = [scenario for suite in loaded for scenario in suite.suite.scenarios]
    names = [scenario.name for scenario in found]
    if twice := {name for name in names if names.count(name) > 1}:
        raise UsageError(f"two of the suites hold a scenario called {', '.join(sorted(twice))}")
    chosen = tuple(item for item in found if not tags or set(tags) & set(item.tags))
    if not chosen:
        existing = ", ".join(sorted({tag for item in found for tag in item.tags})) or "none"
        raise UsageError(f"no scenario has the tag {' or '.join(tags)}; tags there: {existing}")
    return chosen
