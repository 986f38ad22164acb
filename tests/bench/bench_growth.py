"""What a turn costs in a long conversation, by its end beside its start."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

from tests.bench import long
from tests.bench.program import ROOT, Row, agenteval, spent, verdict

TITLE = (
    "Growth: `agenteval run` of 1,000 turns (two requests each, 4,001 messages at the end). CPU of agenteval per "
    "turn, recording included: median of turns 951-1000 over median of turns 51-100, each over what a fixed piece of "
    "work cost at that time (machine: what it cost late over early), of three runs the one with the median ratio; "
    "embedded: with the simulated model's own. Memory: resident after turn 100 and 1,000, beside all frames that "
    "came. Bar: ratio at most 1.5."
)
TURNS = 1_000
REPEATS = 3
BAR = 1.5
MODES = ("off", "on", "preserved")
LONG = [sys.executable, "-m", "tests.bench.long"]


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        suite = long.suite(folder / "long", TURNS)
        for mode in MODES:
            yield _row("embedded", mode, [_embedded(suite, mode, folder) for _ in range(REPEATS)])
        for mode in MODES:
            yield _row("over HTTP", mode, [_over_http(suite, mode, folder) for _ in range(REPEATS)])


@dataclass(frozen=True)
class _Run:
    """One long run: CPU ms of each turn (the n-th is of turn n + 2) and of the work beside it, MB held after each, MB
    of all frames."""

    cpu_ms: Sequence[float]
    work_ms: Sequence[float]
    held_mb: Sequence[float]
    frames_mb: float

    def around(self, turn: int) -> float:
        """The median of 50 turns from this one on."""
        return median(self.cpu_ms[turn - 2 : turn + 48])

    @property
    def machine(self) -> float:
        """How much slower the machine was at the end."""
        return median(self.work_ms[949:999]) / median(self.work_ms[49:99])

    @property
    def ratio(self) -> float:
        return self.around(951) / self.around(51) / self.machine


def _row(endpoint: str, mode: str, runs: Sequence[_Run]) -> Row:
    ratios = sorted(run.ratio for run in runs)
    run = next(run for run in runs if run.ratio == median(ratios))
    return {
        "endpoint": endpoint,
        "thinking": mode,
        "ms a turn, 51-100": round(run.around(51), 2),
        "501-550": round(run.around(501), 2),
        "951-1000": round(run.around(951), 2),
        "machine": round(run.machine, 2),
        "ratio": round(run.ratio, 2),
        "lowest, highest": f"{ratios[0]:.2f} {ratios[-1]:.2f}",
        "bar": verdict(run.ratio <= BAR),
        "MB at 100": round(run.held_mb[99]),
        "MB at 1000": round(run.held_mb[-1]),
        "frames MB": round(run.frames_mb, 1),
    }


def _embedded(suite: Path, mode: str, folder: Path) -> _Run:
    return _played([*LONG, "run", str(suite), "--profile", "healthy", "--thinking", mode], folder)


def _over_http(suite: Path, mode: str, folder: Path) -> _Run:
    with _served(suite) as url:
        return _played([*LONG, "run", str(suite), "--base-url", url, "--thinking", mode], folder)


def _played(command: list[str], folder: Path) -> _Run:
    with tempfile.TemporaryDirectory(dir=folder) as out:
        cost = spent([*command, "--out", out], folder)
        (frames,) = Path(out).glob("*/frames/*.gz")
        frames_mb = len(gzip.decompress(frames.read_bytes())) / 1e6
    stamps = json.loads(cost.errors.splitlines()[-1])
    cpu_ms = [(after[0] - before[2]) * 1000 for before, after in pairwise(stamps)]
    work_ms = [(done - ended) * 1000 for ended, _, done in stamps[1:]]
    return _Run(cpu_ms, work_ms, [held for _, held, _ in stamps], frames_mb)


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
