"""The report for a terminal: plain text of at most 80 columns where the findings allow it, colour on request."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill

from agenteval.report.tables import (
    SIMULATED,
    Table,
    aligned,
    loss_lines,
    mode_tables,
    score_lines,
    this_run_lines,
    trial_tables,
    turn_tables,
)
from agenteval.summary import Summary
from agenteval.visible import visible

WIDTH = 80
RED, BOLD, PLAIN = "\x1b[31m", "\x1b[1m", "\x1b[0m"
SHORT_HEADERS = {
    "messages": "msgs",
    "context": "ctx",
    "decode tok/s": "tok/s",
    "chunks/s": "chunk/s",
    "tok/chunk": "tok/chk",
    "reasoning tok": "reasoning",
}


def render_terminal(summary: Summary, *, colour: bool = False) -> str:
    """The whole report."""
    parts = [wrapped(summary.title)]
    if summary.simulated:
        parts.append(SIMULATED)
    for table in (*turn_tables(summary, brief=True), *mode_tables(summary), *trial_tables(summary)):
        parts += ["", _bold(table.title, colour=colour), _coloured(drawn(table), colour=colour)]
    parts += ["", _bold("Summary", colour=colour), *map(wrapped, score_lines(summary))]
    for title, lines in (
        ("Infrastructure (in no score)", loss_lines(summary)),
        ("What fails", summary.sentences),
        ("Flaky", summary.flaky),
        ("How to read it", summary.notes),
        ("Next", summary.advice),
        ("This run", this_run_lines(summary)),
    ):
        if lines:
            parts += ["", _bold(title, colour=colour), *(wrapped(f"- {line}") for line in lines)]
    return "\n".join(parts) + "\n"


def drawn(table: Table) -> str:
    """Columns two spaces apart, a rule under the header (tabulate pads headers, which costs the 80 columns)."""
    header = tuple(SHORT_HEADERS.get(name, name) for name in table.header)
    rows = [tuple(map(visible, row)) for row in table.rows]
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    rule = tuple("-" * width for width in widths)
    sides = aligned(table.header)
    return "\n".join(_row(cells, widths, sides) for cells in (header, rule, *rows))


def _row(cells: Sequence[str], widths: Sequence[int], sides: Sequence[str]) -> str:
    placed = zip(cells, widths, sides, strict=True)
    line = "  ".join(cell.rjust(width) if side == "right" else cell.ljust(width) for cell, width, side in placed)
    return line.rstrip()


def wrapped(line: str) -> str:
    """A line of text, made harmless and broken at 80 columns; a list item's later lines are indented."""
    indent = "  " if line.startswith("- ") else ""
    return fill(visible(line), WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _bold(text: str, *, colour: bool) -> str:
    return f"{BOLD}{visible(text)}{PLAIN}" if colour else visible(text)


def _coloured(text: str, *, colour: bool) -> str:
    if not colour:
        return text
    return "\n".join(f"{RED}{line}{PLAIN}" if " FAIL " in f"{line} " else line for line in text.split("\n"))
