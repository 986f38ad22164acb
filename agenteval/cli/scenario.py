"""`agenteval scenario`."""

from __future__ import annotations

import click

from agenteval.cli.voice import tell
from agenteval.scenario import bundled_names, lint, load_suite


@click.group(name="scenario")
def command() -> None:
    """List and check scenario files."""


@command.command(name="list")
@click.argument("suites", nargs=-1, metavar="[SUITE]...")
def list_scenarios(suites: tuple[str, ...]) -> None:
    """Scenarios of some suites (default: all bundled ones), with turns, tags and what each is for."""
    for suite in suites or bundled_names():
        for scenario in load_suite(suite).scenarios:
            tags = f" [{', '.join(scenario.tags)}]" if scenario.tags else ""
            click.echo(f"{suite}/{scenario.name}: {len(scenario.turns)} turns{tags}")
            click.echo(f"    {scenario.description}")


@command.command(name="lint")
@click.argument("suites", nargs=-1, required=True, metavar="SUITE...")
def lint_suites(suites: tuple[str, ...]) -> int:
    """Check scenario files; all mistakes are shown at once. Exit code 2 if there are any."""
    problems = [problem for suite in suites for problem in lint(suite)]
    for problem in problems:
        click.echo(str(problem))
    if not problems:
        tell("No mistakes found.")
    return 2 if problems else 0
