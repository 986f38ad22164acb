"""A user's own policy or parser that speaks or never comes back: stdout stays data, and one Ctrl-C ends it."""

from __future__ import annotations

import json
import signal
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests import warm
from tests.cli.test_commands import agenteval
from tests.cli.test_over_http import serving

MINE = """
import signal
import sys

print("mine is imported")

def speaks(messages):
    print("mine is asked")
    return messages

def parse(pieces, tools, thinking):
    print("mine is asked")
    return [[{"content": piece}] for piece in pieces] + [[]]

def hangs(messages):
    if len(messages) < 8:
        return messages
    print("mine hangs", file=sys.stderr)
    while True:
        signal.pause()
"""
RUN = ("run", "ten-turn-repo", "--thinking", "off", "--allow-code", "--policy")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(MINE)
    return tmp_path


def test_what_own_code_prints_stands_in_no_data(folder: Path) -> None:
    told = {
        "run": agenteval(*RUN, "mine:speaks", "--json", cwd=folder),
        "check": agenteval("policies", "check", "mine:speaks", "--allow-code", "--transcripts", "2", cwd=folder),
        "score": agenteval("replay", "--score", "--allow-code", cwd=folder),
    }
    (run,) = folder.glob("results/*")
    step = json.loads((run / "steps.jsonl").read_text().splitlines()[-1])["id"]
    parser = ("mine:parse", "--family", "glm47", "--cuts", "quick", "--no-shrink", "--format", "json")
    told["parsers"] = agenteval("parsers", "check", *parser, cwd=folder)
    told["view"] = agenteval("policies", "view", "--step", step, "--allow-code", cwd=folder)
    for verb, done in told.items():
        assert "mine is" not in done.stdout, verb
        assert {"mine is imported", "mine is asked"} <= set(done.stderr.splitlines()), verb
        assert done.stdout, verb
    assert json.loads(told["run"].stdout)["scores"]["turns_judged"] == 10
    assert json.loads(told["parsers"].stdout)


@pytest.mark.parametrize("over_http", [False, True])
def test_one_interruption_ends_own_code_that_hangs_and_the_run_is_kept(folder: Path, over_http: bool) -> None:
    with serving(400.0, "founding") if over_http else nullcontext() as url:
        run = warm.start("agenteval", *RUN, "mine:hangs", *(("--base-url", url) if url else ()), cwd=folder)
        while run.stderr.readline() != "mine hangs\n":
            assert run.poll() is None
        run.send_signal(signal.SIGINT)
        said, told = run.communicate(timeout=20)
    assert run.returncode == 130, told
    (kept,) = folder.glob("results/*")
    assert json.loads((kept / "run.json").read_text())["status"] == "interrupted"
    assert told.endswith(f"Go on with it: agenteval run --resume results/{kept.name} --allow-code\n")
    assert "Turns ok: 1 of 1 judged" in said
