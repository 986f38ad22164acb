"""`agenteval serve` on a real socket, driven by `agenteval run --base-url`; and what a broken server leads to."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.test_commands import agenteval


@contextmanager
def serving(speed: float, *options: str) -> Iterator[str]:
    """A served profile's base URL. The server ends by itself after two minutes at the latest."""
    command = [sys.executable, "-m", "agenteval", "serve", "--port", "0", "--max-seconds", "120", "--speed", str(speed)]
    server = subprocess.Popen([*command, *options], stderr=subprocess.PIPE, text=True)
    try:
        assert server.stderr is not None
        found = re.search(r"http://\S+/v1", server.stderr.readline())
        assert found
        yield found[0]
    finally:
        server.terminate()
        server.communicate(timeout=30)


@pytest.fixture(scope="module")
def fast() -> Iterator[str]:
    with serving(400.0) as url:
        yield url


def verdicts(text: str) -> list[tuple[object, ...]]:
    rows = json.loads(text)["turns"]
    return [(row["scenario"], row["thinking"], row["turn"], row["ok_trials"], row["context"]) for row in rows]


def test_over_http_the_verdicts_are_those_of_the_embedded_run(fast: str, tmp_path: Path) -> None:
    over_http = agenteval("run", "--base-url", fast, "--concurrency", "3", "--json", cwd=tmp_path)
    embedded = agenteval("run", "--json", cwd=tmp_path)
    assert over_http.returncode == embedded.returncode == 1, over_http.stderr
    assert verdicts(over_http.stdout) == verdicts(embedded.stdout)


def test_it_says_what_it_found_and_watches_itself(fast: str, tmp_path: Path) -> None:
    done = agenteval("run", "thinking-modes", "--base-url", fast, "--thinking", "off", cwd=tmp_path)
    assert "model GLM-4.7-FP8, dialect sglang" in done.stderr
    assert "SIMULATED" in done.stdout, "a simulator over HTTP is a simulator"
    (run,) = (tmp_path / "results").iterdir()
    client = json.loads((run / "run.json").read_text())["client"]
    assert client["samples"] > 0
    assert client["valid"] in (True, False)


def test_a_wrong_model_is_told_and_lost_cells_exit_3(fast: str, tmp_path: Path) -> None:
    done = agenteval("run", "thinking-modes", "--base-url", fast, "--model", "nope", cwd=tmp_path)
    assert done.returncode == 3
    assert "lists GLM-4.7-FP8" in done.stderr
    assert "Turns ok: 0 of 0 judged" in done.stdout


def test_ctrl_c_keeps_what_is_done(tmp_path: Path) -> None:
    with serving(20.0) as url:
        command = [sys.executable, "-m", "agenteval", "run", "ten-turn-repo", "--base-url", url]
        run = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert run.stderr is not None
        while "[2/" not in run.stderr.readline():
            assert run.poll() is None
        run.send_signal(signal.SIGINT)
        said, _ = run.communicate(timeout=60)
    assert run.returncode == 130
    (folder,) = (tmp_path / "results").iterdir()
    assert json.loads((folder / "run.json").read_text())["status"] == "interrupted"
    assert len((folder / "steps.jsonl").read_text().splitlines()) >= 2
    assert "Summary" in said
    assert agenteval("report", cwd=tmp_path).returncode == 0
