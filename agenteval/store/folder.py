"""Write a run's folder."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from agenteval.errors import UsageError
from agenteval.outcome import StepRecord
from agenteval.store.manifest import Manifest
from agenteval.store.read import StoredRun, frame_lines, read_frames
from agenteval.store.requests import RequestWriter
from agenteval.store.secrets import Secrets
from agenteval.wire import Recording


class RunFolder:
    """An open run. `secrets` are masked in everything that is written."""

    def __init__(self, path: Path, journal: BinaryIO, secrets: Secrets) -> None:
        self.path = path
        self._journal = journal
        self._secrets = secrets
        self._requests = RequestWriter()

    @classmethod
    def create(cls, out: Path, manifest: Manifest, secrets: Secrets) -> RunFolder:
        """Make `out/<run>` and write the manifest. Raises UsageError if it cannot be written there."""
        path = out / manifest.run
        try:
            (path / "frames").mkdir(parents=True)
            journal = (path / "steps.jsonl").open("xb")
        except OSError as error:
            raise UsageError(f"cannot write a run into {out}: {error.strerror}; choose another --out") from error
        folder = cls(path, journal, secrets)
        folder.write_manifest(manifest)
        return folder

    @classmethod
    def reopen(cls, stored: StoredRun, secrets: Secrets) -> RunFolder:
        """Go on with a run. What was torn when it ended is cut off: a line without its end, frames without a line."""
        path = stored.path / "steps.jsonl"
        try:
            with path.open("r+b") as journal:
                journal.truncate(journal.read().rfind(b"\n") + 1)
            folder = cls(stored.path, path.open("ab"), secrets)
        except OSError as error:
            raise UsageError(f"cannot go on writing {path}: {error.strerror}") from error
        kept = {record.id for record in stored.records}
        for cell in {record.cell for record in stored.records}:
            folder._mend_frames(cell, kept)
        return folder

    def _mend_frames(self, cell: str, kept: set[str]) -> None:
        """Rewrite a cell's frames with those of journalled steps only."""
        lines = [line for line in frame_lines(self.path, cell) if line["step"] in kept]
        packed = gzip.compress(b"".join(msgspec.json.encode(line) + b"\n" for line in lines), mtime=0)
        self._replace(f"frames/{cell}.jsonl.gz", packed)
        for step in read_frames(self.path, cell).values():
            if step.request is not None:
                self._requests.remember(cell, step.request)

    def append(self, record: StepRecord, recording: Recording | None) -> None:
        """Write one finished request: first its frames, then its line."""
        if recording is not None:
            self._append_frames(record, self._secrets.recording(recording))
        line = self._secrets.value(msgspec.to_builtins(record))
        self._journal.write(msgspec.json.encode(line) + b"\n")
        self._journal.flush()

    def write_manifest(self, manifest: Manifest) -> None:
        self._replace("run.json", _pretty(self._secrets.value(msgspec.to_builtins(manifest))))

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        self._replace("summary.json", _pretty(self._secrets.value(summary)))

    def write_report(self, name: str, text: str) -> Path:
        """Write a rendered report under its file name, e.g. `report.md`."""
        self._replace(name, self._secrets.text(text).encode())
        return self.path / name

    def close(self) -> None:
        self._journal.close()

    def _append_frames(self, record: StepRecord, recording: Recording) -> None:
        line = {
            "step": record.id,
            "request": self._secrets.value(self._requests.spell(record.cell, recording.request)),
            "status": recording.status,
            "headers": recording.headers,
            "ended": recording.ended,
            "fault": recording.fault,
            "chunks": [[at, *_spelled(chunk)] for at, chunk in recording.chunks],
        }
        packed = gzip.compress(msgspec.json.encode(line) + b"\n", compresslevel=6, mtime=0)
        with (self.path / "frames" / f"{record.cell}.jsonl.gz").open("ab") as file:
            file.write(packed)

    def _replace(self, name: str, data: bytes) -> None:
        """Write a file so that it is either the old one or the new one, whole."""
        part = self.path / f"{name}.part"
        part.write_bytes(data)
        part.replace(self.path / name)


def _pretty(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"


def _spelled(chunk: bytes) -> tuple[str, str]:
    """A chunk as text where it is whole UTF-8, else in base64; with the name of the spelling."""
    try:
        return "text", chunk.decode()
    except UnicodeDecodeError:
        return "base64", base64.b64encode(chunk).decode()
