"""Known schedules, exact metrics: what other clients get wrong on these is in the comments.

Truth everywhere: sent at 0, first token at 100 ms, a token each 10 ms, 201 tokens, so the last at 2100 ms and
100 tokens per second.
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from agenteval.clock import NS_PER_MS
from agenteval.stream import Fold
from agenteval.timing import Timing, measure
from tests.stream.frames import DONE, ROLE, call, counted, event, final, frame

Schedule = Iterable[tuple[float, bytes]]

SENT = 123_456_789


def timed(schedule: Schedule, *, hides_markup: bool = True, estimate: int | None = None) -> Timing:
    """What a schedule of (ms, bytes) measures to."""
    fold = Fold()
    at = SENT
    for ms, data in schedule:
        at = SENT + round(ms * NS_PER_MS)
        fold.feed(data, at)
    reply, timeline = fold.finish(SENT, at)
    completion = reply.usage.completion if reply.usage else None
    return measure(
        timeline,
        estimate if completion is None else completion,
        estimated=completion is None,
        calls_valid=True if reply.tool_calls else None,
        hides_markup=hides_markup,
    )


def token(n: int) -> float:
    """When the n-th token (from 0) comes."""
    return 100 + 10 * n


CLOSING: Schedule = [(2100, frame({}, "stop")), (2101, final(201)), (2101, DONE)]
CLOSING_CALLS: Schedule = [(2100, frame({}, "tool_calls")), (2101, final(201)), (2101, DONE)]


def test_a_role_chunk_at_5_ms_is_no_token() -> None:
    """Elsewhere: TTFT 6.2 ms, or prefill 13 times too fast."""
    found = timed([(5, ROLE), *((token(n), frame({"content": "x"})) for n in range(201)), *CLOSING])
    assert (found.first_event_ms, found.ttft_ms, found.first_content_ms) == (5, 100, 100)
    assert found.decode_tok_s == pytest.approx(100)
    assert found.tpot_ms == pytest.approx(10)
    assert (found.chunks, found.chunk_gap_p50_ms, found.chunk_gap_p99_ms) == (201, 10, 10)
    assert found.chunk_rate == pytest.approx(100)


def test_keep_alives_before_the_first_event_are_nothing() -> None:
    pings: Schedule = [(ms, b": ping\n\n") for ms in range(1, 99)]
    found = timed([*pings, *((token(n), frame({"content": "x"})) for n in range(201)), *CLOSING])
    assert (found.first_event_ms, found.ttft_ms) == (100, 100)


def test_four_tokens_a_chunk_are_four_tokens() -> None:
    """Elsewhere: 40 ms between "tokens", 26 instead of 100 tokens per second."""
    bursts: Schedule = [(token(4 * n), frame({"content": "wxyz"})) for n in range(51)]
    found = timed([(5, ROLE), *bursts, *CLOSING])
    assert found.decode_tok_s == pytest.approx(100)
    assert found.chunk_rate == pytest.approx(25)
    assert found.tokens_per_chunk == pytest.approx(201 / 51)
    assert found.first_tokens_assumed


def test_with_running_counts_the_first_chunk_may_hold_any_number_of_tokens() -> None:
    """Bursts of 3, each sent when its last token is there; the first brings tokens 1 to 3 at 120 ms."""
    bursts: Schedule = [(token(3 * n + 2), frame({"content": "xyz"}, usage=counted(3 * n + 3))) for n in range(67)]
    found = timed([(5, frame({"role": "assistant"}, usage=counted(0))), *bursts, *CLOSING])
    assert (found.ttft_ms, found.evidence) == (120, "usage")
    assert found.decode_tok_s == pytest.approx(100)
    assert not found.first_tokens_assumed


ARGUMENTS = [(token(n), frame(call(arguments="x"))) for n in range(1, 201)]


def test_a_reply_of_tool_deltas_only_has_a_first_token_and_a_speed() -> None:
    """Elsewhere: TTFT 0, no decode speed, or no result at all."""
    name = frame(call(name="read_file", id="call_1", arguments=""))
    found = timed([(5, ROLE), (100, name), *ARGUMENTS, *CLOSING_CALLS])
    assert (found.ttft_ms, found.first_tool_name_ms, found.first_argument_ms) == (100, 100, 110)
    assert found.dispatch_ms == 2100
    assert found.decode_tok_s == pytest.approx(100)
    assert found.refused.keys() == {"first_reasoning_ms", "first_content_ms"}


def test_reasoning_then_a_tool_call_is_one_stream_of_tokens() -> None:
    """Elsewhere: the reasoning alone is timed against all tokens, 202 tokens per second."""
    thoughts: Schedule = [(token(n), frame({"reasoning": "x"})) for n in range(100)]
    name = frame(call(name="read_file", id="call_1"))
    found = timed([(5, ROLE), *thoughts, (token(100), name), *ARGUMENTS[100:], *CLOSING_CALLS])
    assert (found.first_event_ms, found.ttft_ms, found.first_reasoning_ms) == (5, 100, 100)
    assert (found.first_tool_name_ms, found.first_argument_ms, found.dispatch_ms) == (1100, 1110, 2100)
    assert found.decode_tok_s == pytest.approx(100)


def test_without_usage_there_is_no_speed() -> None:
    """Elsewhere: the requested length is taken for the tokens, 182 instead of 100 tokens per second."""
    content: Schedule = [(token(n), frame({"content": "x"})) for n in range(101)]
    schedule = [(5, ROLE), *content, (1100, frame({}, "stop")), (1100, DONE)]
    found = timed(schedule)
    assert (found.ttft_ms, found.decode_tok_s, found.tokens_per_chunk) == (100, None, None)
    assert found.refused["decode_tok_s"] == "the number of tokens is not known"
    estimated = timed(schedule, estimate=101)
    assert estimated.decode_tok_s == pytest.approx(100)
    assert estimated.tokens_estimated


def test_tokens_hidden_by_a_parser_count_by_running_counts() -> None:
    """Ten tokens of markup before the first visible one: TTFT is the first token's, not the first text's."""
    hidden: Schedule = [(token(n), frame({}, usage=counted(n + 1))) for n in range(10)]
    shown: Schedule = [(token(n), frame({"content": "x"}, usage=counted(n + 1))) for n in range(10, 201)]
    found = timed([(5, frame({"role": "assistant"}, usage=counted(0))), *hidden, *shown, *CLOSING])
    assert (found.ttft_ms, found.first_content_ms, found.evidence) == (100, 200, "usage")
    assert found.decode_tok_s == pytest.approx(100)


def test_token_ids_are_evidence_too() -> None:
    hidden: Schedule = [(token(n), frame({}, token_ids=[7])) for n in range(201)]
    found = timed([(5, frame({"role": "assistant"}, token_ids=None)), *hidden, *CLOSING])
    assert (found.ttft_ms, found.evidence, found.chunks) == (100, "token_ids", 201)
    assert found.decode_tok_s == pytest.approx(100)
    assert not found.first_tokens_assumed


def test_llama_cpp_counts_in_its_timings() -> None:
    ticks: Schedule = [(token(n), frame({"content": "x"}, timings={"predicted_n": n + 1})) for n in range(201)]
    progress = frame({"role": "assistant"}, timings={"predicted_n": 0}, prompt_progress={"total": 10})
    found = timed([(5, progress), (50, progress), *ticks, *CLOSING])
    assert (found.ttft_ms, found.evidence, found.first_tokens_assumed) == (100, "usage", False)
    assert found.decode_tok_s == pytest.approx(100)


def test_the_final_count_on_the_finish_frame_is_no_running_count() -> None:
    """transformers sends usage there; taken for a running count, it would make one huge chunk of the end."""
    content: Schedule = [(token(n), frame({"content": "x"})) for n in range(201)]
    found = timed([(5, ROLE), *content, (2500, frame({}, "stop", usage=counted(201))), (2500, DONE)])
    assert (found.chunks, found.evidence) == (201, "text")
    assert found.decode_tok_s == pytest.approx(200 / 2.4)


def test_a_reply_in_one_chunk_has_no_speed() -> None:
    found = timed([(5, ROLE), (2100, frame({"content": "all"}, "stop", usage=counted(201))), (2100, DONE)])
    assert (found.ttft_ms, found.decode_tok_s) == (2100, None)
    assert found.refused["decode_tok_s"] == "all tokens came at once"


def test_tokens_that_were_all_withheld_are_no_first_token() -> None:
    """vLLM without tools in the request: 21 tokens, and nothing to see of them."""
    found = timed([(5, ROLE), (310, frame({}, "stop")), (311, final(21)), (311, DONE)])
    assert (found.ttft_ms, found.decode_tok_s, found.chunks) == (None, None, 0)


def test_a_short_call_without_running_counts_is_not_measurable_where_markup_is_withheld() -> None:
    """21 tokens in 9 chunks: ten tokens of markup passed before the name, so that nothing is known of the pace."""
    name = frame(call(name="read_file", id="call_1"))
    schedule = [
        (5, ROLE),
        (100, frame({"reasoning": "x"})),
        (150, name),
        (300, frame({}, "tool_calls")),
        (301, final(21)),
    ]
    assert "withholds markup" in timed(schedule).refused["decode_tok_s"]
    assert timed(schedule, hides_markup=False).decode_tok_s == pytest.approx(100)


def test_an_error_event_ends_what_is_known() -> None:
    broken = event({"error": {"message": "boom"}})
    found = timed([(5, ROLE), (100, frame({"content": "x"})), (110, broken), (110, final(1)), (110, DONE)])
    assert (found.ttft_ms, found.decode_tok_s) == (100, None)
