"""What a model's name tells, and the frames that follow from it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenteval.errors import UsageError
from agenteval.server.schedule import Kind, Schedule, Sent, due_frames, parse_schedule, whole_reply
from agenteval.stream import Fold, Reply, fold_whole
from agenteval.timing import Timeline

KINDS: tuple[Kind, ...] = ("content", "reasoning", "tool", "thought")

schedules = st.builds(
    Schedule,
    first=st.integers(0, 5000).map(lambda n: n / 8),
    gap=st.integers(0, 800).map(lambda n: n / 8),
    chunks=st.integers(1, 30),
    role=st.sampled_from([-1.0, 0.0, 5.0]),
    tokens=st.integers(1, 5),
    lead=st.integers(0, 3),
    kind=st.sampled_from(KINDS),
    usage=st.sampled_from(["end", "running", "none"]),
    align=st.sampled_from([0.0, 250.0]),
)


def folded(schedule: Schedule, *, usage_asked: bool) -> tuple[Reply, Timeline]:
    fold = Fold()
    for due, frame in due_frames(schedule, usage_asked=usage_asked):
        fold.feed(frame, due)
    return fold.finish(0, 10**12)


@given(schedules)
def test_a_name_tells_the_whole_schedule(schedule: Schedule) -> None:
    if schedule.role < 0:
        assert "role" not in schedule.model
    assert parse_schedule(schedule.model) == schedule


@pytest.mark.parametrize(
    ("model", "why"),
    [
        ("glm-4.7", "tells no schedule"),
        ("scheduled-first", "tells no schedule"),
        ("scheduled-first-100-and more", "tells no schedule"),
        ("scheduled-last-100", "has no 'last'"),
        ("scheduled-chunks-1.5", "chunks of a schedule cannot be '1.5'"),
        ("scheduled-first-soon", "first of a schedule cannot be 'soon'"),
        ("scheduled-chunks-0", "from 1 to"),
        ("scheduled-kind-poem", "kind is one of"),
        ("scheduled-gap-90000-chunks-100", "is over after 600 s"),
    ],
)
def test_a_name_that_tells_none_is_refused_in_words(model: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        parse_schedule(model)


@given(schedules, st.booleans())
def test_a_stream_is_whole_and_on_time(schedule: Schedule, usage_asked: bool) -> None:
    reply, timeline = folded(schedule, usage_asked=usage_asked)
    assert not reply.defects
    assert reply.done
    assert timeline.chunk_times == schedule.chunk_offsets
    told = schedule.usage == "running" or (schedule.usage == "end" and usage_asked)
    assert (reply.usage.completion if reply.usage else None) == (schedule.completion if told else None)


@given(schedules)
def test_a_reply_that_is_not_streamed_says_the_same(schedule: Schedule) -> None:
    streamed, _ = folded(schedule, usage_asked=True)
    whole, _ = fold_whole(whole_reply(schedule), sent_at=0, ended_at=1)
    for part in ("content", "reasoning", "tool_calls", "finish_reason"):
        assert getattr(whole, part) == getattr(streamed, part)


@pytest.mark.parametrize("kind", KINDS)
def test_words_are_tokens_and_calls_can_be_dispatched(kind: Kind) -> None:
    schedule = Schedule(chunks=8, tokens=4, lead=1, kind=kind)
    reply, _ = folded(schedule, usage_asked=True)
    arguments = "".join(call.arguments_text for call in reply.tool_calls)
    words = "".join((reply.content or "", reply.reasoning or "", arguments)).count("word")
    assert schedule.completion == 29
    assert words == schedule.completion - (0 if not reply.tool_calls else 1 if kind == "tool" else 4), (
        "the name is a chunk"
    )
    assert bool(reply.reasoning) == (kind in ("reasoning", "thought"))
    assert reply.finish_reason == ("tool_calls" if reply.tool_calls else "stop")


@pytest.mark.parametrize("role", [-1.0, 5.0])
def test_a_record_tells_chunks_from_the_rest(role: float) -> None:
    schedule = Schedule(first=1, gap=2, chunks=3, role=role)
    began, late = 1_000, (10, 20, 30)
    chunks = [began + due + more for due, more in zip(schedule.chunk_offsets, late, strict=True)]
    sent = [began] * (role >= 0) + [*chunks, chunks[-1] + 5]
    record = Sent(1, schedule.model, 0, 0, 0, began, sent)
    assert record.chunks == tuple(chunks)
    assert record.late == late
