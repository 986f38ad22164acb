"""Known truth on a real server: a model that calls tools rightly up to 2,850 tokens, and answers in text above them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers.llamacpp import BINARY, TURN8, running

SCENARIO = Path(__file__).parent / "turn8.yaml"
NSTAR = 2850
FULL_HISTORY_CONTEXT = [909, 1115, 1274, 1450, 1618, 1822, 2542, 2944, 2974, 3011]
"""Prompt tokens per turn with thinking off, as the tokenizer and template give them."""

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(not BINARY.exists() or not TURN8.exists(), reason="make test-servers builds the server first"),
]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running(TURN8) as address:
        yield address


def rows(url: str, out: Path, *options: str) -> list[dict[str, Any]]:
    """The turn rows of one run."""
    command = [sys.executable, "-m", "agenteval", "run", str(SCENARIO), "--base-url", url, "--family", "glm47"]
    done = subprocess.run(
        [*command, "--out", str(out), "--json", *options], capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["turns"]
    return found


def test_turns_fail_exactly_above_the_known_length_in_every_mode(url: str, tmp_path: Path) -> None:
    found = rows(url, tmp_path)
    assert len(found) == 30
    for row in found:
        thinking_tokens = 0 if row["thinking"] == "off" else 4
        works = row["context"] + thinking_tokens <= NSTAR
        assert (row["ok_trials"] == 1) == works, row
        assert works == (row["turn"] <= 7)
        if not works:
            assert "no_tool_call" in row["findings"]


def test_context_is_the_servers_own_count(url: str, tmp_path: Path) -> None:
    found = rows(url, tmp_path, "--thinking", "off")
    assert [row["context"] for row in found] == FULL_HISTORY_CONTEXT
    assert {row["context_source"] for row in found} == {"server"}


def test_golden_history_gives_the_same_verdicts(url: str, tmp_path: Path) -> None:
    found = rows(url, tmp_path, "--thinking", "off", "--history", "golden")
    assert [row["turn"] for row in found if not row["ok_trials"]] == [8, 9, 10]


def test_a_shorter_history_gives_the_calls_back_and_loses_facts(url: str, tmp_path: Path) -> None:
    """With only the newest turns in view every call is made, and what stood in earlier turns is a wrong argument."""
    found = rows(url, tmp_path, "--thinking", "off", "--policy", "sliding_window:high=2500,target=1400")
    late = [row for row in found if row["turn"] >= 8]
    assert not any("no_tool_call" in row["findings"] for row in late)
    assert late[0]["ok_trials"] == 1, "turn 8 needs nothing from before"
    assert any({"wrong_argument", "stale_argument", "invented_argument"} & set(row["findings"]) for row in late[1:])


def test_preserved_reasoning_arrives(url: str, tmp_path: Path) -> None:
    rows(url, tmp_path, "--thinking", "preserved")
    (run,) = tmp_path.iterdir()
    (proof,) = json.loads((run / "summary.json").read_text())["preserved"]
    assert proof["with_reasoning"] > proof["without_reasoning"]
