"""`agenteval parsers record` and `audit`, as a person types them, against the embedded endpoint."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.test_parsers import parsers
from tests.program import printed


def run(folder: Path, *options: str) -> None:
    printed("agenteval", ["run", "support-desk", "--thinking", "on", *options], folder)


def test_a_recorded_run_becomes_a_corpus_that_our_parser_passes(tmp_path: Path) -> None:
    run(tmp_path, "--raw-text")
    (manifest,) = tmp_path.glob("results/*/run.json")
    assert json.loads(manifest.read_text())["options"]["raw_text"] is True
    done = parsers("record", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    value = json.loads(done.stdout)
    assert value["cases"] == len(value["replies"]) > 3
    assert all(reply["agrees"] and reply["source"] == "logprobs" for reply in value["replies"])
    checked = parsers("check", "agenteval:glm47", "--corpus", "cases", "--cuts", "quick", cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout
    secret = parsers("record", "--anonymous", "--to", "other", cwd=tmp_path)
    assert secret.returncode == 0, secret.stderr
    (text,) = (path.read_text() for path in tmp_path.glob("other/glm47/*.yaml"))
    assert not [word for word in ("ticket", "Müller", "support-desk", "GLM") if word in text]


def test_a_run_that_did_not_ask_for_raw_text_says_how_to(tmp_path: Path) -> None:
    run(tmp_path)
    done = parsers("record", cwd=tmp_path)
    assert done.returncode == 3
    assert "run again with `agenteval run --raw-text`" in done.stderr
    assert not (tmp_path / "cases").exists()


def test_the_embedded_endpoint_has_our_parser(tmp_path: Path) -> None:
    done = parsers("audit", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    value = json.loads(done.stdout)
    assert "simulated" in value["about"]
    assert len(value["replies"]) == 30
    assert not value["not_compared"]


def test_it_does_not_say_what_it_is_told(tmp_path: Path) -> None:
    done = parsers("audit", "--say", "--case", "zero-arguments", cwd=tmp_path)
    assert done.returncode == 3
    assert "/tokenize" in done.stderr
    done = parsers("audit", "--case", "zero-arguments", cwd=tmp_path)
    assert done.returncode == 2
    assert "give --say, too" in done.stderr
