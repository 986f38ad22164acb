"""The first day with a real server, as a new user has it: what is typed and read, and that it is true and helps."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from agenteval.store import find_run, load_run
from tests.servers.deployments import NO_PARSER
from tests.servers.home import HERE
from tests.servers.rows import on
from tests.servers.started import KEY, Started
from tests.servers.table import TABLE

pytestmark = pytest.mark.servers
everywhere = on("llamacpp-turn8", "vllm-turn8", "sglang-turn8")
MARKOV, TURN8 = HERE / "markov.yaml", HERE / "turn8.yaml"
HEEDING = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.executable, [sys.executable, "-m", "agenteval", *sys.argv[1:]])
"""
"""Starts the command so that it heeds Ctrl-C, even if these tests run as a background job, which ignores it."""
HERE_V1 = "http://127.0.0.1:{port}/v1"


def surroundings(key: str | None = KEY) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "AGENTEVAL_"))}
    return {**clean, "COLUMNS": "80", **({"OPENAI_API_KEY": key} if key else {})}


def typed(served: Started, folder: Path, *parts: object, key: str | None = KEY) -> tuple[int, str]:
    """Type `agenteval …` with the key in the environment; the exit code, and all that is read."""
    command = [str(part) for part in parts]
    done = subprocess.run(
        [sys.executable, "-m", "agenteval", *command],
        cwd=folder,
        env=surroundings(key),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=1800,
    )
    keep(served, command, done.returncode, done.stdout)
    assert "Traceback" not in done.stdout
    return done.returncode, done.stdout


def keep(served: Started, command: list[str], code: int, said: str) -> None:
    short = (part.removeprefix(f"{HERE}/") for part in command)
    TABLE.tell(served.deployment.name, " ".join(["agenteval", *short]), code, said)
    assert KEY not in said


def told(served: Started, what: str, text: str, *wanted: str) -> None:
    """All of this is read, however the lines are broken."""
    lines = " ".join(text.split())
    missing = [words for words in wanted if words not in lines]
    seen = "missing: " + "; ".join(missing) if missing else "told"
    assert TABLE.add(served.deployment.name, f"first day, {what}", seen, "; ".join(wanted), right=not missing), text


@dataclass(frozen=True, slots=True)
class Mistake:
    url: str
    code: int
    said: str
    key: str | None = KEY


MISTAKES: Mapping[str, Mistake] = {
    "wrong port": Mistake("http://127.0.0.1:1/v1", 3, "nothing listens on 127.0.0.1:1; is the server running"),
    "https to plain http": Mistake("https://127.0.0.1:{port}/v1", 3, "does it speak plain http://?"),
    "no scheme": Mistake("127.0.0.1:{port}", 2, "does not begin with http:// or https://"),
    "no key": Mistake(HERE_V1, 3, "refuses requests without a key: give one with --api-key", None),
    "wrong key": Mistake(HERE_V1, 3, "refuses the key it was given (HTTP 401", "wrong"),
    "wrong path": Mistake("http://127.0.0.1:{port}/foo", 3, "is this the address of an OpenAI-compatible API?"),
}


@everywhere
@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_at_the_start_is_told_with_what_to_do(served: Started, tmp_path: Path, name: str) -> None:
    mistake = MISTAKES[name]
    url = mistake.url.format(port=served.port)
    code, text = typed(served, tmp_path, "run", MARKOV, "--base-url", url, key=mistake.key)
    told(served, name, text, mistake.said)
    assert code == mistake.code


@everywhere
def test_without_model_and_v1_a_run_finds_both_and_a_failing_step_can_be_asked_again(
    served: Started, tmp_path: Path
) -> None:
    url = f"http://127.0.0.1:{served.port}"
    code, text = typed(served, tmp_path, "run", TURN8, "--thinking", "off", "--family", "glm47", "--base-url", url)
    assert code == 1
    found = f"Endpoint {url}/v1: model turn8, dialect {served.deployment.server}"
    told(served, "no --model, no /v1", text, found)
    told(served, "estimate", text, "Estimate: ", "for about 20 requests, if each takes the ")
    failing = next(record for record in load_run(find_run("latest", tmp_path / "results")).records if not record.ok)
    assert failing.turn == 8
    _, step = typed(served, tmp_path, "report", "latest", "--step", failing.id)
    told(served, "report --step", step, "- no_tool_call", "[tools] ", "Ask again")
    curl = step[step.index("curl -sSN") :]
    asked = subprocess.run(["bash", "-c", curl], env=surroundings(), capture_output=True, text=True, check=True)
    again = "".join(_deltas(asked.stdout))
    assert failing.reply is not None
    assert TABLE.add(served.deployment.name, "first day, its curl asks again", repr(again), repr(failing.reply.content))


def _deltas(stream: str) -> list[str]:
    """The words in a stream, read without our decoder."""
    events = [json.loads(line[6:]) for line in stream.splitlines() if line.startswith("data: {")]
    assert not any("error" in event for event in events), stream
    choices = [choice for event in events for choice in event["choices"]]
    return [choice["delta"].get("content") or "" for choice in choices]


@everywhere
def test_an_interrupted_run_says_how_to_go_on_and_does(served: Started, tmp_path: Path) -> None:
    command = ["run", str(TURN8), "--thinking", "off,on", "--family", "glm47", "--base-url", served.url]
    run = subprocess.Popen(
        [sys.executable, "-c", HEEDING, *command],
        cwd=tmp_path,
        env=surroundings(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert run.stdout is not None
    read = ""
    while "[3/20" not in read:
        line = run.stdout.readline()
        assert line, read
        read += line
    run.send_signal(signal.SIGINT)
    read += run.communicate(timeout=120)[0]
    keep(served, [*command, "  # Ctrl-C in turn 4"], run.returncode, read)
    told(served, "Ctrl-C", read, "Go on with it: agenteval run --resume results/")
    assert run.returncode == 130
    before = [record.id for record in load_run(find_run("latest", tmp_path / "results")).records]
    code, again = typed(served, tmp_path, "run", "--resume", "latest")
    assert code == 1
    left = 40 - 2 * read.count("\n[")
    told(served, "--resume latest", again, f"for about {left} requests", "Turns ok: 14 of 20 judged")
    records = [record.id for record in load_run(find_run("latest", tmp_path / "results")).records]
    assert records[: len(before)] == before
    assert len(records) == len(set(records))


@on(f"llamacpp-glm{NO_PARSER}", f"vllm-glm{NO_PARSER}", f"sglang-glm{NO_PARSER}")
def test_a_server_that_parses_no_calls_is_told_its_own_option(served: Started, tmp_path: Path) -> None:
    wanted = {
        "llamacpp": ("the endpoint takes no tools", "start its server with --jinja"),
        "vllm": ("the endpoint takes no tools", "start its server with --enable-auto-tool-choice --tool-call-parser"),
        "sglang": ("the tool call came as text: start the server with --tool-call-parser",),
    }
    code, text = typed(served, tmp_path, "run", MARKOV, "--thinking", "off", "--base-url", served.url)
    told(served, "a server that parses no calls", text, *wanted[served.deployment.server])
    assert code == (1 if served.deployment.server == "sglang" else 3)


@on("llamacpp-silent", "vllm-silent", "sglang-silent")
def test_a_model_that_never_calls_is_told_before_and_after(served: Started, tmp_path: Path) -> None:
    code, text = typed(served, tmp_path, "run", TURN8, "--thinking", "off", "--base-url", served.url)
    told(
        served,
        "a model that never calls",
        text,
        "Preflight: no tool call came when asked for one: see whether the model calls tools, and its parser is on",
        "Turns ok: 0 of 10 judged",
    )
    assert code == 1
    assert not re.search(r"calls a tool, counts", text)
