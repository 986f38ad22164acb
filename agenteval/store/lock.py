"""One writer per run: a lock on the journal that ends with the process that holds it, however that ends.

Not covered: systems and file systems without `flock` (Windows, some network shares); there nobody is kept out.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from agenteval.errors import UsageError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

JOURNAL = "steps.jsonl"


class RunLock:
    """Held from `take` until `release` or the end of the process."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    @classmethod
    def take(cls, folder: Path) -> RunLock:
        """Become the one that writes a run. Raises UsageError if somebody else does, or if it cannot be written."""
        try:
            file = (folder / JOURNAL).open("r+b")
        except OSError as error:
            raise UsageError(f"cannot go on writing the run in {folder}: {error.strerror}") from error
        try:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.close()
            raise UsageError(
                f"the run in {folder} is being written by another agenteval: wait for its end, or stop it first"
            ) from error
        except OSError:  # a file system that knows no locks
            pass
        return cls(file)

    def release(self) -> None:
        self._file.close()
