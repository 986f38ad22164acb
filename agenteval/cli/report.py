"""`agenteval report`."""

from __future__ import annotations

from pathlib import Path

import click

from agenteval.cli.options import OUT
from agenteval.cli.voice import coloured
from agenteval.report import FORMATS, render_terminal
from agenteval.store import find_run, load_run
from agenteval.summary import summarise


@click.command(name="report")
@click.argument("run", default="latest")
@OUT
@click.option("--format", "kind", type=click.Choice(list(FORMATS)), default="terminal", show_default=True)
def command(run: str, out: Path, kind: str) -> int:
    """Show RUN again: its id, its folder, or `latest`."""
    stored = load_run(find_run(run, out))
    summary = summarise(stored.manifest, stored.records)
    text = render_terminal(summary, colour=coloured()) if kind == "terminal" else FORMATS[kind](summary)
    click.echo(text, nl=False)
    return 0
