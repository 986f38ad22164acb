"""What a turn costs in a long conversation, by its end beside its start."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from statistics import median

from tests.bench import long
from tests.bench.program import ROOT, Row, agenteval, spent, verdict

TITLE = (
    "Growth: `agenteval run` of 1,000 turns (two requests each, 4,001 messages at the end). CPU of agenteval per "
    "turn, recording included: median of turns 951-1000 over median of turns 51-100; embedded: with the "
    "simulated model's own. Memory: resident after turn 100 and 1,000, beside all "
    "frames that came. Bar: ratio at most 1.5."
)
TURNS = 1_000
BAR = 1.5
MODES = ("off", "on", "preserved")
LONG = [sys.executable, "-m", "tests.bench.long"]


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        suite = long.suite(folder / "long", TURNS)
        for mode in MODES:
            yield _row("embedded", mode, [*LONG, "run", str(suite), "--profile", "healthy"], folder)
        for mode in MODES:
            with _served(suite) as url:
                yield _row("over HTTP", mode, [*LONG, "run", str(suite), "--base-url", url], folder)


def _row(endpoint: str, mode: str, command: list[str], folder: Path) -> Row:
    out = folder / f"{endpoint}-{mode}"
    cost = spent([*command, "--thinking", mode, "--out", str(out)], folder)
    stamps = json.loads(cost.errors.splitlines()[-1])
    cpu_ms = [(after[0] - before[0]) * 1000 for before, after in pairwise(stamps)]
    early, late = median(cpu_ms[49:99]), median(cpu_ms[949:999])  # the n-th is of turn n + 2
    (frames,) = out.glob("*/frames/*.gz")
    return {
        "endpoint": endpoint,
        "thinking": mode,
        "ms a turn, 51-100": round(early, 2),
        "501-550": round(median(cpu_ms[499:549]), 2),
        "951-1000": round(late, 2),
        "ratio": round(late / early, 2),
        "bar": verdict(late / early <= BAR),
        "MB at 100": round(stamps[99][1]),
        "MB at 1000": round(stamps[-1][1]),
        "frames MB": round(len(gzip.decompress(frames.read_bytes())) / 1e6, 1),
    }


@contextmanager
def _served(suite: Path) -> Iterator[str]:
    """`agenteval serve` in a process of its own, much faster than any model, for at most an hour."""
    options = ["--profile", "healthy", "--speed", "1e9", "--port", "0", "--max-seconds", "3600"]
    with subprocess.Popen(
        agenteval("serve", str(suite), *options), cwd=ROOT, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stderr is not None
        try:
            yield server.stderr.readline().split(" on ")[1].split()[0]
        finally:
            server.terminate()
            server.stderr.read()
