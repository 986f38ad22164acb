"""SUITE arguments → scenarios."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from agenteval.errors import FileError, UsageError
from agenteval.scenario import expanded, lint, load_suite
from agenteval.script import Scenario


def title_of_suites(suites: Sequence[str]) -> str:
    """A name for a run of these suites."""
    return "+".join(Path(suite).resolve().stem for suite in suites)[:60]


def load_scenarios(suites: Sequence[str], tags: Sequence[str]) -> tuple[Scenario, ...]:
    """All scenarios of the suites with one of the tags, if tags are given. Raises UsageError."""
    suites = expanded(suites)
    problems = tuple(problem for suite in suites for problem in lint(suite))
    if problems:
        raise FileError(problems)
    found = [scenario for suite in suites for scenario in load_suite(suite).scenarios]
    names = [scenario.name for scenario in found]
    if twice := {name for name in names if names.count(name) > 1}:
        raise UsageError(f"two of the suites hold a scenario called {', '.join(sorted(twice))}")
    chosen = tuple(item for item in found if not tags or set(tags) & set(item.tags))
    if not chosen:
        existing = ", ".join(sorted({tag for item in found for tag in item.tags})) or "none"
        raise UsageError(f"no scenario has the tag {' or '.join(tags)}; tags there: {existing}")
    return chosen
