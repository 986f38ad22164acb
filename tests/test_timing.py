"""Each metric and each refusal, on timelines that can be computed in the head."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from agenteval.clock import NS_PER_MS
from agenteval.timing import (
    DecodeSample,
    Timeline,
    Timing,
    decode_sample,
    eligible_cache_hit_rate,
    measure,
    valid_turn_goodput,
)

ZERO = 7_000_000_000_000


def at(ms: float) -> int:
    return ZERO + round(ms * NS_PER_MS)


def stream(*chunks_ms: float, finish: float | None = None, end: float | None = None) -> Timeline:
    """Content chunks at these times, sent at 0; the finish frame comes with the last chunk if not told."""
    last = chunks_ms[-1] if finish is None else finish
    return Timeline(
        sent_at=at(0),
        ended_at=at(last if end is None else end),
        first_event_at=at(5),
        first_content_at=at(chunks_ms[0]),
        first_token_at=at(chunks_ms[0]),
        evidence="text",
        last_token_at=at(chunks_ms[-1]),
        finish_at=at(last),
        chunk_times=tuple(at(ms) for ms in chunks_ms),
    )


def timing(
    timeline: Timeline, completion: int | None = None, *, calls_valid: bool | None = None, hides_markup: bool = False
) -> Timing:
    return measure(timeline, completion, estimated=False, calls_valid=calls_valid, hides_markup=hides_markup)


STEADY = stream(*(100 + 10 * n for n in range(201)), end=2105)
SILENT = Timeline(at(0), at(50), first_event_at=at(5), finish_at=at(40))


def test_latencies_count_from_the_first_request_byte() -> None:
    timeline = replace(
        STEADY,
        first_reasoning_at=at(100),
        first_content_at=at(150),
        first_tool_name_at=at(200),
        first_argument_at=at(220),
        last_argument_at=at(300),
    )
    found = timing(timeline, 201, calls_valid=True)
    assert (found.first_event_ms, found.ttft_ms, found.total_ms) == (5, 100, 2105)
    assert (found.first_reasoning_ms, found.first_content_ms) == (100, 150)
    assert (found.first_tool_name_ms, found.first_argument_ms, found.dispatch_ms) == (200, 220, 300)
    assert found.evidence == "text"
    assert found.refused == {}


def test_speed_is_tokens_after_the_first_over_the_time_after_the_first() -> None:
    found = timing(STEADY, 201)
    assert found.decode_tok_s == pytest.approx(100)
    assert found.tpot_ms == pytest.approx(10)
    assert found.first_tokens_assumed


def test_chunks_are_reported_as_chunks() -> None:
    found = timing(stream(100, 140, 180), 12)
    assert (found.chunks, found.tokens_per_chunk) == (3, 4)
    assert found.chunk_rate == pytest.approx(25)
    assert (found.chunk_gap_p50_ms, found.chunk_gap_p99_ms) == (40, 40)


def test_of_few_gaps_the_p99_is_the_longest() -> None:
    found = timing(stream(100, 110, 120, 150), 12)
    assert (found.chunk_gap_p50_ms, found.chunk_gap_p99_ms) == (10, 30)


def test_what_the_server_counted_at_the_first_chunk_is_not_decoded_after_it() -> None:
    counted = replace(stream(100, 200), first_token_count=4, evidence="usage")
    found = timing(counted, 14)
    assert found.decode_tok_s == pytest.approx(100)
    assert not found.first_tokens_assumed


def test_decode_lasts_until_the_finish_frame_when_that_comes_later() -> None:
    assert timing(stream(100, 200, finish=300), 21).decode_tok_s == pytest.approx(100)


def test_the_founding_case_counting_chunks_would_understate_speed() -> None:
    """161 tokens in chunks of about 2.2 over 9.6 s: 16.7 tokens per second, 7.5 chunks per second."""
    found = timing(stream(*(1000 + n * 9600 / 72 for n in range(73))), 161)
    assert found.decode_tok_s == pytest.approx(160 / 9.6)
    assert found.chunk_rate == pytest.approx(7.5)
    assert found.tokens_per_chunk == pytest.approx(2.2055, abs=1e-4)


def test_eight_tokens_after_the_first_are_enough_and_seven_are_not() -> None:
    assert timing(stream(100, 180), 9).decode_tok_s == pytest.approx(100)
    refused = timing(stream(100, 180), 8)
    assert refused.decode_tok_s is None
    assert refused.tpot_ms is None
    assert refused.refused["decode_tok_s"] == "fewer than 8 tokens after the first chunk"
    assert not refused.first_tokens_assumed


@pytest.mark.parametrize(
    "timeline",
    [
        replace(stream(100, 410), first_reasoning_at=at(100)),
        replace(stream(100, 410), first_tool_name_at=at(100)),
        replace(stream(100, 410), first_argument_at=at(100)),
    ],
)
def test_withheld_markup_needs_32_tokens(timeline: Timeline) -> None:
    assert timing(timeline, 32, hides_markup=True).decode_tok_s == pytest.approx(100)
    few = timing(timeline, 31, hides_markup=True)
    assert few.decode_tok_s is None
    assert "withholds markup" in few.refused["decode_tok_s"]
    assert few.refused["tpot_ms"] == few.refused["decode_tok_s"]


def test_withheld_markup_does_not_matter_with_running_counts_or_without_markup() -> None:
    plain = stream(100, 400)
    called = replace(plain, first_tool_name_at=at(100))
    counted = replace(called, evidence="usage", first_token_count=1)
    assert timing(plain, 31, hides_markup=True).decode_tok_s == pytest.approx(100)
    assert timing(counted, 31, hides_markup=True).decode_tok_s == pytest.approx(100)
    assert timing(called, 31, hides_markup=False).decode_tok_s == pytest.approx(100)


@pytest.mark.parametrize(
    ("timeline", "completion", "metric", "reason"),
    [
        (SILENT, 20, "ttft_ms", "a token never came"),
        (SILENT, 20, "decode_tok_s", "a token never came"),
        (SILENT, 20, "tokens_per_chunk", "no chunk came"),
        (SILENT, 20, "first_reasoning_ms", "reasoning never came"),
        (STEADY, 20, "first_tool_name_ms", "a tool name never came"),
        (STEADY, 20, "first_argument_ms", "an argument never came"),
        (STEADY, 20, "dispatch_ms", "there was no tool call"),
        (STEADY, None, "decode_tok_s", "the number of tokens is not known"),
        (STEADY, None, "tokens_per_chunk", "the number of tokens is not known"),
        (stream(100), 20, "decode_tok_s", "all tokens came at once"),
        (stream(100), 20, "chunk_rate", "fewer than 2 chunks"),
        (stream(100), 20, "chunk_gap_p99_ms", "fewer than 2 chunks"),
        (stream(100, 100), 20, "chunk_rate", "all chunks came at once"),
        (Timeline(at(0), at(9), streamed=False), 20, "ttft_ms", "the reply was not streamed"),
        (Timeline(at(0), at(9), streamed=False), 20, "decode_tok_s", "the reply was not streamed"),
    ],
)
def test_a_number_that_cannot_be_had_is_none_with_a_reason(
    timeline: Timeline, completion: int | None, metric: str, reason: str
) -> None:
    found = timing(timeline, completion)
    assert getattr(found, metric) is None
    assert found.refused[metric] == reason


def test_every_number_that_is_none_has_a_reason_and_no_other() -> None:
    for timeline in (STEADY, SILENT, Timeline(at(0), at(9), streamed=False)):
        found = timing(timeline, 20)
        suffixes = ("_ms", "_s", "_rate", "_chunk")
        metrics = {field.name for field in fields(Timing) if field.name.endswith(suffixes)} - {"decode_ms"}
        assert {name for name in metrics if getattr(found, name) is None} == set(found.refused)


def test_a_call_can_be_dispatched_when_its_arguments_are_complete_and_valid() -> None:
    called = replace(STEADY, first_tool_name_at=at(100), last_argument_at=at(1500))
    assert timing(called, 201, calls_valid=True).dispatch_ms == 1500
    assert timing(called, 201, calls_valid=False).refused["dispatch_ms"] == "a tool call is not valid"


def test_a_call_without_any_argument_text_can_be_dispatched_at_the_finish_frame() -> None:
    assert timing(replace(STEADY, first_tool_name_at=at(100)), 201, calls_valid=True).dispatch_ms == 2100
    endless = replace(STEADY, finish_at=None)
    assert timing(endless, 201, calls_valid=True).refused["dispatch_ms"] == "the stream never finished"


def test_a_reply_in_one_piece_has_a_total_and_a_dispatch_and_no_stream_metrics() -> None:
    found = timing(Timeline(at(0), at(900), finish_at=at(900), streamed=False), 57, calls_valid=True)
    assert (found.total_ms, found.dispatch_ms, found.ttft_ms, found.chunks) == (900, 900, None, None)


def test_estimated_tokens_are_marked() -> None:
    estimated = measure(STEADY, 201, estimated=True, calls_valid=None, hides_markup=False)
    unknown = measure(STEADY, None, estimated=True, calls_valid=None, hides_markup=False)
    assert estimated.tokens_estimated
    assert not unknown.tokens_estimated


def test_what_a_speed_was_taken_from_is_recorded_so_that_speeds_can_be_pooled() -> None:
    found = timing(STEADY, 201)
    assert (found.decode_tokens, found.decode_ms) == (200, 2000)
    refused = timing(STEADY, 8)
    assert (refused.decode_tokens, refused.decode_ms) == (None, None)
    assert decode_sample(STEADY, 201, hides_markup=False) == DecodeSample(200, 2 * 10**9)


@pytest.mark.parametrize(
    ("cached", "prompt", "completion", "rate"),
    [
        (900, 800, 200, 0.9),
        (0, 800, 200, 0.0),
        (None, 800, 200, None),
        (900, None, 200, None),
        (900, 800, None, None),
        (0, 0, 0, None),
    ],
)
def test_eligible_cache_hit_rate(
    cached: int | None, prompt: int | None, completion: int | None, rate: float | None
) -> None:
    assert eligible_cache_hit_rate(cached, prompt, completion) == rate


def test_goodput_counts_turns_that_are_both_fast_enough_and_valid() -> None:
    turns = [(True, True), (True, False), (False, True), (True, True)]
    assert valid_turn_goodput(turns, 4.0) == 0.5
    assert valid_turn_goodput([], 4.0) == 0
    assert valid_turn_goodput(turns, 0.0) is None
