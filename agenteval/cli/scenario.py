"""`agenteval scenario`."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import click

from agenteval.calibration import CONTROLS, calibration_problems
from agenteval.cli.suites import load_scenarios
from agenteval.cli.voice import tell
from agenteval.dialects import ALWAYS_THINKING
from agenteval.errors import Problem, UsageError
from agenteval.prompts import FORMATS
from agenteval.report.scenario import render_scenario
from agenteval.report.terminal import entry
from agenteval.scenario import ALL, expanded, lint, load_suite
from agenteval.scenario.loader import load
from agenteval.scenario.starter import starter
from agenteval.script import Scenario
from agenteval.store.starter import write_new
from agenteval.thinking import MODES, Thinking
from agenteval.visible import visible


@click.group(name="scenario")
def command() -> None:
    """Write, list, check and show scenario files.

    A scenario is one YAML file: a system prompt, tools with rules that say how they answer, what the user says turn
    by turn, and what should come of it. A SUITE is a folder of them, a single file, or a bundled name (all:
    every bundled suite).

    \b
    agenteval scenario new my-first         a commented start: my-first.yaml
    agenteval scenario lint my-first.yaml   every mistake, with line and column
    agenteval scenario show my-first.yaml   what the model will see, with tokens
    agenteval run my-first.yaml             play it

    The format on one page is scenarios/README.md, every key and matcher scenarios/FORMAT.md; editors complete and
    check files by scenarios/schema.json, which a new file names in its first line.
    """


@command.command(name="new")
@click.argument("name", metavar="NAME")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="The folder to write into; default: this one.",
)
def new_scenario(name: str, out: Path) -> None:
    """Write NAME.yaml, a commented scenario that runs as it is. A file that is there stays."""
    path = out / f"{name}.yaml"
    write_new(path, starter(name, out))
    click.echo(visible(str(path)))
    tell(f"Written. It runs as it is: agenteval run {path} (its first lines say what else there is)")


@command.command(name="list", short_help="Scenarios with turns, tags and what each is for.")
@click.argument("suites", nargs=-1, metavar="[SUITE]...")
def list_scenarios(suites: tuple[str, ...]) -> None:
    """Scenarios of some suites (default: all bundled ones), with turns, tags and what each is for."""
    for suite in expanded(suites or (ALL,)):
        for scenario in load_suite(suite).scenarios:
            tags = f" [{', '.join(scenario.tags)}]" if scenario.tags else ""
            click.echo(entry(f"{suite}/{scenario.name}: {len(scenario.turns)} turns{tags}", scenario.description))


@command.command(name="lint")
@click.argument("suites", nargs=-1, required=True, metavar="SUITE...")
@click.option(
    "--files-only", is_flag=True, help="Do not play scenarios that declare facts: seconds in place of minutes."
)
def lint_suites(suites: tuple[str, ...], files_only: bool) -> int:
    """Check scenario files, and play them as they should go. All mistakes are shown at once; if any, exit code 2.

    Scenarios that declare facts are then played on the built-in endpoint with nothing wrong: at least 95 % of their
    turns must be right with everything in view and with only what is needed, and each policy that the suite names must
    act at least twice before the last fact is needed, with a target above what nothing can take away.
    """
    problems = [problem for suite in expanded(suites) for problem in lint(suite)]
    if not problems and not files_only:
        problems = [problem for suite in expanded(suites) for problem in _calibrated(suite)]
    for problem in problems:
        click.echo(visible(str(problem)))
    if not problems:
        tell("No mistakes found.")
    return 2 if problems else 0


def _calibrated(suite: str) -> list[Problem]:
    loaded = load(suite)
    played = sum(bool(scenario.facts) for scenario in loaded.suite.scenarios)
    if not played:
        return []
    tell(f"Playing {played} scenarios of {suite} under {len(CONTROLS) + len(loaded.suite.policies)} policies ...")
    return list(dict.fromkeys(calibration_problems(loaded)))


@command.command(name="show", short_help="What the model will see, with tokens per part.")
@click.argument("suite", metavar="SUITE")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="As that of a run.")
@click.option("--turn", type=click.IntRange(1), metavar="N", help="Only this turn, as it comes after those before.")
@click.option("--thinking", type=click.Choice(MODES), help="The thinking mode; default: off where it can be had.")
@click.option(
    "--family",
    type=click.Choice(list(FORMATS)),
    default="glm47",
    show_default=True,
    help="Whose prompt is counted; harmony: gpt-oss.",
)
def show_scenarios(suite: str, seed: int, turn: int | None, thinking: str | None, family: str) -> None:
    """What the model will see if all goes as it should: texts, calls and results, with the tokens of each."""
    chosen = _with_turn(suite, turn)
    mode = _mode(thinking, family)
    shown = [render_scenario(item, seed=seed, thinking=mode, turn=turn, family=family) for item in chosen]
    click.echo("\n".join(shown), nl=False)


def _mode(asked: str | None, family: str) -> Thinking:
    """The mode to show. Raises UsageError for one that the family does not have."""
    if family in ALWAYS_THINKING and asked not in (None, "on"):
        raise UsageError(f"a model of family {family} always thinks, and drops its thoughts: leave --thinking out")
    return cast(Thinking, asked or ("on" if family in ALWAYS_THINKING else "off"))


def _with_turn(suite: str, turn: int | None) -> list[Scenario]:
    """The scenarios of a suite that have this turn."""
    scenarios = load_scenarios([suite], ())
    longest = max(len(item.turns) for item in scenarios)
    if turn is not None and turn > longest:
        raise UsageError(f"{suite} has no turn {turn}: its longest scenario has {longest}")
    return [item for item in scenarios if turn is None or turn <= len(item.turns)]
