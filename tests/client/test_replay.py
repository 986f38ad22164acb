"""A recording answers as the endpoint once did: same bytes, same times, same faults."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from agenteval.client import ReplayTransport, chat
from agenteval.clock import NS_PER_MS, LoopClock, run_virtual
from agenteval.errors import EndpointError
from agenteval.wire import Fault, Limits, Recording
from tests.stream.frames import DONE, ROLE, final, frame

SSE = (("content-type", "text/event-stream"),)
HELLO = Recording(
    200,
    SSE,
    ((100 * NS_PER_MS, ROLE), (250 * NS_PER_MS, frame({"content": "hi"})), (300 * NS_PER_MS, final(1) + DONE)),
    ended=310 * NS_PER_MS,
)


def replayed(*recordings: Recording) -> list[object]:
    async def main() -> list[object]:
        transport = ReplayTransport(recordings, LoopClock())
        return [await chat(transport, {"stream": True}, limits=Limits()) for _ in recordings]

    return run_virtual(main())


def test_bytes_and_times_come_back() -> None:
    one, two = replayed(HELLO, HELLO)
    asked = replace(HELLO, request=b'{"stream":true}')
    assert one.recording == two.recording == asked  # type: ignore[attr-defined]
    assert one.reply.content == "hi"  # type: ignore[attr-defined]
    assert one.timeline.first_token_at - one.exchange.sent_at == 250 * NS_PER_MS  # type: ignore[attr-defined]


def test_faults_come_back() -> None:
    cut = Recording(200, SSE, HELLO.chunks[:2], 260 * NS_PER_MS, Fault("cut", "the box closed the connection"))
    (found,) = replayed(cut)
    assert found.exchange.fault == cut.fault  # type: ignore[attr-defined]


def test_asking_for_more_than_was_recorded_is_told() -> None:
    transport = ReplayTransport((), LoopClock())
    with pytest.raises(EndpointError, match="no reply left"):
        asyncio.run(chat(transport, {}, limits=Limits()))
