"""The report for a terminal: plain text of at most 80 columns where the findings allow it, colour on request."""

from __future__ import annotations

from textwrap import fill

from tabulate import tabulate

from agenteval.report.tables import SIMULATED, Table, aligned, mode_tables, score_lines, turn_tables
from agenteval.summary import Summary

WIDTH = 80
GREEN, RED, BOLD, PLAIN = "\x1b[32m", "\x1b[31m", "\x1b[1m", "\x1b[0m"
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
    parts = [f"run {summary.run}", fill(summary.title, WIDTH)]
    if summary.simulated:
        parts.append(SIMULATED)
    for table in (*turn_tables(summary), *mode_tables(summary)):
        parts += ["", _bold(table.title, colour=colour), _coloured(_drawn(table), colour=colour)]
    parts += ["", _bold("Summary", colour=colour), *map(_wrapped, score_lines(summary))]
    for title, lines in (("What fails", summary.sentences), ("How to read it", summary.notes), ("Next", summary.advice)):
        if lines:
            parts += ["", _bold(title, colour=colour), *(_wrapped(f"- {line}") for line in lines)]
    return "\n".join(parts) + "\n"


def _drawn(table: Table) -> str:
    header = [SHORT_HEADERS.get(name, name) for name in table.header]
    return tabulate(
        table.rows, headers=header, tablefmt="simple", colalign=aligned(table.header), disable_numparse=True
    )


def _wrapped(line: str) -> str:
    indent = "  " if line.startswith("- ") else ""
    return fill(line, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _bold(text: str, *, colour: bool) -> str:
    return f"{BOLD}{text}{PLAIN}" if colour else text


def _coloured(text: str, *, colour: bool) -> str:
    if not colour:
        return text
    return "\n".join(f"{RED}{line}{PLAIN}" if " FAIL " in f"{line} " else line for line in text.split("\n"))
