"""Read a run's folder again. A torn last line of the journal is ignored; any other broken line is an error."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from agenteval.errors import UsageError
from agenteval.outcome import StepRecord
from agenteval.store.lock import JOURNAL
from agenteval.store.manifest import MANIFEST, Manifest


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run as it stands on disk: its folder, manifest, and records in the order in which they were written."""

    path: Path
    manifest: Manifest
    records: tuple[StepRecord, ...]


def find_run(reference: str, out: Path) -> Path:
    """The folder of a run given as its folder, its id, or `latest`. Raises UsageError."""
    if reference == "latest":
        runs = sorted(path.parent for path in out.glob(f"*/{MANIFEST}"))
        if not runs:
            raise UsageError(f"there is no run in {out} yet: `agenteval run` makes one")
        return max(runs, key=lambda path: (_manifest(path / MANIFEST).created_at, path.stat().st_mtime_ns))
    for path in (Path(reference), out / reference):
        if (path / MANIFEST).is_file():
            return path
    raise UsageError(f"no run is called {reference!r}: give a run's folder, its id in {out}, or 'latest'")


def load_run(path: Path, kept: Callable[[StepRecord], StepRecord] | None = None) -> StoredRun:
    """Read manifest and journal; `kept` makes of each record what is held of it (None: all). Raises UsageError that
    names the file and line that cannot be read."""
    with _without_gc():
        records = _records(path / JOURNAL)
        return StoredRun(path, _manifest(path / MANIFEST), tuple(map(kept, records) if kept else records))


@contextmanager
def _without_gc() -> Iterator[None]:
    """No search for garbage while very many values are made of which none is: each search would look at all of them."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()


def _manifest(path: Path) -> Manifest:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError) as error:
        raise UsageError(f"{path}: not a run's manifest ({error})") from error


def _records(path: Path) -> Iterator[StepRecord]:
    decoder = msgspec.json.Decoder(StepRecord)
    for number, line in enumerate(_lines(path), start=1):
        try:
            yield decoder.decode(line)
        except msgspec.DecodeError as error:
            raise UsageError(f"{path}:{number}: not a step's record ({error})") from error


def _lines(path: Path) -> Iterator[bytes]:
    """The lines that have an end, one at a time, since a journal may be long."""
    try:
        with path.open("rb") as file:
            yield from (line for line in file if line.endswith(b"\n"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from error
