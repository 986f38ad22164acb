"""What the proof is made of: a workload of eight conversations, runs of it that die, and what a run said in the end."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agenteval.replay import rescore
from agenteval.report import FORMATS
from agenteval.scenario import load_suite
from agenteval.store import index_frames, load_run
from agenteval.summary import summarise
from tests import warm
from tests.cli.test_commands import agenteval
from tests.kills.dying import TOLD

WORKLOAD = ("run", "founding", "--thinking", "off,preserved", "--trials", "2")
CELLS = 8
LAST_SECTION = re.compile(r'\n(This run|## This run| "this_run": \{)\n')
"""Where that begins which no other run shares: in the terminal, in markdown, in json."""


@dataclass(frozen=True)
class Told:
    """How a run ended, what it said, and how much it wrote. `probe`: where in the journal a probe's line begins, which
    follows the last step of its conversation; `summary`: where the line of a summary that a policy asked for begins and
    ends."""

    code: int
    reports: dict[str, str]
    steps: int
    journal: int
    probe: int
    summary: tuple[int, int]
    ticks: int


def dying(folder: Path, what: str, at: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line in a process that kills itself."""
    environment = {**os.environ, "COLUMNS": "80"}
    return warm.run("tests.kills.dying", what, str(at), *arguments, cwd=folder, environment=environment)


def killed(folder: Path, what: str, at: int, *arguments: str) -> None:
    """The same; it must have died."""
    done = dying(folder, what, at, *arguments)
    assert done.returncode == -signal.SIGKILL, done.stderr


def undisturbed(folder: Path, *options: str, workload: tuple[str, ...] = WORKLOAD) -> Told:
    """The workload from its begin to its end, on the same disk, which never kills."""
    done = dying(folder, "anything", sys.maxsize, *workload, *options)
    ticks = int(done.stderr.rpartition(TOLD)[2])
    return told(folder, done, ticks)


def resumed(folder: Path) -> Told:
    """The run of a folder, gone on with until it ends; nothing is typed again."""
    return told(folder, agenteval("run", "--resume", "latest", cwd=folder))


def run_in(folder: Path) -> Path:
    """The only run of a folder."""
    (found,) = (folder / "results").iterdir()
    return found


def told(folder: Path, done: subprocess.CompletedProcess[str], ticks: int = 0) -> Told:
    run = run_in(folder)
    stored = load_run(run)
    rendered = {name: render(summarise(stored.manifest, stored.records)) for name, render in FORMATS.items()}
    written = {name: (run / name).read_text() for name in ("report.md", "summary.json")}
    reports = {name: comparable(text) for name, text in {"stdout": done.stdout, **rendered, **written}.items()}
    journal = (run / "steps.jsonl").read_bytes()
    (probe, _), summary = line_of(journal, "probe"), line_of(journal, "summary")
    return Told(done.returncode, reports, len(stored.records), len(journal), probe, summary, ticks)


def line_of(journal: bytes, purpose: str) -> tuple[int, int]:
    """Where the first line of a purpose begins and ends."""
    at = journal.find(f'"purpose":"{purpose}"'.encode())
    return journal.rfind(b"\n", 0, at) + 1, journal.find(b"\n", at) + 1


def comparable(report: str) -> str:
    """A report up to its last section."""
    return LAST_SECTION.split(report)[0]


def finished(folder: Path) -> bytes:
    """The journal of a run, as far as its lines are complete."""
    data = (run_in(folder) / "steps.jsonl").read_bytes()
    return data[: data.rfind(b"\n") + 1]


def ids(journal: bytes) -> list[str]:
    return [json.loads(line)["id"] for line in journal.splitlines()]


def check_frames(folder: Path) -> None:
    """Every step's reply has been kept, once, and leads to the same verdict again."""
    stored = load_run(run_in(folder))
    kept = [step for cell in stored.manifest.cells["turns"] for step, *_ in index_frames(stored.path, cell)]
    assert sorted(kept) == sorted(record.id for record in stored.records)
    found = rescore(stored, load_suite("founding").scenarios)
    assert (found.steps, found.changes, found.missing) == (len(stored.records), (), ())


def verdicts(reports: dict[str, str]) -> Any:
    """Of a json report what does not depend on how fast the replies came."""
    rows = json.loads(reports["json"].rstrip().rstrip(",") + "}")  # its last section has been cut off
    kept = ("scenario", "thinking", "turn", "steps", "context", "judged_trials", "ok_trials", "findings", "detail")
    return rows["scores"], rows["findings"], [{key: row[key] for key in kept} for row in rows["turns"]]


class Served:
    """The workload's endpoint in a process of its own, and the requests that it got."""

    def __init__(self, url: str, log: Path) -> None:
        self.url = url
        self._log = log
        self._seen = 0

    def since(self) -> list[tuple[str, str]]:
        """(conversation, body) of the chat completions that were asked for since the last time."""
        lines = self._log.read_text().splitlines()
        new, self._seen = lines[self._seen :], len(lines)
        return [(conversation, body) for conversation, body in map(json.loads, new)]


def repeated(requests: list[tuple[str, str]]) -> Counter[str]:
    """How many requests of each conversation were a repetition."""
    counts: Counter[str] = Counter()
    for (conversation, _), times in Counter(requests).items():
        counts[conversation] += times - 1
    return counts


@contextmanager
def serving(folder: Path) -> Iterator[Served]:
    """The endpoint, for as long as the block lasts."""
    log = folder / "requests.jsonl"
    log.touch()
    server = warm.start("tests.kills.counted", str(log), "founding")
    try:
        yield Served(server.stderr.readline().strip(), log)
    finally:
        server.terminate()
        server.communicate(timeout=30)
