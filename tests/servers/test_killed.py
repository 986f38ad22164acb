"""A real server is killed in the middle of a run and started again: the run goes on and asks nothing twice."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from agenteval.store import StoredRun, find_run, load_run
from tests.servers.driving import AS_THE_MODEL_SAYS, command
from tests.servers.rows import on
from tests.servers.started import Started
from tests.servers.table import TABLE

pytestmark = pytest.mark.servers
OPTIONS = ("--thinking", "off,on", "--history", "golden", "--retries", "1", "--extra-body", AS_THE_MODEL_SAYS)
DONE_BEFORE = 8
PATIENCE_S = 240


def wait_for_steps(out: Path, wanted: int) -> None:
    """Until so many lines stand in the journal."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        if sum(path.read_bytes().count(b"\n") for path in out.glob("*/steps.jsonl")) >= wanted:
            return
        time.sleep(0.01)
    raise AssertionError(f"no {wanted} steps within {PATIENCE_S} s")


def stored(out: Path) -> StoredRun:
    return load_run(find_run("latest", out))


@on("llamacpp-glm", "vllm-glm", "vllm-oss", "sglang-glm", "sglang-llama-oss")
def test_a_run_survives_its_servers_death(served: Started, tmp_path: Path) -> None:
    run = subprocess.Popen(
        command(served, "roundtrip.yaml", tmp_path, *OPTIONS), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    wait_for_steps(tmp_path, DONE_BEFORE)
    served.kill()
    try:
        _, said = run.communicate(timeout=PATIENCE_S)
    finally:
        run.kill()
        served.start()
    TABLE.tell(served.deployment.name, "agenteval run roundtrip.yaml …   # the server is killed", run.returncode, said)
    assert run.returncode == 3
    before = [record.id for record in stored(tmp_path).records if record.judged]
    assert len(before) >= DONE_BEFORE

    again = subprocess.run(
        command(served, "roundtrip.yaml", tmp_path, "--resume", "latest"),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert again.returncode in (0, 1), again.stderr
    whole = stored(tmp_path)
    judged = [record.id for record in whole.records if record.judged]
    assert whole.manifest.status == "complete"
    assert len(judged) == len(set(judged)), "a step was judged twice"
    assert judged[: len(before)] == before
    modes = ("on",) if served.deployment.family == "harmony" else ("off", "on")
    turns = {(record.cell, record.turn) for record in whole.records if record.judged}
    assert TABLE.add(
        served.deployment.name,
        "server killed in mid-run",
        f"{len(before)} steps kept, {len(judged) - len(before)} after --resume, {len(turns)} turns",
        f"{12 * len(modes)} turns, none lost, none twice",
        right=turns == {(f"roundtrip.{mode}.full_history.0", turn) for mode in modes for turn in range(1, 13)},
    )
