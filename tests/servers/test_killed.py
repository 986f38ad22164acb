"""A real server is killed in the middle of a run and started again: the run goes on, by itself if the server comes back
soon enough, and asks nothing twice."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from agenteval.store import StoredRun, find_run, load_run
from tests.servers.driving import AS_THE_MODEL_SAYS, command
from tests.servers.rows import on
from tests.servers.started import Started
from tests.servers.table import TABLE

pytestmark = pytest.mark.servers
OPTIONS = ("--thinking", "off,on", "--history", "golden", "--retries", "1", "--extra-body", AS_THE_MODEL_SAYS)
IMPATIENT, PATIENT = ("--patience", "2"), ("--patience", "1000")
PREFLIGHT = (
    "Preflight: reaches, streams, calls a tool, counts its tokens.",
    "Preflight: no tool call came within 256 tokens (the model was still thinking or talking).",
)
"""At temperature 0 the chain takes the first of several equal ways, which may be to think for ever."""
NO_CALL = "Preflight: no tool call came when asked for one"
"""SGLang drops a call whose arguments are no JSON, and this chain writes such."""
DONE_BEFORE = 8
PATIENCE_S = 1200


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


@dataclass(frozen=True, slots=True)
class Survivor:
    """A run whose server was killed; `before`: its judged steps at that time."""

    code: int
    said: str
    before: list[str]


def killed(served: Started, out: Path, *options: str, restart_at_once: bool) -> Survivor:
    """Begin a run, kill its server, start it again (before or after the run's end), wait for the end."""
    run = subprocess.Popen(
        command(served, "roundtrip.yaml", out, *OPTIONS, *options),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_for_steps(out, DONE_BEFORE)
        served.kill()
        before = judged(out)
        if restart_at_once:
            served.start()
        _, said = run.communicate(timeout=PATIENCE_S)
    finally:
        run.kill()
        if not restart_at_once:
            served.start()
    typed = "agenteval run roundtrip.yaml … " + " ".join(options)
    TABLE.tell(served.deployment.name, f"{typed}   # the server is killed", run.returncode, said)
    return Survivor(run.returncode, said, before)


def judged(out: Path) -> list[str]:
    return [record.id for record in stored(out).records if record.judged]


def assert_all_is_there(served: Started, out: Path, survivor: Survivor, what: str) -> None:
    """All turns, none judged twice, what was done before as it was."""
    modes = ("on",) if served.deployment.family == "harmony" else ("off", "on")
    whole, ids, before = stored(out), judged(out), len(survivor.before)
    turns = {(record.cell, record.turn) for record in whole.records if record.judged}
    right = whole.manifest.status == "complete" and len(ids) == len(set(ids)) and ids[:before] == survivor.before
    right &= turns == {(f"roundtrip.{mode}.full_history.0", turn) for mode in modes for turn in range(1, 13)}
    assert TABLE.add(
        served.deployment.name,
        what,
        f"{before} steps kept, {len(ids) - before} more, {len(turns)} turns",
        f"{12 * len(modes)} turns, none lost, none twice",
        right=right,
    ), survivor.said


everywhere = on("llamacpp-glm", "vllm-glm", "vllm-oss", "sglang-glm", "sglang-llama-oss")


@everywhere
def test_a_run_survives_its_servers_death(served: Started, tmp_path: Path) -> None:
    survivor = killed(served, tmp_path, *IMPATIENT, restart_at_once=False)
    preflight = next((line for line in survivor.said.splitlines() if line.startswith("Preflight: ")), "nothing")
    known = PREFLIGHT if served.deployment.name != "sglang-llama-oss" else (*PREFLIGHT, NO_CALL)
    right = preflight.startswith(known)
    assert TABLE.add(served.deployment.name, "preflight", preflight, " or ".join(known), right=right)
    assert survivor.code == 3
    assert "has not answered even a small question" in survivor.said
    assert len(survivor.before) >= DONE_BEFORE
    again = subprocess.run(
        command(served, "roundtrip.yaml", tmp_path, "--resume", "latest"),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    typed = "agenteval run … --resume latest   # the server is there again"
    TABLE.tell(served.deployment.name, typed, again.returncode, again.stderr)
    assert again.returncode in (0, 1), again.stderr
    assert_all_is_there(served, tmp_path, survivor, "server killed in mid-run, --resume")


@everywhere
def test_a_run_waits_for_its_server(served: Started, tmp_path: Path) -> None:
    survivor = killed(served, tmp_path, *PATIENT, restart_at_once=True)
    assert survivor.code in (0, 1), survivor.said
    assert "(attempt 1)" in survivor.said, "the request under way was lost"
    waited = "Waiting up to 1000 s for the endpoint" in survivor.said  # llama.cpp may be back for the second attempt
    assert waited == ("The endpoint answers again after" in survivor.said)
    assert waited or served.deployment.server == "llamacpp"
    assert_all_is_there(served, tmp_path, survivor, "server killed in mid-run, started again")
