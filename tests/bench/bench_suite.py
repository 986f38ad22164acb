"""How long all bundled scenarios take on the embedded endpoint."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench.program import Row, agenteval, spent, verdict

TITLE = (
    "All bundled scenarios, three thinking modes, one trial: `agenteval run all`, from start to end. "
    "The endpoint is simulated. Bar: under 20 s."
)
BAR_S = 20.0


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cost = spent(agenteval("run", "all", "--profile", "healthy", "--out", "results"), folder)
        (journal,) = folder.glob("results/*/steps.jsonl")
        yield {
            "steps": journal.read_bytes().count(b"\n"),
            "wall s": round(cost.wall_s, 2),
            "CPU s": round(cost.cpu_s, 2),
            "peak MB": round(cost.peak_mb),
            "bar": verdict(cost.wall_s < BAR_S),
        }
