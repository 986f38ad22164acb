"""A comparison of sides as terminal text, markdown, csv and json: in words first, then the outcome, then the rest."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from agenteval.report import markdown, terminal
from agenteval.report.machine import harmless
from agenteval.report.names import legend, short_names
from agenteval.report.tables import SIMULATED, UNKNOWN, Table, count, fixed
from agenteval.summary import Contrast, Estimate, Retention, SideRow, Survival, Versus, chance, in_words, story
from agenteval.visible import visible

OUTCOME_HEADER = ("right", "turns ok", "fixes", "breaks", "prefill", "output", "verdict", "TTFT ms", "tok/s")
COST_HEADER = (
    "sent tok",
    "prefilled",
    "cached",
    "reusable",
    "hit rate",
    "breaks by",
    "summaries",
    "policy ms",
    "summary s",
)
WAY_HEADER = ("acted in", "steps", "refetched", "errors recovered", "rules broken")
PAIRS_HEADER = (
    "pairs",
    "scenarios",
    "missing",
    "not planned in both",
    "repaired",
    "broke",
    "more steps, both right",
    "engaged",
)
PROOF_HEADER = ("difference", "95 % interval", "p", "p Holm", "detects from")
SPEED_HEADER = ("TTFT ratio", "decode ratio")
SIDE_COLUMNS = (
    *("planned", "cells", "cells_ok", "turns", "turns_ok", "pass_hat", "by_turn", "by_tokens", "retention"),
    *("violations", "errors", "recovered", "steps", "refetches", "acted"),
)
COST_COLUMNS = (
    *("sent", "prefilled", "output", "summaries", "cached_share", "reusable_share", "eligible_cache_hit_rate"),
    *("breaks", "ttft_ms", "decode_tok_s", "ttft_by_turn", "decode_by_turn", "policy_ms", "summary_ms"),
)
CONTRAST_COLUMNS = (
    *("decision", "why", "pairs", "missing", "only_base", "only_here", "scenarios", "failing", "fixed", "broken"),
    *("repaired", "broke", "engaged", "p", "p_holm", "detectable", "extra_steps", "extra_summaries"),
)
RATIO_COLUMNS = {"prefill_ratio": "prefill", "output_ratio": "output"}
INTERVAL_COLUMNS = {
    ("difference", "low", "high"): "difference",
    ("ttft_ratio", "ttft_low", "ttft_high"): "ttft",
    ("decode_ratio", "decode_low", "decode_high"): "decode",
}
CSV_COLUMNS = (
    *("side", "baseline", "simulated", *CONTRAST_COLUMNS),
    *(name for names in INTERVAL_COLUMNS for name in names),
    *(*RATIO_COLUMNS, *SIDE_COLUMNS, *COST_COLUMNS),
)


def render_terminal(found: Versus) -> str:
    """Plain text of at most 80 columns where names allow it."""
    parts = [SIMULATED] if found.simulated else []
    parts += [terminal.wrapped(visible(line)) for line in in_words(found)]
    parts += ["", *(terminal.wrapped(f"- {visible(line)}") for line in story(found))]
    for table in tables(found):
        parts += ["", visible(table.title), "\n\n".join(map(terminal.drawn, terminal.folded(table)))]
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
    """One line per side, the baseline first; empty where unknown. What has many parts stands in one cell, as
    `turn:value` one after the other."""
    out = io.StringIO()
    writer = csv.DictWriter(out, CSV_COLUMNS, lineterminator="\n")
    writer.writeheader()
    contrasts = {contrast.name: contrast for contrast in found.contrasts}
    for row in found.sides:
        writer.writerow({key: harmless(value) for key, value in _flat(row, contrasts.get(row.name), found).items()})
    return out.getvalue()


def _flat(row: SideRow, contrast: Contrast | None, found: Versus) -> dict[str, Any]:
    flat = {"side": row.name, "baseline": row.name == found.base, "simulated": found.simulated}
    flat |= {name: _cell(getattr(row, name)) for name in SIDE_COLUMNS}
    flat |= {name: _cell(getattr(row.cost, name)) for name in COST_COLUMNS}
    if contrast is not None:
        flat |= {name: getattr(contrast, name) for name in CONTRAST_COLUMNS}
        flat |= {name: getattr(contrast, field) for name, field in RATIO_COLUMNS.items()}
        for names, field in INTERVAL_COLUMNS.items():
            span: Estimate | None = getattr(contrast, field)
            flat |= dict(zip(names, (span.estimate, span.low, span.high) if span else (), strict=False))
    return flat


def _cell(value: Any) -> Any:
    """A value with many parts as one cell."""
    if isinstance(value, Mapping):
        return " ".join(f"{key}:{item}" for key, item in value.items() if item is not None)
    if isinstance(value, tuple):
        return " ".join(map(_part, value))
    return value


def _part(item: Any) -> str:
    if isinstance(item, Survival):
        return f"{item.at}:{item.alive}/{item.at_risk}"
    if isinstance(item, Retention):
        counts = (*item.outcomes.items(), ("guessed", item.guessed), ("not_reached", item.not_reached))
        return f"{item.age}-{item.unit}:" + ",".join(f"{name}={number}" for name, number in counts if number)
    return str(item)


VERSUS_FORMATS: dict[str, Callable[[Versus], str]] = {
    "terminal": render_terminal,
    "md": render_markdown,
    "csv": render_csv,
    "json": render_json,
}


def _notes(found: Versus) -> Iterator[str]:
    yield from filter(None, (found.power,))
    yield from filter(None, (legend(short_names([row.name for row in found.sides])),))
    yield from found.notes
    yield (
        f"Beside {found.base}: fixes and breaks count turns; prefill and output are ratios of tokens over all "
        "requests, summaries included."
    )
    if any(row.by_tokens for row in found.sides):
        yield (
            "No failing turn up to so many tokens: the share of conversations by Kaplan and Meier's estimate, where "
            "those that end well leave the count at their own size; in brackets, how many went on above it."
        )
    tested = sum(contrast.decision != "noise" for contrast in found.contrasts)
    if any(contrast.p_holm is not None for contrast in found.contrasts):
        yield (
            "p is exact McNemar's, over pairs; p Holm is the larger of that and of the test by scenarios, adjusted for "
            f"the number of sides ({tested})."
        )
    if any(row.retention for row in found.sides):
        yield (
            "Facts that a turn needed: lost ones did not stand in what the model was shown, and in place of those "
            "guessed it gave a stale or an invented value all the same; the others stood there, and were used or not. "
            "Beside these n stand those not reached: they never came up, because the conversation had gone wrong "
            "before. Where they are many, the n are those of the conversations that did well."
        )


def tables(found: Versus) -> list[Table]:
    """The outcome, the proof, the costs, how it went, the pairs, turn by turn, and what became of facts; each row
    begins with its side, by a short name."""
    short = short_names([row.name for row in found.sides])
    return [
        replace(table, rows=tuple((short[name], *cells) for name, *cells in table.rows)) for table in _tables(found)
    ]


def _tables(found: Versus) -> list[Table]:
    return [
        Table("Outcome", (found.axis, *OUTCOME_HEADER), tuple(_outcome(found))),
        *_proof(found),
        Table("Cost", (found.axis, *COST_HEADER), tuple(map(_cost, found.sides))),
        Table("On the way", (found.axis, *WAY_HEADER), tuple(map(_way, found.sides))),
        Table(f"Pairs with {found.base}", (found.axis, *PAIRS_HEADER), tuple(map(_pairs, found.contrasts))),
        *_by_number("TTFT ms by turn", found, lambda row: row.cost.ttft_by_turn, 0),
        *_by_number("Decode tok/s by turn", found, lambda row: row.cost.decode_by_turn, 2),
        *_by_number("All of k trials pass (pass^k)", found, lambda row: dict(enumerate(row.pass_hat or (), 1)), 2),
        *_survival("No failing turn up to turn", found, _alive),
        *_survival("No failing turn up to so many tokens", found, _endured),
        *_retention(found),
    ]


def _outcome(found: Versus) -> Iterator[tuple[str, ...]]:
    contrasts = {contrast.name: contrast for contrast in found.contrasts}
    for row in found.sides:
        beside = contrasts.get(row.name)
        yield (
            row.name,
            f"{row.cells_ok}/{row.cells}" + (f" of {row.planned}" if row.planned != row.cells else ""),
            f"{row.turns_ok}/{row.turns}",
            f"{beside.fixed}/{beside.failing}" if beside else "",
            str(beside.broken) if beside else "",
            _times(beside.prefill) if beside else "",
            _times(beside.output) if beside else "",
            beside.decision if beside else "baseline",
            fixed(row.cost.ttft_ms, 0),
            fixed(row.cost.decode_tok_s, 2),
        )


def _pairs(contrast: Contrast) -> tuple[str, ...]:
    return (
        contrast.name,
        str(contrast.pairs),
        str(contrast.scenarios),
        str(contrast.missing),
        f"{contrast.only_base}+{contrast.only_here}",
        str(contrast.repaired),
        str(contrast.broke),
        str(contrast.extra_steps),
        count(contrast.engaged),
    )


def _proof(found: Versus) -> list[Table]:
    """Nothing where nothing is tested."""
    if found.simulated:
        return []
    tested = tuple(
        (
            contrast.name,
            f"{contrast.difference.estimate:+.1%}" if contrast.difference else UNKNOWN,
            _span(contrast.difference),
            *(UNKNOWN if p is None else chance(p) for p in (contrast.p, contrast.p_holm)),
            _share(contrast.detectable),
        )
        for contrast in found.contrasts
    )
    speeds = tuple((contrast.name, _ratio(contrast.ttft), _ratio(contrast.decode)) for contrast in found.contrasts)
    return [
        Table("More than chance?", (found.axis, *PROOF_HEADER), tested),
        Table("Speed, as ratios with 95 % intervals", (found.axis, *SPEED_HEADER), speeds),
    ]


def _cost(row: SideRow) -> tuple[str, ...]:
    cost = row.cost
    broken = ", ".join(f"{who} {number}" for who, number in cost.breaks.items())
    return (
        row.name,
        count(cost.sent),
        count(cost.prefilled),
        _share(cost.cached_share),
        _share(cost.reusable_share),
        _share(cost.eligible_cache_hit_rate),
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
    )


def _by_number(
    title: str, found: Versus, of: Callable[[SideRow], Mapping[int, float | None]], digits: int
) -> list[Table]:
    """One row per side, a column for each turn (or k) that any has; nothing where none is known."""
    known = {row.name: of(row) for row in found.sides}
    numbers = sorted({number for values in known.values() for number, value in values.items() if value is not None})
    if not numbers:
        return []
    rows = tuple((name, *(fixed(values.get(at), digits) for at in numbers)) for name, values in known.items())
    return [Table(title, (found.axis, *map(str, numbers)), rows)]


def _survival(title: str, found: Versus, of: Callable[[SideRow], Mapping[int, str]]) -> list[Table]:
    """One row per side; a column for each turn or size that any came to."""
    ends = sorted({at for row in found.sides for at in of(row)})
    if not ends:
        return []
    rows = tuple((row.name, *(of(row).get(end, UNKNOWN) for end in ends)) for row in found.sides)
    return [Table(title, (found.axis, *(f"{end:,}" for end in ends)), rows)]


def _alive(row: SideRow) -> Mapping[int, str]:
    return {item.at: f"{item.alive}/{item.at_risk}" for item in row.by_turn}


def _endured(row: SideRow) -> Mapping[int, str]:
    return {item.at: f"{100 * item.share:.0f} % ({item.larger})" for item in row.by_tokens}


RETENTION_HEADER = ("age", "n", "not reached", "used", "lost", "guessed", "unused", "stale", "invented")


def _retention(found: Versus) -> list[Table]:
    rows = tuple((row.name, *_retained(item)) for row in found.sides for item in row.retention)
    return [Table("What became of facts, by age", (found.axis, *RETENTION_HEADER), rows, keys=2)] if rows else []


def _retained(item: Retention) -> tuple[str, ...]:
    used, lost, *in_view = (item.outcomes.get(kind, 0) for kind in ("used", "lost", "unused", "stale", "invented"))
    return (f"{item.age} {item.unit}", *map(str, (item.n, item.not_reached, used, lost, item.guessed, *in_view)))


def _times(ratio: float | None) -> str:
    return UNKNOWN if ratio is None else f"×{ratio:.2f}"


def _share(share: float | None) -> str:
    return UNKNOWN if share is None else f"{share:.0%}"


def _span(found: Estimate | None) -> str:
    return UNKNOWN if found is None or found.low is None else f"{found.low:+.1%} to {found.high:+.1%}"


def _ratio(found: Estimate | None) -> str:
    if found is None:
        return UNKNOWN
    return f"{found.estimate:.2f} [{UNKNOWN if found.low is None else f'{found.low:.2f}, {found.high:.2f}'}]"
