"""Known truth on a real server: a model that calls tools rightly up to 2,850 tokens, and answers in text above them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from agenteval.outcome import Tokens
from tests.servers import metrics
from tests.servers.driving import play
from tests.servers.rows import on
from tests.servers.started import Started
from tests.servers.table import TABLE

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
    for mode, thought in THINKING_TOKENS.items():
        own = [row for row in found if row["thinking"] == mode]
        works = [row["turn"] for row in own if row["ok_trials"] == 1]
        texts = [row["turn"] for row in own if "no_tool_call" in row["findings"]]
        lengths = {row["turn"]: row["context"] + thought for row in own}
        seen = f"{spelled(works)} right, up to {max(lengths[turn] for turn in works)} tokens; {spelled(texts)} "
        seen += f"no_tool_call, from {min((lengths[turn] for turn in texts), default=0)} on"
        right = (works, texts) == ([*range(1, 8)], [8, 9, 10])
        right &= all((lengths[turn] <= NSTAR) == (turn in works) for turn in lengths)
        assert TABLE.add(
            served.deployment.name,
            f"turn8, thinking {mode}, {stream.removeprefix('--')}",
            seen,
            f"1-7 right, 8-10 no_tool_call; call up to {NSTAR}",
            right=right,
        )


def spelled(turns: list[int]) -> str:
    return f"{turns[0]}-{turns[-1]}" if turns and turns == [*range(turns[0], turns[-1] + 1)] else str(turns)


@everywhere
def test_every_request_of_a_run_is_accounted_for(served: Started, tmp_path: Path) -> None:
    """With all that a run asks beside its turns: one question before it, one after each preserved cell."""
    before = metrics.read(served)
    played = play(served, SCENARIO, tmp_path)
    counted = metrics.read(served).since(before).requests
    records = played.stored.records
    assert [record.purpose for record in records].count("probe") == 1
    assert TABLE.add(served.deployment.name, "requests: journal and 1 of the preflight", len(records) + 1, counted)


@everywhere
def test_context_is_the_servers_own_count(served: Started, tmp_path: Path) -> None:
    found = rows(served, tmp_path, "--thinking", "off")
    more = MORE_IN_PROMPTS[served.deployment.server]
    assert TABLE.add(
        served.deployment.name,
        "context per turn, thinking off",
        [row["context"] for row in found],
        [tokens + more for tokens in FULL_HISTORY_CONTEXT],
    )
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


POLICIES = {
    "full_history": {8: "no_tool_call", 9: "no_tool_call", 10: "no_tool_call"},
    "sliding_window:trigger=2700,target=1500": {9: "wrong_argument", 10: "wrong_argument"},
    "observation_masking:keep_last=2,step=1": {10: "wrong_argument"},
    "observation_masking:keep_last=1,step=1,larger_than=1000": {},
}
"""What the weights say of each: turn → finding. The window keeps the newest turns, in which ids of turns 2 and 4 are
missing; with old results masked the first of these still stands in the arguments of call 3."""

BLOCK = {"vllm": 128, "sglang": 16, "llamacpp": 16}
"""Tokens that are cached as one: vLLM's on a CPU. The others cache token by token here, and may lack a reply's last."""

WRONG_VALUES = {"wrong_argument", "stale_argument", "invented_argument"}


@everywhere
@pytest.mark.parametrize("stream", ["--stream", "--no-stream"])
def test_policies_fix_and_break_what_the_weights_say(served: Started, tmp_path: Path, stream: str) -> None:
    chosen = [word for name in POLICIES for word in ("--policy", name)]
    played = play(served, SCENARIO, tmp_path, "--thinking", "off,on", stream, *chosen)
    assert {record.error for record in played.stored.records} == {None}, "no view was refused"
    for name, wrong in POLICIES.items():
        for mode in ("off", "on"):
            own = [row for row in played.turns if (row["policy"], row["thinking"]) == (name, mode)]
            found = {row["turn"]: sorted(row["findings"]) for row in own if not row["ok_trials"]}
            asked = {turn: kind for turn, kind in found.items() if turn in wrong}
            right = list(found) == list(wrong) and all(
                wrong[turn] in kinds or (wrong[turn] in WRONG_VALUES and WRONG_VALUES & set(kinds))
                for turn, kinds in asked.items()
            )
            short = name.partition(":")[0] + " of large" * ("larger" in name)
            assert TABLE.add(
                served.deployment.name,
                f"turn8, {short}, {mode}, {stream.removeprefix('--')}",
                f"{10 - len(found)} right; {found}",
                f"{10 - len(wrong)} right; {wrong}",
                right=right,
            )
    told = " ".join(played.summary["story"])
    assert "fixes 6 of 6 failing turns" in told, told


@everywhere
def test_what_is_reusable_is_what_the_server_had_cached(served: Started, tmp_path: Path) -> None:
    """Where nothing was changed the server has the request before, to a block. Where a policy changed something, our
    share of the prompt (counted by the o200k vocabulary, which is not the model's) is the server's, to a block and 6
    points."""
    block = BLOCK[served.deployment.server]
    chosen = [word for name in POLICIES for word in ("--policy", name)]
    steps = play(served, SCENARIO, tmp_path, "--thinking", "off", *chosen).stored.records
    exact: list[tuple[Tokens, Tokens]] = []
    near: list[tuple[Tokens, Tokens]] = []
    for before, step in pairwise(steps):
        if before.cell == step.cell and step.tokens.cached is not None:
            (near if step.tokens.broken_by else exact).append((before.tokens, step.tokens))
    held = [
        (old.prompt or 0) - block <= (new.cached or 0) <= (old.prompt or 0) + (old.completion or 0)
        for old, new in exact
    ]
    told = [_share_beyond(block, new) for _, new in near]
    assert TABLE.add(
        served.deployment.name,
        "cached tokens beside our prefixes",
        f"{sum(held)} of {len(held)} unbroken to a block; {len(told)} broken by policy, off by {max(told):.1%} at most",
        "all to a block; 6.0%",
        right=all(held) and len(held) > 40 and len(told) > 5 and max(told) <= 0.06,
    )


def _share_beyond(block: int, tokens: Tokens) -> float:
    """By how much of the prompt our reusable and the server's cached tokens differ more than blocks explain."""
    prompt = tokens.prompt or 1
    ours = (tokens.reusable or 0) / ((tokens.messages or 0) + (tokens.tools or 1)) * prompt
    return max(0.0, abs(ours - (tokens.cached or 0)) - block) / prompt


@everywhere
def test_preserved_reasoning_arrives(served: Started, tmp_path: Path) -> None:
    played = play(served, SCENARIO, tmp_path, "--thinking", "preserved")
    (proof,) = played.summary["preserved"]
    assert TABLE.add(
        served.deployment.name,
        "preserved, turn8",
        f"{proof['with_reasoning']} prompt tokens, {proof['without_reasoning']} without reasoning",
        "more with it",
        right=proof["with_reasoning"] > proof["without_reasoning"],
    )
    assert "reached the prompt in 1 of 1 conversations" in played.notes
