"""The five streams that other clients misread (`make bench ARGS=semantics` drives them): ours reads each exactly."""

from __future__ import annotations

import asyncio

import pytest

from agenteval.client import chat
from agenteval.clock import NS_PER_MS
from agenteval.server.schedule import due_frames
from tests.bench.semantics import CASES, TOK_S, TTFT_MS, ours
from tests.client.scripted import Scripted


@pytest.mark.parametrize("case", CASES)
def test_first_token_speed_and_count_are_exact(case: str) -> None:
    schedule = CASES[case]
    pieces = [(due / NS_PER_MS, frame) for due, frame in due_frames(schedule, usage_asked=True)]
    body = {"model": schedule.model, "messages": [], "stream": True}
    found = ours(asyncio.run(chat(Scripted(pieces), body)))
    assert (found.ttft_ms, found.tokens) == (TTFT_MS, schedule.completion)
    assert found.tok_s == pytest.approx(TOK_S)
