"""A recording is heard again as it was: same bytes, same times, same faults; and then the endpoint goes on."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from agenteval.client import Attempt, RecordingOverError, ReplayTransport, chat
from agenteval.clock import NS_PER_MS
from agenteval.errors import DivergedError
from agenteval.wire import Fault, Limits, Recording
from tests.client.scripted import Scripted
from tests.stream.frames import DONE, ROLE, final, frame

SSE = (("content-type", "text/event-stream"),)
BODY = {"stream": True, "messages": [{"role": "user", "content": "hi?"}]}
HELLO = Recording(
    200,
    SSE,
    ((100 * NS_PER_MS, ROLE), (250 * NS_PER_MS, frame({"content": "hi"})), (300 * NS_PER_MS, final(1) + DONE)),
    ended=310 * NS_PER_MS,
    request=BODY,
)


def asked(transport: ReplayTransport, times: int = 1) -> list[Attempt]:
    async def main() -> list[Attempt]:
        return [await chat(transport, BODY, limits=Limits()) for _ in range(times)]

    return asyncio.run(main())


def test_bytes_and_times_come_back() -> None:
    one, two = asked(ReplayTransport("s.off.0", [(BODY, HELLO)] * 2), 2)
    assert one.recording == two.recording == HELLO
    assert one.reply.content == "hi"
    assert one.timeline.first_token_at == one.exchange.sent_at + 250 * NS_PER_MS
    assert two.exchange.sent_at == one.exchange.ended_at, "time passes as it did"


def test_faults_come_back() -> None:
    cut = replace(HELLO, chunks=HELLO.chunks[:2], ended=260 * NS_PER_MS, fault=Fault("cut", "the box closed it"))
    (found,) = asked(ReplayTransport("s.off.0", [(BODY, cut)]))
    assert found.recording == cut
    assert found.failure is not None


def test_where_the_recording_ends_the_endpoint_goes_on() -> None:
    live = Scripted([(1, frame({"content": "live"}, "stop") + DONE)])
    transport = ReplayTransport("s.off.0", [(BODY, HELLO)], live)
    assert transport.hears_again
    assert [attempt.reply.content for attempt in asked(transport, 2)] == ["hi", "live"]
    assert len(live.requests) == 1
    assert not transport.hears_again


def test_asking_for_more_than_was_recorded_is_told() -> None:
    with pytest.raises(RecordingOverError, match="holds 1 replies"):
        asked(ReplayTransport("s.off.0", [(BODY, HELLO)]), 2)


@pytest.mark.parametrize(("part", "other"), [("messages", []), ("tools", [{"type": "function"}])])
def test_another_question_gets_no_recorded_answer(part: str, other: object) -> None:
    transport = ReplayTransport("s.off.0", [({**BODY, part: other}, HELLO)])
    with pytest.raises(DivergedError, match=rf"s\.off\.0: request 1 has other {part}"):
        asked(transport)


def saying(content: str) -> dict[str, object]:
    return {**BODY, "messages": [{"role": "user", "content": content}]}


@pytest.mark.parametrize("masked", ["[secret]", "h[secret]", "[secret]?", "[secret]i[secret]"])
def test_a_mask_in_the_recording_stands_for_any_text(masked: str) -> None:
    (found,) = asked(ReplayTransport("s.off.0", [(saying(masked), HELLO)]))
    assert found.reply.content == "hi"


@pytest.mark.parametrize("masked", ["[secret]!", "o[secret]", "[secret]x[secret]", "hi[secret]i?"])
def test_what_stands_beside_a_mask_must_be_the_same(masked: str) -> None:
    with pytest.raises(DivergedError, match="a secret that is masked in the recording"):
        asked(ReplayTransport("s.off.0", [(saying(masked), HELLO)]))
