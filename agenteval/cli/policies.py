"""`agenteval policies`."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill

import click

from agenteval.cli.options import OUT
from agenteval.cli.own import own_code
from agenteval.context import KNOBS, POLICIES, knobs_of, spelled
from agenteval.errors import UsageError
from agenteval.report.terminal import entry, wrapped
from agenteval.script import Scenario
from agenteval.visible import visible

MORE = (
    "Several work on one view, in order: a+b. NAME+again is NAME once more, the noise floor of a comparison. Your own: "
    "module:function with --allow-code. `agenteval run SUITE --policy suite` plays full_history, full_history+again "
    "and what the suite names, with knobs that fit it."
)


@click.group(name="policies")
def command() -> None:
    """Context policies: what the model gets to see of the history."""


@command.command(name="list")
def list_policies() -> None:
    """Names, knobs with their defaults, and what each does."""
    for name, kind in POLICIES.items():
        click.echo(entry(name, _says(name)))
        knobs = ", ".join(f"{knob}={short(spelled(default))}" for knob, default in knobs_of(kind) if spelled(default))
        if knobs:
            click.echo(fill(f"knobs: {knobs}", 80, initial_indent="    ", subsequent_indent="    "))
    click.echo(f"\n{wrapped(MORE)}")


@command.command(name="show")
@click.argument("name")
def show(name: str) -> None:
    """One policy: what it does, and each of its knobs."""
    if name not in POLICIES:
        raise UsageError(f"no policy is called {name!r}; there are: {', '.join(POLICIES)}")
    click.echo(f"{name}\n\n{wrapped(_says(name))}\n")
    for knob, default in knobs_of(POLICIES[name]):
        click.echo(entry(f"{knob}={spelled(default)}", KNOBS[knob]))


@command.command(name="view")
@click.argument("run", default="latest")
@click.option("--step", required=True, metavar="ID", help="A step's id, as in steps.jsonl.")
@click.option("--policy", metavar="NAME[:k=v,…]", help="Default: the policy that the step ran under.")
@click.option("--allow-code", is_flag=True, help="Let a policy module:function run your own code.")
@OUT
def view(run: str, step: str, policy: str | None, allow_code: bool, out: Path) -> None:
    """What a policy would send at one step of RUN (its id, its folder, or `latest`), as a diff against full history."""
    from agenteval.cli.resume import recorded_scenarios
    from agenteval.replay.policyview import policy_view
    from agenteval.store import find_run, load_run

    stored = load_run(find_run(run, out))
    unknown = ""
    scenarios: tuple[Scenario, ...] = ()
    try:
        scenarios = recorded_scenarios(stored.manifest)
    except UsageError as error:
        if stored.manifest.cells.get("begins"):
            raise
        unknown = f"\nWhich tools change nothing is not known now: {error}"
    with own_code():
        seen = policy_view(stored, step, policy, scenarios, allow_code=allow_code)
    click.echo(visible(seen + unknown))


@command.command(name="check")
@click.argument("function", metavar="MODULE:FUNCTION")
@click.option("--allow-code", is_flag=True, help="Let the function run: it is your own code.")
@click.option(
    "--transcripts", type=click.IntRange(1, 10_000), default=60, show_default=True, help="How many are tried."
)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True)
@click.option("--target", type=click.IntRange(1), metavar="N", help="Tokens (o200k) that what it returns must keep to.")
def check(function: str, allow_code: bool, transcripts: int, seed: int, target: int | None) -> int:
    """Hold a history reducer (list of OpenAI messages in, list of messages out) against the rules every view must keep.

    Exit code: 0 all rules that can be judged hold, 1 some are broken, 2 it cannot be run.
    """
    from agenteval.conformance import check_reducer, told
    from agenteval.context import load_reducer

    if not allow_code:
        raise UsageError(f"{function}: your own code runs only with --allow-code")
    with own_code():
        found = check_reducer(load_reducer(function), transcripts=transcripts, seed=seed, target=target)
    click.echo(visible(told(function, found)))
    return 1 if any(item.broken for item in found) else 0


def short(text: str) -> str:
    """A default as it fits into a list; `show` has it whole."""
    return text if len(text) <= 40 else "…"


def _says(name: str) -> str:
    return " ".join((POLICIES[name].__doc__ or "").split())
