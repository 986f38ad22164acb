"""The report for a terminal: plain text of at most 80 columns where the findings allow it, colour on request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from textwrap import fill

from agenteval.report.tables import (
    SIMULATED,
    Table,
    aligned,
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

WIDTH = 80
RED, BOLD, PLAIN = "\x1b[31m", "\x1b[1m", "\x1b[0m"
SHORT_HEADERS = {
    "messages": "msgs",
    "context": "ctx",
    "decode tok/s": "tok/s",
    "chunks/s": "chunk/s",
    "tok/chunk": "tok/chk",
    "reasoning tok": "reasoning",
    "well-formed": "formed",
    "every cut": "cuts",
    "malformed": "odd",
    "by option": "option",
}
MANY_ARMS = 12
"""Of several policies, more than so many arms are not shown one by one."""
FEW = 5
"""So many failing or flaky arms are told then."""
SPARED = ("tok/chunk", "chunks/s")
"""Columns that are left out, one after the other, where a table would be wider than `WIDTH`."""


def render_terminal(summary: Summary, *, colour: bool = False) -> str:
    """The report; of many arms under several policies the outcome, and where the rest is."""
    parts = [wrapped(summary.title)]
    if summary.simulated:
        parts.append(SIMULATED)
    outline = is_outline(summary)
    for table in () if outline else _arms(summary):
        parts += ["", _bold(table.title, colour=colour), _coloured(drawn(table), colour=colour)]
    parts += ["", _bold("Summary", colour=colour), *map(wrapped, score_lines(summary))]
    for title, lines in (
        ("Infrastructure (in no score)", loss_lines(summary)),
        ("What fails", _first(summary.sentences) if outline else summary.sentences),
        ("What the policies changed", summary.story),
        ("Flaky", _first(summary.flaky) if outline else summary.flaky),
        ("How to read it", summary.notes),
        ("Next", summary.advice),
        ("This run", [*this_run_lines(summary), *(_elsewhere(summary) if outline else ())]),
    ):
        if lines:
            parts += ["", _bold(title, colour=colour), *(wrapped(f"- {line}") for line in lines)]
    return "\n".join(parts) + "\n"


def is_outline(summary: Summary) -> bool:
    """Whether there are so many arms, of several policies, that their tables would hide the outcome."""
    return len(summary.arms) > MANY_ARMS and len({arm.policy for arm in summary.arms}) > 1


def _arms(summary: Summary) -> Iterator[Table]:
    """All that is shown arm by arm."""
    yield from turn_tables(summary, brief=True)
    yield from mode_tables(summary)
    yield from policy_tables(summary)
    yield from trial_tables(summary)


def _first(lines: Sequence[str]) -> Sequence[str]:
    """Not so many that they hide the outcome."""
    left = len(lines) - FEW
    return (*lines[:FEW], f"… and {left} more: see report.md.") if left > 0 else lines


def _elsewhere(summary: Summary) -> Iterator[str]:
    """Where what an outline leaves out is to be had."""
    yield (
        f"Turn by turn, {len(summary.arms)} arms: report.md in the run's folder, or agenteval report "
        f"{summary.this_run.run} --format md."
    )


def drawn(table: Table) -> str:
    """Columns two spaces apart, a rule under the header (tabulate pads headers, which costs the 80 columns). What had
    to be left out for the width is named below."""
    whole, spared = table, []
    for name in SPARED:
        if sum(_widths(table)) + 2 * (len(table.header) - 1) > WIDTH and name in table.header:
            table = _without(table, name)
            spared.append(_short(name))
    widths, sides = _widths(table), aligned(table.header)
    lines = (_headings(table), tuple("-" * width for width in widths), *_cells(table))
    drawing = "\n".join(_row(cells, widths, sides) for cells in lines)
    return drawing if table is whole else f"{drawing}\n({', '.join(spared)}: no room here; see --format md)"


def folded(table: Table) -> Iterator[Table]:
    """A table as one or more of at most 80 columns, where names allow it, each with its first columns."""
    widths, begin = _widths(table), table.keys
    while begin < len(widths):
        room, end = WIDTH - sum(widths[: table.keys]) - 2 * table.keys - widths[begin], begin + 1
        while end < len(widths) and room >= 2 + widths[end]:
            room, end = room - 2 - widths[end], end + 1
        header, *rows = ((*cells[: table.keys], *cells[begin:end]) for cells in (table.header, *table.rows))
        yield replace(table, header=header, rows=tuple(rows))
        begin = end


def _widths(table: Table) -> list[int]:
    return [max(map(len, column)) for column in zip(_headings(table), *_cells(table), strict=True)]


def _headings(table: Table) -> tuple[str, ...]:
    return tuple(map(_short, table.header))


def _short(name: str) -> str:
    return SHORT_HEADERS.get(name, name)


def _cells(table: Table) -> list[tuple[str, ...]]:
    return [tuple(map(visible, row)) for row in table.rows]


def _without(table: Table, name: str) -> Table:
    at = table.header.index(name)
    header, *rows = ((*cells[:at], *cells[at + 1 :]) for cells in (table.header, *table.rows))
    return replace(table, header=header, rows=tuple(rows))


def _row(cells: Sequence[str], widths: Sequence[int], sides: Sequence[str]) -> str:
    placed = zip(cells, widths, sides, strict=True)
    line = "  ".join(cell.rjust(width) if side == "right" else cell.ljust(width) for cell, width, side in placed)
    return line.rstrip()


def wrapped(line: str) -> str:
    """A line of text, made harmless and broken at 80 columns; a list item's later lines are indented."""
    head = "- " if line.startswith("- ") else ""
    said, later = visible(line).removeprefix(head), " " * len(head)
    return fill(
        said, WIDTH, initial_indent=head, subsequent_indent=later, break_long_words=False, break_on_hyphens=False
    )


def entry(head: str, text: str) -> str:
    """One of a list: what it is called, and below it what it is; made harmless and broken at 80 columns."""
    lines = fill(visible(head), WIDTH, subsequent_indent="        ", break_long_words=False, break_on_hyphens=False)
    below = fill(visible(text), WIDTH, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)
    return f"{lines}\n{below}" if below else lines


def _bold(text: str, *, colour: bool) -> str:
    return f"{BOLD}{visible(text)}{PLAIN}" if colour else visible(text)


def _coloured(text: str, *, colour: bool) -> str:
    if not colour:
        return text
    return "\n".join(f"{RED}{line}{PLAIN}" if " FAIL " in f"{line} " else line for line in text.split("\n"))
