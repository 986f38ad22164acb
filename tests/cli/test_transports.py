"""`--transport openai` and `--no-stream` on the served simulator: the same run, the same verdicts and token counts."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_commands import agenteval
from tests.cli.test_over_http import serving, verdicts
from tests.cli.test_resume import cut_short, lines

WAYS = {
    "http": (),
    "openai": ("--transport", "openai"),
    "http, no stream": ("--no-stream",),
    "openai, no stream": ("--transport", "openai", "--no-stream"),
}
RUN = ("run", "ten-turn-repo", "--thinking", "off,preserved", "--json")
Done = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Done]]:
    """The same run each way, each on a fresh server, whose call ids and cache depend on what it was asked before."""
    found = {}
    for way, options in WAYS.items():
        folder = tmp_path_factory.mktemp("run")
        with serving(400.0, "founding") as url:
            found[way] = folder, agenteval(*RUN, "--base-url", url, *options, cwd=folder)
    return found


def steps(folder: Path) -> list[dict[str, Any]]:
    (run,) = (folder / "results").iterdir()
    return lines(run)


def said(step: dict[str, Any]) -> tuple[Any, ...]:
    """Of a step, all that does not depend on the clock."""
    return tuple(step[name] for name in ("id", "ok", "judged", "findings", "reply", "tokens", "view_hash"))


@pytest.mark.parametrize("way", [way for way in WAYS if way != "http"])
def test_another_way_of_asking_changes_no_verdict_and_no_count(way: str, runs: dict[str, tuple[Path, Done]]) -> None:
    (base, first), (folder, done) = runs["http"], runs[way]
    assert (first.returncode, done.returncode) == (1, 1), done.stderr
    assert verdicts(done.stdout) == verdicts(first.stdout)
    found, expected = (sorted(map(said, steps(place)), key=lambda item: item[0]) for place in (folder, base))
    assert len(found) > 30
    assert found == expected


@pytest.mark.parametrize("way", WAYS)
def test_what_is_not_streamed_has_no_latency_but_a_reason(way: str, runs: dict[str, tuple[Path, Done]]) -> None:
    folder, done = runs[way]
    whole = "no stream" in way
    for step in steps(folder):
        timing = step["timing"]
        assert (timing["ttft_ms"] is None) == (timing["refused"].get("ttft_ms") is not None) == whole
        assert (timing["refused"].get("decode_tok_s") == "the reply was not streamed") == whole
        assert timing["total_ms"] > 0
    assert all((row["ttft_ms"] is None) == whole for row in json.loads(done.stdout)["turns"])
    shown = agenteval("report", cwd=folder).stdout
    (row,) = [line for line in shown.splitlines() if line.split()[:1] == ["1"]][:1]
    assert (row.split()[3:7] == ["–"] * 4) == whole


def test_the_manifest_says_how_it_was_asked(runs: dict[str, tuple[Path, Done]]) -> None:
    for way, (folder, _) in runs.items():
        (run,) = (folder / "results").iterdir()
        options = json.loads((run / "run.json").read_text())["options"]
        assert (options["transport"], options["stream"]) == (way.split(",")[0], "no stream" not in way)


def test_the_embedded_endpoint_has_no_use_for_the_sdk_but_need_not_stream(tmp_path: Path) -> None:
    refused = agenteval("run", "--transport", "openai", cwd=tmp_path)
    assert refused.returncode == 2
    assert "--base-url" in refused.stderr
    assert "agenteval serve" in refused.stderr
    assert not (tmp_path / "results").exists()
    streamed, whole = (agenteval(*RUN, *option, cwd=tmp_path) for option in ((), ("--no-stream",)))
    assert verdicts(whole.stdout) == verdicts(streamed.stdout)
    assert all(row["ttft_ms"] is None for row in json.loads(whole.stdout)["turns"])


def test_without_the_sdk_a_sentence_says_how_to_get_it(tmp_path: Path) -> None:
    (tmp_path / "openai.py").write_text("raise ImportError('not installed')\n")
    command = [sys.executable, "-m", "agenteval", *RUN, "--base-url", "http://127.0.0.1:1", "--transport", "openai"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "pip install openai" in done.stderr


def test_a_run_through_the_sdk_can_be_resumed(tmp_path: Path) -> None:
    with serving(40.0, "founding") as url:
        run = cut_short(tmp_path, signal.SIGINT, "--base-url", url, "--thinking", "off", "--transport", "openai")
        before = lines(run)
        done = agenteval("run", "--resume", "latest", "--json", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert lines(run)[: len(before)] == before, "nothing is asked again"
    whole = agenteval("run", "ten-turn-repo", "--thinking", "off", "--json", cwd=tmp_path)
    assert verdicts(done.stdout) == verdicts(whole.stdout)
