"""Write a run's folder."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import msgspec

from agenteval.errors import DivergedError, StorageError, UsageError
from agenteval.outcome import StepRecord
from agenteval.store.disk import DISK, Disk
from agenteval.store.frames import frames_path, members, packed
from agenteval.store.lock import JOURNAL, RunLock
from agenteval.store.manifest import MANIFEST, Manifest
from agenteval.store.read import StoredRun
from agenteval.store.requests import RequestReader, RequestWriter
from agenteval.store.secrets import Secrets
from agenteval.wire import Recording

TAIL = 1 << 16


class RunFolder:
    """An open run, locked against other writers. `secrets` are masked in everything that is written.

    What cannot be written raises StorageError; from then on nothing more is, so that what was torn stays the end.
    """

    def __init__(self, path: Path, lock: RunLock, secrets: Secrets, disk: Disk) -> None:
        self.path = path
        self._lock = lock
        self._secrets = secrets
        self._disk = disk
        self._requests = RequestWriter()
        self._failed: StorageError | None = None

    @classmethod
    def create(cls, path: Path, manifest: Manifest, secrets: Secrets, disk: Disk = DISK) -> RunFolder:
        """Fill the empty folder of a new run: the journal, then the manifest, which makes it one. Raises UsageError."""
        try:
            disk.make_folder(path / "frames")
            disk.append(path / JOURNAL, b"")
            folder = cls(path, RunLock.take(path), secrets, disk)
            disk.replace(path / MANIFEST, folder._spelled(manifest))
        except OSError as error:
            raise _unwritable(path.parent, error) from error
        return folder

    @classmethod
    def reopen(
        cls, stored: StoredRun, left: Collection[str], lock: RunLock, secrets: Secrets, disk: Disk = DISK
    ) -> RunFolder:
        """Go on with a run that is locked. What was torn when it ended is cut off: a journal line without its end,
        frames without a line.

        Raises DivergedError, before anything is cut, if a journalled reply is missing from the frames of a cell whose
        replies are wanted again: one of those that are `left` to play. Such frames of another cell stay as they are.
        """
        folder = cls(stored.path, lock, secrets, disk)
        steps: dict[str, list[str]] = {cell: [] for cell in stored.manifest.cells["turns"]}
        for record in stored.records:
            steps.setdefault(record.cell, []).append(record.id)
        ends = [folder._frames_end(cell, ids, cell in left) for cell, ids in steps.items()]
        folder._cut(stored.path / JOURNAL, _whole_lines(stored.path / JOURNAL))
        for cell, end in zip(steps, ends, strict=True):
            if end is not None:
                folder._cut(frames_path(stored.path, cell), end)
        return folder

    def _frames_end(self, cell: str, steps: list[str], left: bool) -> int | None:
        """Where the frames of the last journalled step end; nothing behind it can be journalled. None: nothing is to be
        cut, since some are missing before."""
        path, requests = frames_path(self.path, cell), RequestReader()
        end, body, kept, missing = 0, None, frozenset(steps), dict.fromkeys(steps)
        for member in members(path):
            if member.line.step not in kept:
                break
            missing.pop(member.line.step, None)
            end, body = member.end, requests.read(member.line.request) or body
        if missing and left:
            self.close()
            raise DivergedError(f"{path} is damaged: the reply to {next(iter(missing))} is not in it: begin a new run")
        if body is not None:
            self._requests.remember(cell, body)
        return None if missing else end

    def _cut(self, path: Path, end: int) -> None:
        if path.exists() and end < path.stat().st_size:
            self._do(lambda: self._disk.cut(path, end))

    def append(self, record: StepRecord, recording: Recording | None) -> None:
        """Write one finished request: first its frames, then its line."""
        if recording is not None:
            self._append_frames(record, self._secrets.recording(recording))
        line = msgspec.json.encode(self._secrets.value(msgspec.to_builtins(record))) + b"\n"
        self._do(lambda: self._disk.append(self.path / JOURNAL, line))

    def _append_frames(self, record: StepRecord, recording: Recording) -> None:
        request = self._requests.spell(record.cell, recording.request)
        member = packed(record.id, self._secrets.spelled(request), recording)
        self._do(lambda: self._disk.append(frames_path(self.path, record.cell), member))

    def write_manifest(self, manifest: Manifest) -> None:
        self._replace(MANIFEST, self._spelled(manifest))

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        self._replace("summary.json", _pretty(self._secrets.value(summary)))

    def write_report(self, name: str, text: str) -> None:
        """Write a rendered report under its file name, e.g. `report.md`."""
        self._replace(name, self._secrets.text(text).encode())

    def close(self) -> None:
        """Let others write."""
        self._lock.release()

    def _spelled(self, manifest: Manifest) -> bytes:
        return _pretty(self._secrets.value(msgspec.to_builtins(manifest)))

    def _replace(self, name: str, data: bytes) -> None:
        self._do(lambda: self._disk.replace(self.path / name, data))

    def _do(self, change: Callable[[], None]) -> None:
        if self._failed is not None:
            raise self._failed
        try:
            change()
        except OSError as error:
            self._failed = StorageError(
                f"cannot write into {self.path}: {error.strerror}; what is done is kept: see to the disk, then go on "
                f"with `agenteval run --resume {self.path}`"
            )
            raise self._failed from error


def free_folder(out: Path, name: str, disk: Disk = DISK) -> Path:
    """Make the folder of a new run: `name`, or with a number behind it where others have that. Raises UsageError."""
    number = 1
    while True:
        path = out / (name if number == 1 else f"{name}-{number}")
        try:
            disk.make_folder(path)
        except FileExistsError:
            number += 1
        except OSError as error:
            raise _unwritable(out, error) from error
        else:
            return path


def _whole_lines(path: Path) -> int:
    """How many bytes of a file are lines with their ends. Looked for from its end, since a journal may be long."""
    size, back = path.stat().st_size, TAIL
    while True:
        start = max(0, size - back)
        with path.open("rb") as file:
            file.seek(start)
            at = file.read().rfind(b"\n")
        if at >= 0 or start == 0:
            return start + at + 1
        back *= 2


def _unwritable(out: Path, error: OSError) -> UsageError:
    return UsageError(f"cannot write a run into {out}: {error.strerror}; choose another --out")


def _pretty(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"
