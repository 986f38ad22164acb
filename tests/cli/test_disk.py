"""Disks that take no more: it is said at once, what is done is kept, the run is gone on with. The errors are real."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests import warm
from tests.cli.test_commands import agenteval
from tests.cli.test_over_http import serving
from tests.cli.test_resume import but_this_run

RUN = ("run", "thinking-modes", "--trials", "2", "--json")


def on_small_files(size: int, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A command whose files cannot grow beyond `size` bytes, as on a disk with that much room."""
    return warm.run("agenteval", *arguments, cwd=cwd, max_file=size)


def sentence(done: subprocess.CompletedProcess[str]) -> str:
    """The last word on stderr, which must be the only error."""
    assert "Traceback" not in done.stderr
    *_, last = done.stderr.splitlines()
    assert last.startswith("Error: ")
    assert done.stderr.count("Error: ") == 1
    assert done.stdout == ""
    return last


@pytest.mark.parametrize("room", [2_500, 20_000])
def test_a_full_disk_is_told_at_once_and_the_run_goes_on_later(room: int, tmp_path: Path) -> None:
    """The room ends first in the frames of a cell, then in the journal."""
    done = on_small_files(room, *RUN, cwd=tmp_path)
    assert done.returncode == 3
    (run,) = (tmp_path / "results").iterdir()
    said = sentence(done)
    assert f"cannot write into {run.relative_to(tmp_path)}: File too large" in said
    assert f"--resume {run.relative_to(tmp_path)}" in said
    kept = (run / "steps.jsonl").read_bytes()
    kept = kept[: kept.rfind(b"\n") + 1]
    assert json.loads((run / "run.json").read_text())["status"] == "running"
    again = agenteval("run", "--resume", "latest", "--json", cwd=tmp_path)
    assert (run / "steps.jsonl").read_bytes().startswith(kept)
    assert again.returncode == 0, again.stderr
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert but_this_run(again.stdout) == but_this_run(agenteval(*RUN, cwd=elsewhere).stdout)


def test_a_full_disk_ends_all_conversations_that_are_under_way(tmp_path: Path) -> None:
    with serving(1000.0, "founding") as url:
        done = on_small_files(20_000, *RUN, "--base-url", url, "--concurrency", "6", cwd=tmp_path)
        assert done.returncode == 3
        assert "File too large" in sentence(done)
        again = agenteval("run", "--resume", "latest", "--json", cwd=tmp_path)
    assert again.returncode == 0, again.stderr


def test_a_report_that_cannot_be_written_costs_no_step(tmp_path: Path) -> None:
    on_small_files(2_500, *RUN, cwd=tmp_path)
    (run,) = (tmp_path / "results").iterdir()
    (run / "summary.json").mkdir()
    done = agenteval("run", "--resume", "latest", cwd=tmp_path)
    assert done.returncode == 3
    assert "Is a directory; what is done is kept" in sentence(done)
    (run / "summary.json").rmdir()
    again = agenteval("run", "--resume", "latest", cwd=tmp_path)
    assert (again.returncode, again.stderr.count("turn")) == (0, 0), "nothing was left to ask"


def test_a_disk_without_room_for_a_run_is_the_users_mistake(tmp_path: Path) -> None:
    done = on_small_files(100, *RUN, cwd=tmp_path)
    assert done.returncode == 2
    assert "cannot write a run into results: File too large; choose another --out" in sentence(done)


@cache
def can_mount() -> bool:
    """Whether a file system of its own can be had without asking anybody."""
    command = ["unshare", "-rm", "sh", "-c", "mount -t tmpfs -o size=1m none /mnt"]
    return bool(shutil.which("unshare")) and subprocess.run(command, capture_output=True, check=False).returncode == 0


FILLED = """
mount -t tmpfs -o size=40k none results
"$0" -m agenteval run thinking-modes --trials 2 2>&1 >/dev/null | tail -1
mount -o remount,size=10m results
"$0" -m agenteval run --resume latest 2>&1 >/dev/null | tail -1
ls results/*/summary.json
"""


@pytest.mark.skipif(not can_mount(), reason="no file system can be mounted here")
def test_a_small_file_system_that_is_filled_up(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    command = ["unshare", "-rm", "sh", "-c", FILLED, sys.executable]
    full, again, there = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert "No space left on device; what is done is kept" in full
    assert again.startswith("Run kept in results/")
    assert there.endswith("summary.json")


@pytest.mark.parametrize("out", ["/proc/agenteval", "/dev/full", "taken"])
def test_a_place_where_nothing_can_be_written_is_named(out: str, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    done = agenteval("run", "thinking-modes", "--out", out, cwd=tmp_path)
    assert done.returncode == 2
    assert out in done.stderr
    assert "Traceback" not in done.stderr


def test_a_run_that_cannot_be_written_any_more_is_not_gone_on_with(tmp_path: Path) -> None:
    on_small_files(20_000, *RUN, cwd=tmp_path)
    (run,) = (tmp_path / "results").iterdir()
    (run / "steps.jsonl").rename(run / "moved")
    (run / "steps.jsonl").mkdir()
    done = agenteval("run", "--resume", "latest", cwd=tmp_path)
    assert done.returncode == 2
    assert "cannot go on writing the run in results/" in sentence(done)
