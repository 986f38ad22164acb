"""`agenteval compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from agenteval.cli.options import OUT
from agenteval.report.comparison import COMPARISON_FORMATS
from agenteval.store import find_run, load_run
from agenteval.summary import Thresholds, compare

EXIT_CODES = {"met": 0, "missed": 1, "undecided": 3}


@click.command(name="compare")
@click.argument("base")
@click.argument("new")
@OUT
@click.option("--format", "kind", type=click.Choice(list(COMPARISON_FORMATS)), default="terminal", show_default=True)
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
def command(base: str, new: str, out: Path, kind: str, **thresholds: Any) -> int:
    """Compare run NEW with run BASE, cell by cell: which turns were repaired or broke, and how the speeds moved.

    BASE and NEW are a run's id, its folder, or `latest`. Ratios hold for each arm (scenario, thinking, policy).
    Exit code: 0 all gates met, 1 one was missed, 2 the runs are unlike or a mistake in options, 3 it cannot be said:
    too little was judged in both, or NEW lacks what BASE judged.
    """
    comparison = compare(load_run(find_run(base, out)), load_run(find_run(new, out)), Thresholds(**thresholds))
    click.echo(COMPARISON_FORMATS[kind](comparison), nl=False)
    return EXIT_CODES[comparison.verdict]
