"""Streams of real servers that end too early, after each of their frames in turn: only a whole reply is judged."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from agenteval.client import Attempt, HttpTransport, chat
from tests.faults.matrix import MATRIX, OK
from tests.faults.play import BODY, fly
from tests.faults.server import Answer, Then, serving, streamed
from tests.stream.test_captures import CAPTURES, STREAMS, events

FINISHED = [name for name, capture in CAPTURES.items() if capture.finish and capture.done]
SHORT = "vllm-cpu/auto_two_calls.sse"


def frames_of(name: str) -> list[bytes]:
    return events((STREAMS / name).read_bytes())


def cut_everywhere(frames: list[bytes], then: Then) -> list[Attempt]:
    """One request for each number of frames after which the reply ends, from none to all."""

    def script(n: int) -> Answer:
        return streamed(*frames[:n], then=then)

    async def ask(url: str) -> list[Attempt]:
        found = []
        for _ in range(len(frames) + 1):
            transport = HttpTransport(url)
            found.append(await chat(transport, BODY))
            await transport.aclose()
        return found

    with serving(script) as server:
        return asyncio.run(ask(f"http://127.0.0.1:{server.port}/v1"))


@pytest.mark.parametrize("name", FINISHED)
def test_a_connection_that_closes_after_any_frame_leaves_nothing_to_judge(name: str) -> None:
    *cut, whole = cut_everywhere(frames_of(name), "close")
    assert {attempt.failure and attempt.failure.kind for attempt in cut} == {"cut"}
    assert whole.failure is None, "all of it came, up to [DONE]"


@pytest.mark.parametrize("name", FINISHED)
def test_a_stream_that_ends_after_any_frame_is_judged_once_it_says_why(name: str) -> None:
    """Even without [DONE], which some servers never send."""
    frames = frames_of(name)
    says_why = next(n for n, frame in enumerate(frames, 1) if re.search(rb'"finish_reason": ?"', frame))
    for n, attempt in enumerate(cut_everywhere(frames, "keep")):
        if n >= says_why:
            assert attempt.failure is None
        else:
            assert attempt.failure is not None
            assert attempt.failure.kind in ("cut", "no_reply")


@pytest.mark.parametrize("then", ["close", "reset"])
@pytest.mark.parametrize("n", range(len(frames_of(SHORT))))
def test_a_run_asks_again_for_a_reply_that_was_cut(n: int, then: Then, tmp_path: Path) -> None:
    cut = streamed(*frames_of(SHORT)[:n], then=then)
    played = fly(MATRIX["503"], tmp_path, lambda asked: OK if asked else cut)
    assert played.exit == 0
    assert [(record.attempt, record.judged) for record in played.records] == [(1, False), (2, True)]
