"""How the bytes of a run reach the file system: the seam behind which tests let disks fill up and processes die.

Nothing here is synced: what was written survives the death of the process, not that of the machine.
"""

from __future__ import annotations

from pathlib import Path


class Disk:
    """Every change that a run makes to its folder is one of these. All of them raise OSError."""

    def make_folder(self, path: Path) -> None:
        """Make a folder that must not be there yet, and those above it."""
        path.mkdir(parents=True)

    def append(self, path: Path, data: bytes) -> None:
        """Put bytes at the end of a file; it is made if it is not there."""
        with path.open("ab") as file:
            file.write(data)

    def replace(self, path: Path, data: bytes) -> None:
        """Write a file so that it is either the old one or the new one, whole."""
        part = path.with_name(f"{path.name}.part")
        self.write(part, data)
        self.rename(part, path)

    def write(self, path: Path, data: bytes) -> None:
        path.write_bytes(data)

    def rename(self, old: Path, new: Path) -> None:
        old.replace(new)

    def cut(self, path: Path, size: int) -> None:
        """Forget what stands behind the first `size` bytes of a file."""
        with path.open("r+b") as file:
            file.truncate(size)


DISK = Disk()
