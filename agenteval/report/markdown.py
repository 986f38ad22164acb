"""The report as markdown, for a file or an issue. Text from models and servers is escaped."""

from __future__ import annotations

import html
import re

from tabulate import tabulate

from agenteval.report.tables import (
    SIMULATED,
    Table,
    aligned,
    latency_tables,
    loss_lines,
    mode_tables,
    policy_tables,
    score_lines,
    this_run_lines,
    trial_tables,
    turn_tables,
)
from agenteval.summary import Summary
from agenteval.visible import visible


def render_markdown(summary: Summary) -> str:
    """The whole report."""
    parts = ["# agenteval run", "", escaped(summary.title), ""]
    if summary.simulated:
        parts += [f"**{SIMULATED}**", ""]
    for table in (
        *turn_tables(summary),
        *mode_tables(summary),
        *policy_tables(summary),
        *trial_tables(summary),
        *latency_tables(summary),
    ):
        parts += [f"## {escaped(table.title)}", "", drawn(table), ""]
    parts += ["## Summary", "", *(f"- {escaped(line)}" for line in score_lines(summary)), ""]
    for title, lines in (
        ("Infrastructure (in no score)", loss_lines(summary)),
        ("What fails", summary.sentences),
        ("What the policies changed", summary.story),
        ("Flaky", summary.flaky),
        ("How to read it", summary.notes),
        ("Next", summary.advice),
        ("This run", this_run_lines(summary)),
    ):
        if lines:
            parts += [f"## {title}", "", *(f"- {escaped(line)}" for line in lines), ""]
    return "\n".join(parts)


def escaped(text: str) -> str:
    """Text that markdown and HTML show as it is, on one line."""
    flat = " ".join(html.escape(visible(text), quote=False).split())
    return re.sub(r"([\\`*_\[\]|#])", r"\\\1", flat)


def drawn(table: Table) -> str:
    """A table in markdown, its cells escaped."""
    rows = [[escaped(cell) for cell in row] for row in table.rows]
    return tabulate(rows, headers=table.header, tablefmt="pipe", colalign=aligned(table.header), disable_numparse=True)
