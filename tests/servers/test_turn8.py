"""Known truth on a real server: a model that calls tools rightly up to 2,850 tokens, and answers in text above them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.servers.driving import play
from tests.servers.rows import on
from tests.servers.started import Started

SCENARIO = "turn8.yaml"
NSTAR = 2850
THINKING_TOKENS = {"off": 0, "on": 4, "preserved": 4}
"""Tokens that are decoded between the prompt and the decision."""
FULL_HISTORY_CONTEXT = (909, 1115, 1274, 1450, 1618, 1822, 2542, 2944, 2974, 3011)
"""Prompt tokens per turn with thinking off, as the tokenizer and template give them."""
MORE_IN_PROMPTS = {"llamacpp": 0, "vllm": 0, "sglang": 180}
"""SGLang writes `"defer_loading": null` into each of the ten tools before the template sees them."""

pytestmark = pytest.mark.servers
everywhere = on("llamacpp-turn8", "vllm-turn8", "sglang-turn8")


def rows(server: Started, out: Path, *options: str) -> list[dict[str, Any]]:
    """The turn rows of one run in which every request got a reply."""
    played = play(server, SCENARIO, out, *options)
    assert played.code in (0, 1), played.said
    return played.turns


@everywhere
@pytest.mark.parametrize("stream", ["--stream", "--no-stream"])
def test_turns_fail_exactly_above_the_known_length_in_every_mode(served: Started, tmp_path: Path, stream: str) -> None:
    found = rows(served, tmp_path, stream)
    assert [row["turn"] for row in found] == [*range(1, 11)] * 3
    for row in found:
        works = row["context"] + THINKING_TOKENS[row["thinking"]] <= NSTAR
        assert (row["ok_trials"] == 1) == works, row
        assert works == (row["turn"] <= 7)
        assert works != ("no_tool_call" in row["findings"])


@everywhere
def test_context_is_the_servers_own_count(served: Started, tmp_path: Path) -> None:
    found = rows(served, tmp_path, "--thinking", "off")
    more = MORE_IN_PROMPTS[served.deployment.server]
    assert [row["context"] - more for row in found] == [*FULL_HISTORY_CONTEXT]
    assert {row["context_source"] for row in found} == {"server"}


@everywhere
def test_golden_history_gives_the_same_verdicts(served: Started, tmp_path: Path) -> None:
    found = rows(served, tmp_path, "--thinking", "off", "--history", "golden")
    assert [row["turn"] for row in found if not row["ok_trials"]] == [8, 9, 10]


@everywhere
def test_a_shorter_history_gives_the_calls_back_and_loses_facts(served: Started, tmp_path: Path) -> None:
    """With only the newest turns in view every call is made, and what stood in earlier turns is a wrong argument."""
    found = rows(served, tmp_path, "--thinking", "off", "--policy", "sliding_window:trigger=2500,target=1400")
    late = [row for row in found if row["turn"] >= 8]
    assert not any("no_tool_call" in row["findings"] for row in late)
    assert late[0]["ok_trials"] == 1, "turn 8 needs nothing from before"
    assert any({"wrong_argument", "stale_argument", "invented_argument"} & set(row["findings"]) for row in late[1:])


@everywhere
def test_preserved_reasoning_arrives(served: Started, tmp_path: Path) -> None:
    played = play(served, SCENARIO, tmp_path, "--thinking", "preserved")
    (proof,) = played.summary["preserved"]
    assert proof["with_reasoning"] > proof["without_reasoning"]
    assert "reached the prompt in 1 of 1 conversations" in played.notes
