"""The committed example run is what the program writes now; what depends on the machine makes no difference."""

from __future__ import annotations

import gzip
from pathlib import Path

from tests.example_run import EXAMPLE, alike, files_of, fixed, renew, stale
from tests.program import ROOT

LINE = b'{"step": "a", "ended": 7}\n'


def test_ids_times_and_the_machine_are_made_the_same() -> None:
    one, other = (
        f'{{"run": "2026{day}-101112-s", "at": "2026-11-{day[2:]}T01:02:03.456Z", "python": "3.{day[:2]}.1"}}'.encode()
        for day in ("1101", "1202")
    )
    assert fixed(one) == fixed(other)
    assert b"20260101-000000-s" in fixed(one)


def test_how_frames_are_packed_makes_no_difference_but_what_they_hold_does() -> None:
    packed, other = gzip.compress(LINE, 1), gzip.compress(LINE, 9, mtime=5) + gzip.compress(b"")
    assert packed != other
    assert alike(packed, other)
    assert not alike(packed, gzip.compress(LINE.replace(b"7", b"8")))


def test_numbers_count_to_the_sixth_decimal() -> None:
    assert alike(b'{"tok_s": 16.869188553999905}', b'{"tok_s": 16.869188554000001}')
    assert not alike(b'{"tok_s": 16.869188553999905}', b'{"tok_s": 16.86919}')
    assert not alike(b'{"tok_s": 16.8}', b'{"tok_s": 16.9}')


def test_a_missing_a_changed_and_a_strange_file_are_named_and_mended(tmp_path: Path) -> None:
    fresh = {"run.json": b"{}", "steps.jsonl": LINE, "frames/a.gz": gzip.compress(LINE)}
    assert renew(tmp_path, fresh, write=True) == ["frames/a.gz", "run.json", "steps.jsonl"]
    (tmp_path / "run.json").write_bytes(b'{"new_key": 1}')
    (tmp_path / "steps.jsonl").unlink()
    (tmp_path / "left-over.txt").write_bytes(b"\xff")
    assert renew(tmp_path, fresh, write=False) == ["left-over.txt", "run.json", "steps.jsonl"]
    assert renew(tmp_path, fresh, write=True) == ["left-over.txt", "run.json", "steps.jsonl"]
    assert files_of(tmp_path) == fresh


def test_the_committed_example_holds_no_machine() -> None:
    """A hand-made change of an id or a time would not be seen by comparison alone."""
    files = files_of(ROOT / EXAMPLE)
    assert stale(files, {name: fixed(content) for name, content in files.items()}) == []
    assert sum(map(len, files.values())) < 100_000
