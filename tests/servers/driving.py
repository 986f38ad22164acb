"""`agenteval run` against a started server, as a user would start it; and what it left behind."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from agenteval.outcome import StepRecord
from agenteval.store import StoredRun, find_run, load_run, read_frames
from tests.servers.home import HERE
from tests.servers.started import KEY, Started

AS_THE_MODEL_SAYS = '{"top_p": 1, "min_p": 0, "top_k": 1000}'
"""Extra body at temperature 1: no server's own defaults may cut off unlikely tokens."""


@dataclass(frozen=True, slots=True)
class Played:
    """One run. `said`: what a user read on stderr; `summary`: what `--json` printed."""

    code: int
    said: str
    summary: dict[str, Any]
    out: Path

    @property
    def turns(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.summary["turns"]
        return found

    @property
    def stored(self) -> StoredRun:
        return load_run(find_run("latest", self.out))

    @property
    def notes(self) -> str:
        return " ".join(self.summary["notes"])


def command(server: Started, scenario: str, out: Path, *options: str) -> list[str]:
    start = [sys.executable, "-m", "agenteval", "run", str(HERE / scenario), "--base-url", server.url]
    return [*start, "--api-key", KEY, "--family", server.deployment.family, "--out", str(out), *options]


def play(server: Started, scenario: str, out: Path, *options: str) -> Played:
    """Run to the end, whatever the exit code."""
    done = subprocess.run(
        command(server, scenario, out, "--json", *options), capture_output=True, text=True, check=False, timeout=3600
    )
    return Played(done.returncode, done.stderr, json.loads(done.stdout) if done.stdout else {}, out)


def usage_on_the_wire(stored: StoredRun, record: StepRecord) -> dict[str, Any]:
    """The last usage object that the server sent for a step, read from the raw bytes without our decoder."""
    chunks = read_frames(stored.path, record.cell)[record.id].recording.chunks
    text = b"".join(chunk for _, chunk in chunks).decode()
    if text.startswith("{"):
        found: dict[str, Any] = json.loads(text)["usage"]
        return found
    events = (json.loads(line[6:]) for line in text.split("\n") if line.startswith("data: {"))
    usages: list[dict[str, Any]] = [event["usage"] for event in events if event.get("usage")]
    return usages[-1]


Counts: TypeAlias = tuple[int | None, ...]
"""Prompt, completion, cached and reasoning tokens."""


def both_counts(played: Played) -> tuple[list[Counts], list[Counts]]:
    """Those in our records of replies that could be judged, and those that the server sent for the same replies."""
    stored = played.stored
    records = [record for record in stored.records if record.judged]
    ours = [_recorded(record) for record in records]
    return ours, [_told(usage_on_the_wire(stored, record)) for record in records]


def _recorded(record: StepRecord) -> Counts:
    tokens = record.tokens
    return tokens.prompt, tokens.completion, tokens.cached, tokens.reasoning


def _told(usage: Mapping[str, Any]) -> Counts:
    cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens")
    reasoning = (usage.get("completion_tokens_details") or {}).get("reasoning_tokens")
    reasoning = usage.get("reasoning_tokens") if reasoning is None else reasoning
    return usage["prompt_tokens"], usage["completion_tokens"], cached, reasoning
