"""`python -m tests.kills.dying WHAT AT ARGUMENT…`: the command line, on a disk that kills its own process.

WHAT is `journal`, where a tick is a byte of `steps.jsonl`, or `anything`, where a tick is a byte of any file, a rename,
a cut, or a folder made. AT ticks come to pass, and with the next one SIGKILL; what came before stays on the disk, as it
does when a process is killed. If the command ends before that, its ticks are told on stderr.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from agenteval.cli import main
from agenteval.store import Disk

TOLD = "ticks: "


class Dying(Disk):
    def __init__(self, what: str, at: int) -> None:
        self.journal_only = what == "journal"
        self.at = at
        self.ticks = 0

    def make_folder(self, path: Path) -> None:
        self.at_once(path, lambda: super(Dying, self).make_folder(path))

    def rename(self, old: Path, new: Path) -> None:
        self.at_once(old, lambda: super(Dying, self).rename(old, new))

    def cut(self, path: Path, size: int) -> None:
        self.at_once(path, lambda: super(Dying, self).cut(path, size))

    def append(self, path: Path, data: bytes) -> None:
        self.by_bytes(path, data, super().append)

    def write(self, path: Path, data: bytes) -> None:
        self.by_bytes(path, data, super().write)

    def at_once(self, path: Path, change: Callable[[], None]) -> None:
        if self.journal_only:
            change()
            return
        if self.ticks >= self.at:
            os.kill(os.getpid(), signal.SIGKILL)
        change()
        self.ticks += 1

    def by_bytes(self, path: Path, data: bytes, put: Callable[[Path, bytes], None]) -> None:
        if self.journal_only and path.name != "steps.jsonl":
            put(path, data)
            return
        left = self.at - self.ticks
        put(path, data[:left])
        if left < len(data):
            os.kill(os.getpid(), signal.SIGKILL)
        self.ticks += len(data)


if __name__ == "__main__":
    what, at, *arguments = sys.argv[1:]
    disk = Dying(what, int(at))
    try:
        main(arguments, disk)
    finally:
        print(f"{TOLD}{disk.ticks}", file=sys.stderr)
