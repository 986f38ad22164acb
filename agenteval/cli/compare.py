"""`agenteval compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import click

from agenteval.cli.options import OUT, typed_options
from agenteval.errors import UsageError
from agenteval.report.comparison import COMPARISON_FORMATS
from agenteval.report.versus import VERSUS_FORMATS
from agenteval.store import StoredRun, find_run, load_run
from agenteval.summary import (
    AXES,
    MARGIN,
    Axis,
    Thresholds,
    Versus,
    baseline,
    compare,
    planned_otherwise,
    sides_in,
    sides_of_runs,
    unlike,
    versus,
)

EXIT_CODES = {"met": 0, "missed": 1, "undecided": 3}
CELL_BY_CELL = ("max_broken", "max_ttft_ratio", "min_decode_ratio", "allow_missing")
"""Options of a comparison cell by cell; the others belong to one of sides."""


@click.command(name="compare")
@click.argument("base")
@click.argument("new", required=False)
@OUT
@click.option("--format", "kind", type=click.Choice(list(COMPARISON_FORMATS)), default="terminal", show_default=True)
@click.option(
    "--by",
    type=click.Choice(list(AXES)),
    help="What to rank: the policies or thinking modes inside one run (default: policy), or two whole runs.",
)
@click.option(
    "--base", "wanted", metavar="NAME", help="The policy or mode that the others are compared with (full_history)."
)
@click.option(
    "--margin",
    type=click.FloatRange(0, 1),
    default=MARGIN,
    show_default=True,
    metavar="X",
    help="As good is what loses at most this share of conversations.",
)
@click.option(
    "--max-broken",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="N",
    help="So many turns may break.",
)
@click.option("--max-ttft-ratio", type=float, metavar="X", help="NEW's TTFT may be X times BASE's (default: any).")
@click.option(
    "--min-decode-ratio", type=float, metavar="X", help="NEW decodes X times as fast at least (default: any)."
)
@click.option("--allow-missing", is_flag=True, help="Leave out what BASE judged and NEW did not.")
def command(base: str, new: str | None, out: Path, kind: str, **values: Any) -> int:
    """Compare run NEW with run BASE, or rank what is inside one run.

    BASE and NEW are a run's id, its folder, or `latest`.

    Two runs, cell by cell: which turns were repaired or broke, and how the speeds moved, for each arm (scenario,
    thinking, policy). Exit code: 0 all gates met, 1 one was missed, 2 the runs are unlike or a mistake in options, 3 it
    cannot be said: too little was judged in both, or NEW lacks what BASE judged.

    With BASE alone, or with --by: which policy (thinking mode, run) is better, by more than chance, and what each
    costs. Exit code: 0 each found its place and none is worse, 1 one is worse, 2 the runs are unlike or a mistake in
    options, 3 not each found its place: the replies are simulated, scenarios are too few, conversations are missing,
    the baseline differs from itself, a policy hardly acted, or so few pairs tell no difference. What is shown of other
    sides all the same, better or worse, is then said in words; 3 comes before 1.
    """
    gates = {name: values.pop(name) for name in CELL_BY_CELL}
    runs = [load_run(find_run(reference, out)) for reference in (base, new) if reference is not None]
    typed = typed_options()
    if len(runs) == 2 and values["by"] is None:
        _refuse(typed, ("wanted", "margin"), "belongs to a ranking: give --by run, or one run alone")
        comparison = compare(runs[0], runs[1], Thresholds(**gates))
        click.echo(COMPARISON_FORMATS[kind](comparison), nl=False)
        return EXIT_CODES[comparison.verdict]
    _refuse(typed, CELL_BY_CELL, "belongs to a comparison of two runs cell by cell, without --by")
    found = _versus(runs, cast("Axis | None", values["by"]), values["wanted"], values["margin"])
    click.echo(VERSUS_FORMATS[kind](found), nl=False)
    if not found.decided:
        return 3
    return 1 if found.worse else 0


def _refuse(typed: dict[str, str], names: tuple[str, ...], why: str) -> None:
    for name in names:
        if name in typed:
            raise UsageError(f"{typed[name]} {why}")


def _versus(runs: list[StoredRun], by: Axis | None, wanted: str | None, margin: float) -> Versus:
    if len(runs) == 2:
        if by != "run":
            raise UsageError(f"--by {by} ranks what is inside one run: give one run, or --by run for two")
        if reasons := unlike(*(run.manifest for run in runs)):
            raise UsageError(f"these runs cannot be compared: {'; '.join(reasons)}")
        sides = sides_of_runs({"BASE": runs[0], "NEW": runs[1]})
        if wanted is not None:
            raise UsageError("--base names a policy or a mode inside one run; of two runs the first is the baseline")
        axis: Axis = "run"
    else:
        if by == "run":
            raise UsageError("--by run ranks two runs: name the second one")
        axis = by or "policy"
        sides = sides_in(runs[0].manifest, runs[0].records, axis)
        if len(sides) < 2:
            option, what = ("--policy", "policy") if axis == "policy" else ("--thinking", "thinking mode")
            raise UsageError(
                f"run {runs[0].manifest.run} has one {what} only ({sides[0].name}): give a second run, or make one "
                f"with several {option}"
            )
    chosen = baseline(sides, wanted)
    notes = planned_otherwise(runs, axis, chosen.name, margin)
    return versus(sides, chosen, axis, margin=margin, notes=notes)
