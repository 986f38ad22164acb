"""What was measured of each in-process client, once per run of the bench."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from functools import cache

from tests.bench.program import ROOT

SECONDS = "2"
"""Of a stream whose errors are measured: 201 chunks, 10 ms apart, as the bars were seen."""


@dataclass(frozen=True)
class Errors:
    """Of streams at once: error of the first token's stamp in ms, and of the time between tokens in percent."""

    streams: int
    starts: str
    history: str
    mean_ms: float
    p99_ms: float
    inter_percent: float


@dataclass(frozen=True)
class Found:
    """`cpu_s`: CPU seconds per 10,000 chunks of streams in lockstep, `staggered_s`: of streams that began one after the
    other."""

    cpu_s: float
    staggered_s: float
    overhead_ms: float
    rate: int
    errors: tuple[Errors, ...]
    priority: str


@cache
def found(client: str) -> Found:
    """Measure a client, in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.peers", client, SECONDS]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    said = json.loads(done.stdout)
    errors = (
        Errors(streams, starts, history, case["mean"], case["p99"], case["inter"])
        for streams, starts, history, case in said["errors"]
    )
    priority = "usual" if said["refused"] else "real-time"
    return Found(said["cpu_s"], said["staggered_s"], said["overhead_ms"], said["rate"], tuple(errors), priority)
