"""A comparison of sides as terminal text, markdown, csv and json: in words first, then the outcome, then the rest."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from agenteval.paired import Interval
from agenteval.report import markdown, terminal
from agenteval.report.machine import harmless
from agenteval.report.tables import SIMULATED, UNKNOWN, Table, count, fixed
from agenteval.summary import Contrast, SideRow, Survival, Versus, in_words, story
from agenteval.visible import visible

OUTCOME_HEADER = ("right", "turns ok", "fixes", "breaks", "prefill", "output", "TTFT ms", "tok/s", "verdict")
COST_HEADER = ("sent tok", "prefilled", "cached", "reusable", "breaks by", "summaries", "policy ms", "summary s")
WAY_HEADER = ("acted in", "steps", "fetched again", "errors recovered", "rules broken", "pass^k")
PROOF_HEADER = ("pairs", "difference", "95 % interval", "p", "p Holm", "TTFT ratio", "decode ratio")
CSV_COLUMNS = (
    *("side", "baseline", "simulated", "decision", "why", "cells", "cells_ok", "turns", "turns_ok", "pairs", "failing"),
    *("fixed", "broken", "repaired", "broke", "engaged", "difference", "low", "high", "p", "p_holm"),
    *("ttft_ratio", "decode_ratio", "prefill_ratio", "output_ratio", "extra_steps", "refetches", "violations"),
    *("errors", "recovered", "sent", "prefilled", "output", "summaries", "cached_share", "reusable_share"),
    *("ttft_ms", "decode_tok_s", "policy_ms", "summary_ms"),
)


def render_terminal(found: Versus) -> str:
    """Plain text of at most 80 columns where names allow it."""
    parts = [SIMULATED] if found.simulated else []
    parts += [terminal.wrapped(line) for line in in_words(found)]
    parts += ["", *(terminal.wrapped(f"- {visible(line)}") for line in story(found))]
    for table in tables(found):
        parts += ["", visible(table.title), terminal.drawn(table)]
    parts += ["", "How to read it", *(terminal.wrapped(f"- {visible(line)}") for line in _notes(found))]
    return "\n".join(parts).lstrip("\n") + "\n"


def render_markdown(found: Versus) -> str:
    """The same for a file or an issue."""
    escaped = markdown.escaped
    parts = ["# agenteval compare", ""]
    parts += [f"**{SIMULATED}**", ""] if found.simulated else []
    parts += [text for line in in_words(found) for text in (escaped(line), "")]
    parts += [*(f"- {escaped(line)}" for line in story(found)), ""]
    for table in tables(found):
        parts += [f"## {escaped(table.title)}", "", markdown.drawn(table), ""]
    parts += ["## How to read it", "", *(f"- {escaped(line)}" for line in _notes(found)), ""]
    return "\n".join(parts)


def render_json(found: Versus) -> str:
    """Everything; unknown is null."""
    values: dict[str, Any] = msgspec.to_builtins(found, str_keys=True)
    told = {"decided": found.decided, "story": [*in_words(found), *story(found)]}
    return json.dumps({**told, **values}, indent=1, ensure_ascii=False) + "\n"


def render_csv(found: Versus) -> str:
    """One line per side, the baseline first; empty where unknown."""
    out = io.StringIO()
    writer = csv.DictWriter(out, CSV_COLUMNS, lineterminator="\n")
    writer.writeheader()
    contrasts = {contrast.name: contrast for contrast in found.contrasts}
    for row in found.sides:
        writer.writerow({key: harmless(value) for key, value in _flat(row, contrasts.get(row.name), found).items()})
    return out.getvalue()


def _flat(row: SideRow, contrast: Contrast | None, found: Versus) -> dict[str, Any]:
    beside = {name: getattr(contrast, name) for name in CSV_COLUMNS if hasattr(contrast, name)} if contrast else {}
    measured = {name: getattr(row, name) for name in CSV_COLUMNS if hasattr(row, name)}
    cost = {name: getattr(row.cost, name) for name in CSV_COLUMNS if hasattr(row.cost, name)}
    ratios: dict[str, Any] = {}
    if contrast is not None:
        span = contrast.difference
        ratios = {
            "difference": span and span.estimate,
            "low": span and span.low,
            "high": span and span.high,
            "ttft_ratio": contrast.ttft and contrast.ttft.estimate,
            "decode_ratio": contrast.decode and contrast.decode.estimate,
            "prefill_ratio": contrast.prefill,
            "output_ratio": contrast.output,
        }
    named = {"side": row.name, "baseline": row.name == found.base, "simulated": found.simulated}
    return {**dict.fromkeys(CSV_COLUMNS), **measured, **beside, **cost, **ratios, **named}


VERSUS_FORMATS: dict[str, Callable[[Versus], str]] = {
    "terminal": render_terminal,
    "md": render_markdown,
    "csv": render_csv,
    "json": render_json,
}


def _notes(found: Versus) -> Iterator[str]:
    yield from filter(None, (found.power,))
    yield from found.notes
    yield (
        f"Beside {found.base}: fixes and breaks count turns; prefill and output are ratios of tokens over all "
        "requests, summaries included."
    )


def tables(found: Versus) -> list[Table]:
    """The outcome, the proof, the costs, how it went, survival and what became of facts."""
    return [
        Table("Outcome", (found.axis, *OUTCOME_HEADER), tuple(_outcome(found))),
        *_proof(found),
        Table("Cost", (found.axis, *COST_HEADER), tuple(map(_cost, found.sides))),
        Table("On the way", (found.axis, *WAY_HEADER), tuple(map(_way, found.sides))),
        *_survival("No failing turn up to turn", found, lambda row: row.by_turn),
        *_survival("No failing turn up to so many tokens", found, lambda row: row.by_tokens),
        *_retention(found),
    ]


def _outcome(found: Versus) -> Iterator[tuple[str, ...]]:
    contrasts = {contrast.name: contrast for contrast in found.contrasts}
    for row in found.sides:
        beside = contrasts.get(row.name)
        yield (
            row.name,
            f"{row.cells_ok}/{row.cells}",
            f"{row.turns_ok}/{row.turns}",
            f"{beside.fixed}/{beside.failing}" if beside else "",
            str(beside.broken) if beside else "",
            _times(beside.prefill) if beside else "",
            _times(beside.output) if beside else "",
            fixed(row.cost.ttft_ms, 0),
            fixed(row.cost.decode_tok_s, 2),
            beside.decision if beside else "baseline",
        )


def _proof(found: Versus) -> list[Table]:
    """Nothing where nothing is tested."""
    if found.simulated:
        return []
    rows = tuple(
        (
            contrast.name,
            str(contrast.pairs),
            f"{contrast.difference.estimate:+.1%}" if contrast.difference else UNKNOWN,
            _span(contrast.difference),
            fixed(contrast.p, 4),
            fixed(contrast.p_holm, 4),
            _ratio(contrast.ttft),
            _ratio(contrast.decode),
        )
        for contrast in found.contrasts
    )
    return [Table("More than chance?", (found.axis, *PROOF_HEADER), rows)]


def _cost(row: SideRow) -> tuple[str, ...]:
    cost = row.cost
    broken = ", ".join(f"{who} {number}" for who, number in cost.breaks.items())
    return (
        row.name,
        count(cost.sent),
        count(cost.prefilled),
        _share(cost.cached_share),
        _share(cost.reusable_share),
        broken or "–",
        count(cost.summaries),
        fixed(cost.policy_ms, 2),
        fixed(None if cost.summary_ms is None else cost.summary_ms / 1000, 1),
    )


def _way(row: SideRow) -> tuple[str, ...]:
    return (
        row.name,
        f"{row.acted}/{row.cells}",
        str(row.steps),
        str(row.refetches),
        f"{row.recovered}/{row.errors}",
        str(row.violations),
        ", ".join(f"{hat:.2f}" for hat in row.pass_hat[:4]) if row.pass_hat else UNKNOWN,
    )


def _survival(title: str, found: Versus, of: Callable[[SideRow], Sequence[Survival]]) -> list[Table]:
    """One row per side; a column for each turn or size that any came to."""
    ends = sorted({item.at for row in found.sides for item in of(row)})
    if not ends:
        return []
    rows = tuple((row.name, *_alive(of(row), ends)) for row in found.sides)
    return [Table(title, (found.axis, *(f"{end:,}" for end in ends)), rows)]


def _alive(survival: Sequence[Survival], ends: Sequence[int]) -> Iterator[str]:
    known = {item.at: item for item in survival}
    for end in ends:
        item = known.get(end)
        yield f"{item.alive}/{item.at_risk}" if item else UNKNOWN


RETENTION_HEADER = ("age", "needed", "used", "lost", "unused", "stale", "invented")


def _retention(found: Versus) -> list[Table]:
    rows = tuple(
        (
            row.name,
            f"{item.age} {item.unit}",
            str(item.n),
            *(str(item.outcomes.get(outcome, 0)) for outcome in ("used", "lost", "unused", "stale", "invented")),
        )
        for row in found.sides
        for item in row.retention
    )
    return [Table("What became of facts, by age", (found.axis, *RETENTION_HEADER), rows)] if rows else []


def _times(ratio: float | None) -> str:
    return UNKNOWN if ratio is None else f"×{ratio:.2f}"


def _share(share: float | None) -> str:
    return UNKNOWN if share is None else f"{share:.0%}"


def _span(interval: Interval | None) -> str:
    return UNKNOWN if interval is None else f"{interval.low:+.1%} to {interval.high:+.1%}"


def _ratio(interval: Interval | None) -> str:
    return UNKNOWN if interval is None else f"{interval.estimate:.2f} [{interval.low:.2f}, {interval.high:.2f}]"
