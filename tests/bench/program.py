"""The program as the bench runs it: in processes of its own, whose time and memory are what the kernel says."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from agenteval.clock import NS_PER_S, RealClock

ROOT = Path(__file__).parent.parent.parent

Row: TypeAlias = dict[str, str | float | int | None]
"""One line of a table: heading → value; None: not measured."""


def verdict(met: bool) -> str:
    """What stands beside a bar."""
    return "met" if met else "MISSED"


@dataclass(frozen=True)
class Cost:
    """What a process cost from its start to its end; `errors`: what it said on stderr."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    errors: str


def agenteval(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "agenteval", *arguments]


def spent(command: Sequence[str], folder: Path) -> Cost:
    """Run a command in a folder to its end. Exit code 1 (a gate was missed) is fine."""
    began = RealClock.now()
    errors = folder / "stderr.txt"
    with errors.open("wb") as told:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=told, cwd=folder, env=_environment())
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall_s = (RealClock.now() - began) / NS_PER_S
    said = errors.read_text()
    if process.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)} failed:\n{said}")
    return Cost(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000, said)


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
    return {**kept, "PYTHONPATH": str(ROOT)}
