"""Read a run's folder again. A torn last line of the journal is ignored; any other broken line is an error."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from agenteval.errors import UsageError
from agenteval.outcome import StepRecord
from agenteval.store.manifest import Manifest
from agenteval.store.requests import RequestReader
from agenteval.wire import Fault, Recording


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run as it stands on disk: its folder, manifest, and records in the order in which they were written."""

    path: Path
    manifest: Manifest
    records: tuple[StepRecord, ...]


def find_run(reference: str, out: Path) -> Path:
    """The folder of a run given as its folder, its id, or `latest`. Raises UsageError."""
    if reference == "latest":
        runs = sorted(path.parent for path in out.glob("*/run.json"))
        if not runs:
            raise UsageError(f"there is no run in {out} yet: `agenteval run` makes one")
        return max(runs, key=lambda path: (_manifest(path / "run.json").created_at, path.stat().st_mtime_ns))
    for path in (Path(reference), out / reference):
        if (path / "run.json").is_file():
            return path
    raise UsageError(f"no run is called {reference!r}: give a run's folder, its id in {out}, or 'latest'")


def load_run(path: Path) -> StoredRun:
    """Read manifest and journal. Raises UsageError that names the file and line that cannot be read."""
    return StoredRun(path, _manifest(path / "run.json"), tuple(_records(path / "steps.jsonl")))


def _manifest(path: Path) -> Manifest:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError) as error:
        raise UsageError(f"{path}: not a run's manifest ({error})") from error


def _records(path: Path) -> Iterator[StepRecord]:
    decoder = msgspec.json.Decoder(StepRecord)
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from error
    for number, line in enumerate(lines[:-1], start=1):
        try:
            yield decoder.decode(line)
        except msgspec.DecodeError as error:
            raise UsageError(f"{path}:{number}: not a step's record ({error})") from error


@dataclass(frozen=True, slots=True)
class StoredStep:
    """One request as it was sent (None if it was not kept) and what came back."""

    request: dict[str, Any] | None
    recording: Recording


def read_frames(path: Path, cell: str) -> dict[str, StoredStep]:
    """What was sent and received in one cell, by step id; empty if nothing was kept. Ignores a torn last member."""
    requests = RequestReader()
    return {
        item["step"]: StoredStep(requests.read(item["request"]), _recording(item)) for item in frame_lines(path, cell)
    }


def frame_lines(path: Path, cell: str) -> list[dict[str, Any]]:
    """The lines of a cell's frames as they were written, up to the first that is torn."""
    found: list[dict[str, Any]] = []
    try:
        with gzip.open(path / "frames" / f"{cell}.jsonl.gz", "rt", encoding="utf-8") as file:
            found += map(json.loads, file)
    except (FileNotFoundError, EOFError, gzip.BadGzipFile, json.JSONDecodeError):
        pass
    return found


def _recording(item: dict[str, Any]) -> Recording:
    chunks = tuple((at, _bytes(kind, text)) for at, kind, text in item["chunks"])
    headers = tuple((name, value) for name, value in item["headers"])
    fault = Fault(**item["fault"]) if item["fault"] else None
    return Recording(item["status"], headers, chunks, item["ended"], fault)


def _bytes(kind: str, text: str) -> bytes:
    return text.encode() if kind == "text" else base64.b64decode(text)
