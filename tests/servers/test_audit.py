"""`agenteval parsers audit` and `record` on real servers: what their own parsers stream, against what the model wrote.

Once as a user asks, with models whose weights are set by hand; and with a vLLM that is made to say every text of the
bundled corpus, so that all of its serving code reads it: detokenizer, parser, frames.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agenteval.regress.corpus import bundled_corpus, load_corpus
from tests.servers.driving import AS_THE_MODEL_SAYS, play
from tests.servers.rows import on
from tests.servers.started import KEY, Started
from tests.servers.table import TABLE

pytestmark = pytest.mark.servers
SAMPLED = ("--temperature", "1", "--extra-body", AS_THE_MODEL_SAYS)
SAYS = ("vllm-glm-that-says", "vllm-glm-that-says-in-fours", "vllm-oss-that-says")


def parsers(*words: str, code: tuple[int, ...] = (0, 1)) -> dict[str, Any]:
    """What a command of `agenteval parsers` prints as JSON."""
    command = [sys.executable, "-m", "agenteval", "parsers", *words, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1800)
    assert done.returncode in code, done.stderr
    value: dict[str, Any] = json.loads(done.stdout)
    return value


def audit(server: Started, to: Path, *options: str) -> dict[str, Any]:
    where = ("--base-url", server.url, "--api-key", KEY, "--family", server.deployment.family, "--to", str(to))
    return parsers("audit", *where, *options)


def told(value: dict[str, Any]) -> tuple[int, int, int, int]:
    """Replies that are read as we do, by another option of ours, otherwise in an open question, otherwise at all."""
    replies = value["replies"]
    differing = [reply for reply in replies if not reply["agrees"]]
    chosen = sum(reply["option"] is not None for reply in replies)
    open_ = sum(reply["policy"] is not None for reply in differing)
    return len(replies) - len(differing) - chosen, chosen, open_, len(differing) - open_


def words(value: dict[str, Any]) -> str:
    return "{} as ours, {} by policy, {} otherwise in open questions, {} otherwise".format(*told(value))


@on("vllm-glm", "vllm-oss", "sglang-glm", "llamacpp-glm")
def test_what_a_user_asks_for(served: Started, tmp_path: Path) -> None:
    """What is read otherwise is told, not asserted: it is the server's. That it can be compared is ours."""
    value = audit(served, tmp_path, "--repeat", "3", *SAMPLED)
    asked = len(value["replies"]) + len(value["not_compared"])
    share = len(value["replies"]) / asked
    seen = f"{asked} asked, {len(value['replies'])} compared: {words(value)}"
    assert TABLE.add(served.deployment.name, "audit of calls asked for", seen, "compared", right=share > 0.9), value


@on("vllm-glm")
def test_calls_that_a_grammar_forces(served: Started, tmp_path: Path) -> None:
    """The server's own constraint makes the model write values that it would never choose."""
    value = audit(served, tmp_path, "--constrained", *SAMPLED)
    calls = sum(reply["calls"] for reply in value["replies"])
    seen = f"{len(value['replies'])} compared, {calls} calls: {words(value)}"
    assert TABLE.add(served.deployment.name, "audit of calls forced by grammar", seen, "calls", right=calls > 0), value


@on(*SAYS)
def test_a_whole_corpus_said(served: Started, tmp_path: Path) -> None:
    value = audit(served, tmp_path, "--say")
    there = sum(case.family == served.deployment.family for case in load_corpus(bundled_corpus()))
    compared = len(value["replies"])
    seen = f"{compared} of {there} said and compared: {words(value)}"
    known = "all said; what differs is saved, and read by ours as it should be"
    right = compared == there and bool(value["files"]) == any(not reply["agrees"] for reply in value["replies"])
    assert TABLE.add(served.deployment.name, "audit of the corpus", seen, known, right=right), value["not_compared"]
    if value["files"]:
        family = f"agenteval:{served.deployment.family}"
        command = [sys.executable, "-m", "agenteval", "parsers", "check", family, "--corpus", str(tmp_path)]
        done = subprocess.run([*command, "--cuts", "quick"], capture_output=True, text=True, check=False, timeout=600)
        assert done.returncode == 0, done.stdout


@on("vllm-glm", "vllm-oss", "sglang-glm")
def test_a_run_becomes_a_corpus(served: Started, tmp_path: Path) -> None:
    options = ("--raw-text", "--thinking", "on", "--trials", "4", "--extra-body", AS_THE_MODEL_SAYS)
    play(served, "roundtrip.yaml", tmp_path / "results", *options)
    value = parsers("record", "--out", str(tmp_path / "results"), "--to", str(tmp_path / "cases"), code=(0,))
    unknown = sum(value["not_known"].values())
    seen = f"{value['cases']} cases, {unknown} replies whose text is not known"
    right = value["cases"] > 3 and unknown == 0
    assert TABLE.add(served.deployment.name, "a run as cases", seen, "cases of all replies", right=right), value
