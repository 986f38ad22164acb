"""`agenteval replay`: a recorded run is scored again without its endpoint, and served in its place."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agenteval.store import load_run, read_frames
from tests import warm
from tests.cli.test_commands import BUNDLED, agenteval
from tests.cli.test_over_http import serving, verdicts

EXAMPLE = BUNDLED.parent / "results" / "example"
ASKED = ("run", "founding", "--thinking", "off,preserved", "--concurrency", "3", "--json", "--base-url")


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A run over HTTP, and what it said. Its server is gone."""
    folder = tmp_path_factory.mktemp("real")
    with serving(1000.0, "founding") as url:
        done = agenteval(*ASKED, url, cwd=folder)
    assert done.returncode == 1, done.stderr
    (run,) = (folder / "results").iterdir()
    return run, done.stdout


@contextmanager
def replaying(run: Path, *options: str) -> Iterator[str]:
    """The base URL of a served recording. The server must have nothing to complain of."""
    command = ("replay", str(run), "--serve", "--port", "0", "--max-seconds", "1800")
    server = warm.start("agenteval", *command, *options)
    try:
        found = re.search(r"http://\S+/v1", server.stderr.readline())
        assert found
        yield found[0]
    finally:
        server.terminate()
        assert server.communicate(timeout=30)[1].strip() == ""


def contents(run: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in run.rglob("*") if path.is_file()}


def bodies(run: Path) -> dict[str, bytes]:
    """Every byte of every reply, by step."""
    cells = load_run(run).manifest.cells["turns"]
    return {
        step: b"".join(chunk for _, chunk in kept.recording.chunks)
        for cell in cells
        for step, kept in read_frames(run, cell).items()
    }


def test_verdicts_are_identical_without_the_endpoint(real: tuple[Path, str], tmp_path: Path) -> None:
    run, _ = real
    before = contents(run)
    done = agenteval("replay", str(run), "--score", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "every verdict is what it was" in done.stdout
    assert contents(run) == before, "nothing is written"


def test_the_example_run_is_scored_as_it_was(tmp_path: Path) -> None:
    """It comes from another machine, and perhaps from an older version of this program."""
    done = agenteval("replay", str(EXAMPLE), "--score", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_example_run_is_served_to_the_same_run(tmp_path: Path) -> None:
    """As the README tells it."""
    with replaying(EXAMPLE, "--timing", "none") as url:
        done = agenteval("run", "thinking-modes", "--base-url", url, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Turns ok: 6 of 6 judged" in done.stdout


def test_a_verdict_that_changed_is_listed_and_gates(real: tuple[Path, str], tmp_path: Path) -> None:
    run = tmp_path / "results" / "changed"
    shutil.copytree(real[0], run)
    lines = [json.loads(line) for line in (run / "steps.jsonl").read_text().splitlines()]
    wrong = next(line for line in lines if line["findings"])
    wrong["findings"], wrong["ok"] = [], True
    (run / "steps.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = agenteval("replay", "changed", "--score", cwd=tmp_path)
    assert done.returncode == 1
    assert "1 verdicts changed" in done.stdout
    assert f"- {wrong['id']}: ok, ends the turn → FAIL no_tool_call" in done.stdout


def test_a_suite_that_has_changed_is_not_scored(real: tuple[Path, str], tmp_path: Path) -> None:
    run = tmp_path / "results" / "other"
    shutil.copytree(real[0], run)
    manifest = json.loads((run / "run.json").read_text())
    manifest["scenarios"]["thinking-modes"] = "sha256:0"
    (run / "run.json").write_text(json.dumps(manifest))
    done = agenteval("replay", "other", "--score", cwd=tmp_path)
    assert done.returncode == 2
    assert "thinking-modes is not what it was" in done.stderr


@pytest.mark.parametrize("part", ["plan", "options", "endpoint", "cells"])
def test_a_manifest_of_another_version_is_told(part: str, real: tuple[Path, str], tmp_path: Path) -> None:
    run = tmp_path / "results" / "older"
    shutil.copytree(real[0], run)
    manifest = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**manifest, part: {}, "status": "interrupted"}))
    for command in (("replay", "older", "--score"), ("run", "--resume", "older")):
        done = agenteval(*command, cwd=tmp_path)
        assert done.returncode == 2
        assert f"does not say {part}." in done.stderr


def test_replies_that_were_not_kept_are_not_enough_evidence(real: tuple[Path, str], tmp_path: Path) -> None:
    run = tmp_path / "results" / "lossy"
    shutil.copytree(real[0], run)
    (run / "frames" / "thinking-modes.off.full_history.0.jsonl.gz").unlink()
    done = agenteval("replay", "lossy", "--score", cwd=tmp_path)
    assert done.returncode == 3
    assert "4 steps from thinking-modes.off.full_history.0.t01.s01.a1 on" in done.stdout


@pytest.mark.parametrize("options", [(), ("--transport", "openai"), ("--concurrency", "4")])
def test_a_run_against_the_recording_is_the_same_run(
    options: tuple[str, ...], real: tuple[Path, str], tmp_path: Path
) -> None:
    run, said = real
    with replaying(run, "--timing", "none") as url:
        done = agenteval(*ASKED, url, *options, cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert verdicts(done.stdout) == verdicts(said)
    assert json.loads(done.stdout)["simulated"] is True, "a recording of a simulator is simulated, too"
    notes = json.loads(done.stdout)["notes"]
    assert any(f"REPLAYED: no model has answered; the replies are those of run {run.name}" in note for note in notes)
    assert {row["ttft_ms"] for row in json.loads(done.stdout)["turns"]} == {None}, "there was no time"
    (again,) = (tmp_path / "results").iterdir()
    if "openai" not in options:  # the SDK hands on its own objects, not bytes
        assert bodies(again) == bodies(run)
    assert agenteval("replay", "--score", cwd=tmp_path).returncode == 0


def test_with_its_times_a_recording_is_measured(real: tuple[Path, str], tmp_path: Path) -> None:
    run, said = real
    with replaying(run) as url:
        done = agenteval(*ASKED, url, cwd=tmp_path)
    assert verdicts(done.stdout) == verdicts(said)
    assert all(row["ttft_ms"] for row in json.loads(done.stdout)["turns"])
    (again,) = (tmp_path / "results").iterdir()
    assert bodies(again) == bodies(run)


@pytest.mark.parametrize("options", [("--score", "--serve"), ()])
def test_one_thing_is_done_at_a_time(options: tuple[str, ...], real: tuple[Path, str], tmp_path: Path) -> None:
    done = agenteval("replay", str(real[0]), *options, cwd=tmp_path)
    assert done.returncode == 2
    assert "--score or --serve" in done.stderr


def test_a_run_without_frames_cannot_be_served(real: tuple[Path, str], tmp_path: Path) -> None:
    run = tmp_path / "results" / "bare"
    shutil.copytree(real[0], run)
    shutil.rmtree(run / "frames")
    done = agenteval("replay", "bare", "--serve", cwd=tmp_path)
    assert done.returncode == 2
    assert "has kept no replies" in done.stderr
