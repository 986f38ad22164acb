"""What the report of a very large run costs: one played run, whose conversations are told again as further trials."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec

from agenteval.store import load_run
from tests.bench.program import Row, agenteval, spent, verdict

TITLE = (
    "Reports of 100,000 steps: `agenteval report` from start to end. Replies simulated, the reports real. "
    "Bar: under 10 s and under 500 MB each."
)
STEPS = 100_000
BAR_S, BAR_MB = 10.0, 500.0
FORMATS = ("terminal", "md", "csv", "json")


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        spent(agenteval("run", "founding", "--out", "played"), folder)
        run = _multiplied(next((folder / "played").iterdir()), folder / "large")
        for kind in FORMATS:
            cost = spent(agenteval("report", str(run), "--format", kind), folder)
            yield {
                "format": kind,
                "steps": STEPS,
                "wall s": round(cost.wall_s, 2),
                "CPU s": round(cost.cpu_s, 2),
                "peak MB": round(cost.peak_mb),
                "bar": verdict(cost.wall_s < BAR_S and cost.peak_mb < BAR_MB),
            }


def _multiplied(played: Path, run: Path) -> Path:
    """A run of `STEPS` steps with the replies of another."""
    stored = load_run(played)
    turns: dict[str, int] = {}
    run.mkdir()
    with (run / "steps.jsonl").open("wb") as journal:
        for number in range(STEPS):
            trial, at = divmod(number, len(stored.records))
            record = stored.records[at]
            cell = f"{record.cell.rpartition('.')[0]}.{trial}"
            turns[cell] = stored.manifest.cells["turns"][record.cell]
            told = replace(record, id=record.id.replace(record.cell, cell, 1), cell=cell, trial=trial)
            journal.write(msgspec.json.encode(told) + b"\n")
    manifest = replace(stored.manifest, run="large", cells={**stored.manifest.cells, "turns": turns})
    (run / "run.json").write_bytes(msgspec.json.encode(manifest))
    return run
