"""The same rows for programs: csv (one line per turn) and json (everything)."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import msgspec

from agenteval.summary import Summary
from agenteval.visible import visible

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

CSV_COLUMNS = (
    "scenario",
    "thinking",
    "policy",
    "turn",
    "messages",
    "context",
    "context_source",
    "ttft_ms",
    "total_ms",
    "decode_tok_s",
    "chunk_rate",
    "tokens_per_chunk",
    "judged_trials",
    "ok_trials",
    "findings",
    "detail",
    "simulated",
)


def summary_values(summary: Summary) -> dict[str, Any]:
    """A summary as plain JSON values; unknown is null."""
    values: dict[str, Any] = msgspec.to_builtins(summary)
    values["scores"]["completion"] = summary.scores.completion
    return values


def render_json(summary: Summary) -> str:
    return json.dumps(summary_values(summary), indent=1, ensure_ascii=False) + "\n"


def render_csv(summary: Summary) -> str:
    """One line per turn and arm; unknown is empty; cells that a spreadsheet would run as a formula are quoted,
    control characters are spelled out."""
    out = io.StringIO()
    writer = csv.DictWriter(out, CSV_COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row in msgspec.to_builtins(summary.turns):
        row["findings"] = " ".join(f"{kind}:{count}" for kind, count in row["findings"].items())
        row["simulated"] = summary.simulated
        writer.writerow({key: harmless(value) for key, value in row.items()})
    return out.getvalue()


def harmless(value: Any) -> Any:
    """A csv cell that no spreadsheet runs and no terminal obeys."""
    if not isinstance(value, str):
        return value
    return f"'{visible(value)}" if value[:1] in FORMULA_STARTS else visible(value)
