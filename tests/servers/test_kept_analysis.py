"""Which analysis of gpt-oss goes back: all that vLLM would show the model, and no more.

vLLM drops what stands before the last answer in words, whoever sends it. So a request must count as many prompt tokens
as it would with all the reasoning that the model ever wrote, also when a tool loop has ended without an answer.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from agenteval.outcome import StepRecord
from agenteval.store import read_frames
from tests.servers.driving import AS_THE_MODEL_SAYS, Played, play
from tests.servers.rows import on
from tests.servers.started import KEY, Started
from tests.servers.table import TABLE

pytestmark = pytest.mark.servers
TRIALS = "8"


def prompt_tokens(served: Started, body: Mapping[str, Any]) -> int:
    """What the server counts for a request."""
    small = {name: value for name, value in body.items() if name not in ("stream", "stream_options")}
    request = urllib.request.Request(
        f"{served.url}/v1/chat/completions",
        data=json.dumps({**small, "max_tokens": 1}).encode(),
        headers={"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=120) as answer:
        count: int = json.load(answer)["usage"]["prompt_tokens"]
    return count


def thoughts(played: Played) -> list[tuple[StepRecord, dict[str, Any], list[str | None]]]:
    """Each step, its request, and the reasoning of all replies before it in its cell."""
    stored = played.stored
    found = []
    for cell, records in groupby(sorted(stored.records, key=lambda record: record.id), lambda record: record.cell):
        frames = read_frames(stored.path, cell)
        before: list[str | None] = []
        for record in records:
            request = frames[record.id].request
            assert request is not None
            found.append((record, dict(request), [*before]))
            before.append(record.reply.reasoning if record.reply else None)
    return found


def with_reasoning(request: Mapping[str, Any], reasoning: list[str | None]) -> dict[str, Any]:
    """The request with all of it; none at all for an empty list."""
    left = iter(reasoning)
    messages = []
    for message in request["messages"]:
        bare = {name: value for name, value in message.items() if name != "reasoning"}
        said = next(left, None) if message["role"] == "assistant" else None
        messages.append({**bare, "reasoning": said} if said else bare)
    return {**request, "messages": messages}


@on("vllm-oss")
def test_all_analysis_that_the_server_keeps_is_sent(served: Started, tmp_path: Path) -> None:
    options = ("--trials", TRIALS, "--concurrency", "4", "--extra-body", AS_THE_MODEL_SAYS, "--no-preflight")
    steps = thoughts(play(served, "unanswered.yaml", tmp_path, *options))
    ours = [record.tokens.prompt for record, _, _ in steps]
    with_all = [prompt_tokens(served, with_reasoning(request, before)) for _, request, before in steps]
    with_none = [prompt_tokens(served, with_reasoning(request, [])) for _, request, _ in steps]
    local = [(record.tokens.messages or 0) + (record.tokens.tools or 0) for record, _, _ in steps]
    open_loops = [at for at, (record, _, _) in enumerate(steps) if record.turn > 1 and with_all[at] > with_none[at]]
    assert open_loops, "no loop without an answer was drawn"
    same = sum(one == other for one, other in zip(ours, with_all, strict=True))
    what = f"{same} of {len(ours)} requests, {len(open_loops)} of them behind an unanswered loop"
    assert TABLE.add(
        served.deployment.name, "prompt tokens as with all analysis", what, "all", right=ours == with_all
    ), (ours, with_all, with_none)
    counted = sum(one == other for one, other in zip(ours, local, strict=True))
    assert TABLE.add(
        served.deployment.name,
        "prompt tokens as rendered here",
        f"{counted} of {len(ours)}",
        "all",
        right=ours == local,
    ), (ours, local)
