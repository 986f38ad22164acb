"""`results/example`: a small run of the embedded endpoint, played anew by `make docs` and compared by `make check`.

Its id, its times of day and the machine stand as fixed ones; everything else is what the program writes. Files are the
same if their text is, frames unpacked (zlib's versions pack differently) and numbers to the sixth decimal (Python's
versions add up differently).
"""

from __future__ import annotations

import gzip
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.program import FIXED_ID, FIXED_STAMP, RUN_ID, STAMP, printed

EXAMPLE = "results/example"
SUITE = "thinking-modes"
CHANGING: tuple[tuple[re.Pattern[str], str], ...] = (
    (RUN_ID, FIXED_ID),
    (STAMP, FIXED_STAMP),
    (re.compile(r'("(?:python|machine)": )"[^"]+"'), r'\1"any"'),
)
LONG_NUMBER = re.compile(r"-?\d+\.\d{7,}(?:e-?\d+)?")


def played() -> dict[str, bytes]:
    """Path below `results/example` → content, of a fresh run."""
    with tempfile.TemporaryDirectory() as folder:
        printed("agenteval", ("run", SUITE, "--out", "runs"), Path(folder))
        (run,) = (Path(folder) / "runs").iterdir()
        return {name: fixed(content) for name, content in files_of(run).items()}


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def fixed(content: bytes) -> bytes:
    """A file with what changes from run to run made the same. Frames, which are packed, hold nothing of that kind."""
    if content.startswith(b"\x1f\x8b"):
        return content
    text = content.decode()
    for pattern, stands in CHANGING:
        text = pattern.sub(stands, text)
    return text.encode()


def alike(one: bytes, other: bytes) -> bool:
    return _text(one) == _text(other)


def _text(content: bytes) -> str:
    unpacked = gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
    return LONG_NUMBER.sub(lambda number: f"{float(number[0]):.6f}", unpacked.decode())


def stale(present: Mapping[str, bytes], fresh: Mapping[str, bytes]) -> list[str]:
    """Files that are missing, changed, or there without being written any more."""
    return [
        name
        for name in sorted({*present, *fresh})
        if name not in present or name not in fresh or not alike(present[name], fresh[name])
    ]


def renew(folder: Path, fresh: Mapping[str, bytes], *, write: bool) -> list[str]:
    """Names of the stale files of a folder; they are written or removed if so wanted."""
    names = stale(files_of(folder), fresh)
    for name in names if write else ():
        path = folder / name
        if name in fresh:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(fresh[name])
        else:
            path.unlink()
    return names
