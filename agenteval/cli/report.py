"""`agenteval report`."""

from __future__ import annotations

from pathlib import Path

import click

from agenteval.cli.options import OUT
from agenteval.cli.step import step_text
from agenteval.cli.voice import coloured
from agenteval.report import FORMATS, render_terminal
from agenteval.store import find_run, load_run
from agenteval.summary import lean, summarise


@click.command(name="report")
@click.argument("run", default="latest")
@OUT
@click.option("--format", "kind", type=click.Choice(list(FORMATS)), default="terminal", show_default=True)
@click.option("--step", metavar="ID", help="One step whole: what the model saw and said, findings, and a curl.")
def command(run: str, out: Path, kind: str, step: str | None) -> int:
    """Show RUN again: its id, its folder, or `latest`.

    On the terminal more than twelve arms of several policies are shown by their outcome; --format md has all of them.
    """
    path = find_run(run, out)
    if step is not None:
        click.echo(step_text(load_run(path), step), nl=False)
        return 0
    stored = load_run(path, lean)
    summary = summarise(stored.manifest, stored.records)
    text = render_terminal(summary, colour=coloured()) if kind == "terminal" else FORMATS[kind](summary)
    click.echo(text, nl=False)
    return 0
