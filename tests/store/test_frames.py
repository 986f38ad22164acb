"""Frames that end anywhere, and runs that are opened again: what was whole is read, what was torn is cut off."""

from __future__ import annotations

import gc
import gzip
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenteval.errors import DivergedError, StorageError, UsageError
from agenteval.store import (
    Disk,
    RunFolder,
    RunLock,
    Secrets,
    find_run,
    index_frames,
    load_run,
    read_frames,
    recording_at,
)
from agenteval.store.frames import members, packed
from agenteval.wire import Recording
from tests.records import record
from tests.replay.recorded import recorded
from tests.run.scripted import Body, Says, right
from tests.store.test_folder import manifest

NOBODY = Secrets(None, ())
CELL = record().cell


def asking(*said: str) -> Recording:
    """A reply to these messages."""
    body = {"model": "m", "messages": [{"role": "user", "content": text} for text in said]}
    return Recording(200, (), ((1, " ".join(said).encode()),), 2, request=body)


STEPS = [(record(turn=n), asking(*map(str, range(n)))) for n in range(1, 5)]


def begun(out: Path, steps: int) -> RunFolder:
    """A run with so many steps, still open."""
    planned = replace(manifest(), cells={"turns": {CELL: 4}})
    folder = RunFolder.create(out / planned.run, planned, NOBODY)
    for step, recording in STEPS[:steps]:
        folder.append(step, recording)
    return folder


def gone_on_with(out: Path, disk: Disk | None = None, heard: Sequence[str] = ()) -> RunFolder:
    """The run of a folder, opened again."""
    path = find_run("latest", out)
    lock = RunLock.take(path)
    return RunFolder.reopen(load_run(path), heard, lock, NOBODY, disk or Disk())


def frames_of(folder: RunFolder) -> Path:
    return folder.path / "frames" / f"{CELL}.jsonl.gz"


MEMBERS = [packed(str(n), None, recording) for n, (_, recording) in enumerate(STEPS)]


@given(st.integers(0, sum(map(len, MEMBERS))), st.binary(max_size=3))
def test_frames_that_end_anywhere_are_read_up_to_there(
    tmp_path_factory: pytest.TempPathFactory, size: int, rubbish: bytes
) -> None:
    path = tmp_path_factory.mktemp("cut") / "frames.gz"
    path.write_bytes(b"".join(MEMBERS)[:size] + rubbish)
    whole = [n for n in range(len(MEMBERS)) if sum(map(len, MEMBERS[: n + 1])) <= size]
    found = list(members(path))
    assert [member.line.step for member in found][: len(whole)] == [str(n) for n in whole]
    assert len(found) - len(whole) <= (1 if rubbish else 0), "the rubbish may happen to be what is missing"
    for member in found[: len(whole)]:
        assert next(members(path, member.start)).line == member.line


@pytest.mark.parametrize("torn", [b"", b"\x1f", MEMBERS[2][:40], MEMBERS[3]], ids=["none", "byte", "half", "whole"])
@pytest.mark.parametrize("line", [b"", b'{"id": '])
def test_what_was_torn_is_cut_off_and_written_again(torn: bytes, line: bytes, tmp_path: Path) -> None:
    folder = begun(tmp_path, 2)
    folder.close()
    with frames_of(folder).open("ab") as frames, (folder.path / "steps.jsonl").open("ab") as journal:
        frames.write(torn)
        journal.write(line)
    before = (folder.path / "steps.jsonl").read_bytes().removesuffix(line)
    again = gone_on_with(tmp_path)
    for step, recording in STEPS[2:]:
        again.append(step, recording)
    again.close()
    assert (folder.path / "steps.jsonl").read_bytes().startswith(before)
    assert load_run(folder.path).records == tuple(step for step, _ in STEPS)
    kept = read_frames(folder.path, CELL)
    assert list(kept) == [step.id for step, _ in STEPS]
    for step, recording in STEPS:
        assert kept[step.id].request == recording.request


def test_damaged_frames_stay_as_they_are(tmp_path: Path) -> None:
    folder = begun(tmp_path, 4)
    folder.close()
    whole = frames_of(folder).read_bytes()
    damaged = whole[:60] + bytes([whole[60] ^ 0xFF]) + whole[61:]
    frames_of(folder).write_bytes(damaged)
    gone_on_with(tmp_path).close()
    assert frames_of(folder).read_bytes() == damaged, "nobody needs to hear them"
    with (folder.path / "steps.jsonl").open("ab") as journal:
        journal.write(b'{"torn": ')
    before = (folder.path / "steps.jsonl").read_bytes()
    with pytest.raises(DivergedError, match=f"{CELL}.jsonl.gz is damaged: the reply to {STEPS[0][0].id}"):
        gone_on_with(tmp_path, heard=(CELL,))
    assert frames_of(folder).read_bytes() == damaged
    assert (folder.path / "steps.jsonl").read_bytes() == before


def test_a_cell_that_had_no_finished_step_begins_anew(tmp_path: Path) -> None:
    folder = begun(tmp_path, 0)
    folder.close()
    frames_of(folder).write_bytes(MEMBERS[0] + MEMBERS[1][:9])
    gone_on_with(tmp_path).close()
    assert frames_of(folder).read_bytes() == b""


def test_replies_are_found_where_they_stand(tmp_path: Path) -> None:
    begun(tmp_path, 4).close()
    path = find_run("latest", tmp_path)
    for (step, recording), (name, request, place) in zip(STEPS, index_frames(path, CELL), strict=True):
        assert name == step.id
        assert request == recording.request
        assert recording_at(place).chunks == recording.chunks


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    folder = begun(tmp_path, 1)
    with pytest.raises(UsageError, match="written by another agenteval"):
        RunLock.take(folder.path)
    folder.close()
    RunLock.take(folder.path).release()


def test_a_cell_leads_nowhere_else(tmp_path: Path) -> None:
    """The journal of a stranger's run names a cell that is a path."""
    with pytest.raises(UsageError, match="no name of a cell"):
        read_frames(tmp_path, "../../elsewhere")


def test_frames_that_are_none_of_ours_are_told(tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    (tmp_path / "frames" / "c.jsonl.gz").write_bytes(gzip.compress(b'{"step": 1}'))
    with pytest.raises(UsageError, match="no frames of a run"):
        read_frames(tmp_path, "c")


def test_frames_are_let_go_when_they_are_written(tmp_path: Path) -> None:
    """Whenever something is asked, at most the last reply is still in memory."""
    alive: list[int] = []

    def counting(body: Body) -> Says:
        gc.collect()
        alive.append(sum(isinstance(item, Recording) for item in gc.get_objects()))
        return right(body)

    before = sum(isinstance(item, Recording) for item in gc.get_objects())
    stored = recorded(tmp_path, counting)
    assert len(alive) == len(stored.records) == 11
    assert max(alive) - before <= 1


class Filling(Disk):
    """A disk on which one journal line finds room only for its begin, and all later ones would fit."""

    def __init__(self) -> None:
        self.full = False

    def append(self, path: Path, data: bytes) -> None:
        if path.name == "steps.jsonl" and data and not self.full:
            self.full = True
            super().append(path, data[:10])
            raise OSError(28, "No space left on device")
        super().append(path, data)


def test_nothing_is_written_behind_a_torn_line(tmp_path: Path) -> None:
    """Another conversation may end a moment after the disk was full."""
    folder = begun(tmp_path, 2)
    folder.close()
    again = gone_on_with(tmp_path, Filling())
    for step, recording in STEPS[2:]:
        with pytest.raises(StorageError, match="No space left on device; what is done is kept"):
            again.append(step, recording)
    again.close()
    assert load_run(folder.path).records == tuple(step for step, _ in STEPS[:2])
    last = gone_on_with(tmp_path)
    last.append(*STEPS[2])
    last.close()
    assert load_run(folder.path).records == tuple(step for step, _ in STEPS[:3])
