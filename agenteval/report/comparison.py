"""A comparison of two runs as terminal text, markdown, csv and json: the verdict in words first, then the tables."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import msgspec

from agenteval.report import markdown, terminal
from agenteval.report.machine import harmless
from agenteval.report.tables import Table, fixed
from agenteval.summary import ArmChange, Comparison, TurnPair
from agenteval.summary.trials import named
from agenteval.visible import visible

CHANGE_HEADER = ("turn", "trial", "change", "BASE", "NEW")
MISSING_HEADER = ("scenario", "thinking", "policy", "cells", "turns", "why")
SPEED_HEADER = ("thinking", "metric", "requests", "base", "new", "ratio")
CSV_COLUMNS = ("scenario", "thinking", "policy", "trial", "turn", "change", "base", "new", "simulated")
SPEEDS = (("ttft_ms", "TTFT ms", 0), ("decode_tok_s", "decode tok/s", 2))
"""Field of an arm's change, its name in tables, digits."""

VERDICTS = {
    "met": "All gates are met.",
    "missed": "A gate is missed:",
    "undecided": "Not enough was judged to say:",
}


def headline(comparison: Comparison) -> str:
    """`2 turns repaired, 1 broke, 27 unchanged`, and the rarer outcomes where there are any."""
    counts = comparison.counts
    parts = [f"{_turns(counts['repaired'])} repaired", f"{counts['broke']} broke"]
    if counts["changed"]:
        parts.append(f"{counts['changed']} with another finding")
    parts.append(f"{counts['unchanged']} unchanged")
    parts += [f"{number} judged in {name} only" for name, number in _alone(comparison) if number]
    return ", ".join(parts) + "."


def _alone(comparison: Comparison) -> tuple[tuple[str, int], ...]:
    return (("BASE", comparison.counts["only_base"]), ("NEW", comparison.counts["only_new"]))


def _turns(number: int) -> str:
    return "1 turn" if number == 1 else f"{number} turns"


def render_terminal(comparison: Comparison) -> str:
    """Plain text of at most 80 columns where names allow it."""
    base, new = comparison.base, comparison.new
    parts = [terminal.wrapped(headline(comparison)), terminal.wrapped(VERDICTS[comparison.verdict])]
    parts += [terminal.wrapped(f"- {line}") for line in (*comparison.undecided, *comparison.missed)]
    parts += [
        "",
        *(terminal.wrapped(f"{name} {run.run}: {run.title}") for name, run in (("BASE", base), ("NEW ", new))),
    ]
    parts += [terminal.wrapped(line) for line in _simulated(comparison)]
    for table in (*missing_tables(comparison), *change_tables(comparison, brief=True), *speed_tables(comparison)):
        parts += ["", visible(table.title), terminal.drawn(table)]
    for title, lines in _lists(comparison):
        parts += ["", title, *(terminal.wrapped(f"- {line}") for line in lines)]
    return "\n".join(parts) + "\n"


def render_markdown(comparison: Comparison) -> str:
    """The same for a file or an issue; text from models and servers is escaped."""
    escaped = markdown.escaped
    parts = ["# agenteval compare", "", escaped(headline(comparison)), "", escaped(VERDICTS[comparison.verdict]), ""]
    gates = [f"- {escaped(line)}" for line in (*comparison.undecided, *comparison.missed)]
    parts += [*gates, ""] if gates else []
    for name, run in (("BASE", comparison.base), ("NEW", comparison.new)):
        parts.append(f"- {name} {escaped(run.run)}: {escaped(run.title)}")
    parts += ["", *(text for line in _simulated(comparison) for text in (f"**{line}**", ""))]
    for table in (*missing_tables(comparison), *change_tables(comparison), *speed_tables(comparison)):
        parts += [f"## {escaped(table.title)}", "", markdown.drawn(table), ""]
    for title, lines in _lists(comparison):
        parts += [f"## {title}", "", *(f"- {escaped(line)}" for line in lines), ""]
    return "\n".join(parts)


def render_json(comparison: Comparison) -> str:
    """Everything, unchanged turns too; unknown is null."""
    values: dict[str, Any] = msgspec.to_builtins(comparison)
    return json.dumps({"headline": headline(comparison), **values}, indent=1, ensure_ascii=False) + "\n"


def render_csv(comparison: Comparison) -> str:
    """One line per turn. `base`, `new`: `ok`, the findings that fail it, or empty where it was not judged."""
    out = io.StringIO()
    writer = csv.DictWriter(out, CSV_COLUMNS, lineterminator="\n")
    writer.writeheader()
    simulated = comparison.base.simulated or comparison.new.simulated
    for pair in comparison.pairs:
        row = msgspec.to_builtins(pair) | {"base": _spelled(pair.base), "new": _spelled(pair.new)}
        writer.writerow({key: harmless(value) for key, value in {**row, "simulated": simulated}.items()})
    return out.getvalue()


def _spelled(failures: tuple[str, ...] | None) -> str:
    return "" if failures is None else " ".join(failures) or "ok"


COMPARISON_FORMATS: dict[str, Callable[[Comparison], str]] = {
    "terminal": render_terminal,
    "md": render_markdown,
    "csv": render_csv,
    "json": render_json,
}


def _simulated(comparison: Comparison) -> list[str]:
    """The mark of simulation, for each run that it belongs to."""
    runs = (("BASE", comparison.base), ("NEW", comparison.new))
    marked = " and ".join(name for name, run in runs if run.simulated)
    return [f"SIMULATED: all numbers of {marked} come from the embedded endpoint."] if marked else []


def _lists(comparison: Comparison) -> list[tuple[str, tuple[str, ...]]]:
    lists = [("What else differs", comparison.differences), ("How to read it", comparison.notes)]
    return [(title, lines) for title, lines in lists if lines]


def missing_tables(comparison: Comparison) -> list[Table]:
    """What BASE judged and NEW did not, one row per arm; no table if there is nothing."""
    rows = tuple(
        (
            *(item.scenario, item.thinking, item.policy, named("trial", item.trials), str(item.turns)),
            "not judged" if item.played else "not played",
        )
        for item in comparison.missing
    )
    return [Table("Missing in NEW", MISSING_HEADER, rows)] if rows else []


def change_tables(comparison: Comparison, *, brief: bool = False) -> list[Table]:
    """One table per arm: its turns that were repaired, broke or changed their finding. `brief`: first finding only."""
    arms: dict[str, list[tuple[str, ...]]] = {}
    for pair in comparison.pairs:
        if pair.change in ("repaired", "broke", "changed"):
            rows = arms.setdefault(f"{pair.scenario} · thinking {pair.thinking} · {pair.policy}", [])
            rows.append(_change_cells(pair, brief=brief))
    return [Table(title, CHANGE_HEADER, tuple(rows)) for title, rows in arms.items()]


def _change_cells(pair: TurnPair, *, brief: bool) -> tuple[str, ...]:
    sides = (_side(failures, brief=brief) for failures in (pair.base, pair.new))
    return (str(pair.turn), str(pair.trial), pair.change, *sides)


def _side(failures: tuple[str, ...] | None, *, brief: bool) -> str:
    if not failures:
        return "ok"
    return f"{failures[0]} +{len(failures) - 1}" if brief and len(failures) > 1 else ", ".join(failures)


def speed_tables(comparison: Comparison) -> list[Table]:
    """One table per scenario and policy: medians before and after by thinking mode; none where none is known."""
    groups: dict[str, list[tuple[str, ...]]] = {}
    for arm in comparison.arms:
        rows = _speed_rows(arm)
        if rows:
            groups.setdefault(f"{arm.scenario} · {arm.policy} · medians", []).extend(rows)
    return [Table(title, SPEED_HEADER, tuple(rows)) for title, rows in groups.items()]


def _speed_rows(arm: ArmChange) -> list[tuple[str, ...]]:
    found = ((getattr(arm, field), name, digits) for field, name, digits in SPEEDS)
    return [
        (
            *(arm.thinking, name, str(speed.n)),
            *(fixed(speed.base, digits), fixed(speed.new, digits), fixed(speed.ratio, 3)),
        )
        for speed, name, digits in found
        if speed.n
    ]
