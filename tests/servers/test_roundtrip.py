"""Twelve turns go out and come back on a real server: every history is taken, in every mode, streamed or not."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from agenteval.outcome import StepRecord
from tests.context.test_policies import SMALL
from tests.servers.constrained import assert_constraint_is_told
from tests.servers.driving import AS_THE_MODEL_SAYS, Played, both_counts, play
from tests.servers.rows import on
from tests.servers.started import Started
from tests.servers.table import TABLE

pytestmark = pytest.mark.servers
GLM = ("llamacpp-glm", "vllm-glm", "sglang-glm")
OSS = ("llamacpp-oss", "vllm-oss", "sglang-llama-oss")
LOSES_CALLS = ("sglang-llama-oss",)
"""Where a call with broken arguments vanishes, and with it the turn's end comes early."""
TURNS = 12
SAMPLED = ("--extra-body", AS_THE_MODEL_SAYS)


def steps(played: Played) -> list[StepRecord]:
    return [record for record in played.stored.records if record.purpose == "agent"]


def assert_all_was_judged(server: Started, what: str, played: Played, cells: int) -> None:
    assert played.code in (0, 1), played.said
    assert played.summary, played.said
    scores = played.summary["scores"]
    refused = [record.error.detail for record in played.stored.records if record.error]
    seen = f"{scores['turns_judged']} turns judged, {len(steps(played))} requests, {len(refused)} refused"
    right = (scores["endpoint_errors"], scores["turns_judged"]) == (0, cells * TURNS)
    known = f"{cells * TURNS} turns, none refused"
    assert TABLE.add(server.deployment.name, what, seen, known, right=right), (refused, played.said)
    ours, theirs = both_counts(played)
    same = sum(one == other for one, other in zip(ours, theirs, strict=True))
    assert TABLE.add(
        server.deployment.name, f"{what}: usage as on the wire", f"{same} replies", f"{len(theirs)} replies"
    )
    assert_constraint_is_told(server, played)


@on(*GLM)
@pytest.mark.parametrize("stream", ["--stream", "--no-stream"])
def test_golden_histories_are_taken_in_all_thinking_modes(served: Started, tmp_path: Path, stream: str) -> None:
    played = play(served, "roundtrip.yaml", tmp_path, "--history", "golden", stream, *SAMPLED)
    assert_all_was_judged(served, f"golden 12 turns, off on preserved, {stream[2:]}", played, cells=3)
    found = steps(played)
    assert {bool(step.reply and step.reply.reasoning) for step in found if step.thinking == "off"} == {False}
    assert {bool(step.reply and step.reply.reasoning) for step in found if step.thinking != "off"} == {True}
    (proof,) = played.summary["preserved"]
    assert TABLE.add(
        served.deployment.name,
        f"preserved, 12 turns, {stream[2:]}",
        f"{proof['with_reasoning']} prompt tokens, {proof['without_reasoning']} without reasoning",
        "more with it",
        right=proof["with_reasoning"] > proof["without_reasoning"],
    )


@on(*OSS)
@pytest.mark.parametrize("stream", ["--stream", "--no-stream"])
def test_golden_histories_are_taken_by_gpt_oss(served: Started, tmp_path: Path, stream: str) -> None:
    """It always thinks, though not before each call."""
    played = play(served, "roundtrip.yaml", tmp_path, "--history", "golden", stream, *SAMPLED)
    assert_all_was_judged(served, f"golden 12 turns, on, {stream[2:]}", played, cells=1)


@on(*GLM, *OSS)
def test_what_the_model_said_itself_is_taken_back(served: Started, tmp_path: Path) -> None:
    """With its own wrong calls in the history. Until three results are seen it calls, from then on it answers."""
    played = play(
        served, "roundtrip.yaml", tmp_path, "--thinking", "on", "--trials", "6", "--concurrency", "6", *SAMPLED
    )
    assert_all_was_judged(served, "what it said itself, 12 turns, 6 times", played, cells=6)
    results: Counter[str] = Counter()
    for step in sorted(steps(played), key=lambda step: step.id):
        if step.reply and step.reply.tool_calls:
            assert results[step.cell] < 3, step.id
            results[step.cell] += 1
        else:
            assert results[step.cell] == 3 or served.deployment.name in LOSES_CALLS, step.id
    repaired = [repair for step in steps(played) for repair in step.repairs]
    TABLE.add(served.deployment.name, "calls repaired before they went back", len(repaired), "told", right=True)


@on(*GLM, *OSS)
def test_no_view_of_any_policy_is_refused(served: Started, tmp_path: Path) -> None:
    """Every policy, with knobs that make it act on twelve short turns: pairs are whole, roles right."""
    chosen = [word for name in SMALL.values() for word in ("--policy", name)]
    played = play(
        served, "roundtrip.yaml", tmp_path, "--thinking", "on", "--history", "golden", "--concurrency", "4", *chosen
    )
    records = played.stored.records
    refused = [record.id for record in records if record.error]
    acted = {record.policy for record in records if record.policy_report.get("acted")}
    assert TABLE.add(
        served.deployment.name,
        "policies, golden 12 turns",
        f"{played.summary['scores']['turns_judged']} turns of {len(SMALL)} policies, {len(acted)} acted, "
        f"{len(refused)} refused",
        f"{len(SMALL) * TURNS} turns, none refused",
        right=not refused and played.summary["scores"]["turns_judged"] == len(SMALL) * TURNS,
    ), refused
