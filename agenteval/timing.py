"""What a request's times mean: the stamps of one reply, and every latency and speed derived from them.

A number is a definition that may refuse: each metric below is one function that returns a value, or the
reason in words why it cannot be had. Stamps are integer ns of one monotonic clock; results are ms or tokens
per second. A *chunk* is a frame that carried evidence of tokens. Chunks are never counted as tokens: parsers
hide tokens and speculative decoding merges them. Not covered: the latency of single tokens, which no stream
shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, TypeAlias

from agenteval.clock import NS_PER_MS, NS_PER_S
from agenteval.stats import percentiles

MIN_DECODE_TOKENS = 8
"""Fewer tokens after the first one say nothing about speed."""

HIDDEN_MARKUP_NEEDS = 32
"""Below this many tokens, markup that the server withholds (and so delays) distorts decode speed too much."""

NOT_STREAMED = "the reply was not streamed"

Evidence = Literal["usage", "token_ids", "text"]


@dataclass(frozen=True, slots=True)
class Timeline:
    """When what arrived (ns); None: it never did.

    `first_event_at`: any frame, even one without a token. `first_tool_name_at`, `first_argument_at`,
    `last_argument_at`: over all tool calls; an empty arguments string is no argument. `first_token_at`: the
    first chunk, known by `evidence`: a running count above 0, token ids, or visible text.
    `first_token_count`: tokens that the server itself said had come by then. `last_token_at`: the last chunk.
    `finish_at`: the frame with a finish reason. `chunk_times`: one stamp per chunk, in order; a final usage
    frame is no chunk. `streamed`: False for a reply that came as one JSON body.
    """

    sent_at: int
    ended_at: int
    first_event_at: int | None = None
    first_reasoning_at: int | None = None
    first_content_at: int | None = None
    first_tool_name_at: int | None = None
    first_argument_at: int | None = None
    last_argument_at: int | None = None
    first_token_at: int | None = None
    evidence: Evidence | None = None
    first_token_count: int | None = None
    last_token_at: int | None = None
    finish_at: int | None = None
    chunk_times: tuple[int, ...] = ()
    streamed: bool = True


@dataclass(frozen=True, slots=True)
class Timing:
    """The timing of one reply as it is recorded. `refused`: metric → why it is None.

    `decode_tokens` and `decode_ms` are what `decode_tok_s` was taken from, so that speeds can be pooled.
    `first_tokens_assumed`: the decode speed takes one token at the first chunk, because the server gave no
    count. `tokens_estimated`: the completion tokens were counted by us, not by the server.
    """

    ttft_ms: float | None = None
    first_event_ms: float | None = None
    first_reasoning_ms: float | None = None
    first_content_ms: float | None = None
    first_tool_name_ms: float | None = None
    first_argument_ms: float | None = None
    dispatch_ms: float | None = None
    total_ms: float | None = None
    decode_tok_s: float | None = None
    tpot_ms: float | None = None
    chunk_gap_p50_ms: float | None = None
    chunk_gap_p99_ms: float | None = None
    chunks: int | None = None
    chunk_rate: float | None = None
    tokens_per_chunk: float | None = None
    decode_tokens: int | None = None
    decode_ms: float | None = None
    evidence: Evidence | None = None
    refused: Mapping[str, str] = field(default_factory=dict)
    first_tokens_assumed: bool = False
    tokens_estimated: bool = False


TIMES = (
    *("ttft_ms", "first_event_ms", "first_reasoning_ms", "first_content_ms", "first_tool_name_ms"),
    *("first_argument_ms", "dispatch_ms", "total_ms", "decode_tok_s", "tpot_ms"),
    *("chunk_gap_p50_ms", "chunk_gap_p99_ms", "chunk_rate"),
)
"""Metrics of a `Timing` that say how long something took."""

Measured: TypeAlias = float | str
"""A value, or the reason why there is none."""


@dataclass(frozen=True, slots=True)
class DecodeSample:
    """Tokens that came after the first chunk, and the ns they took; what speeds are pooled from."""

    tokens: int
    ns: int

    @property
    def tok_s(self) -> float:
        """Tokens per second."""
        return self.tokens * NS_PER_S / self.ns


def measure(
    timeline: Timeline,
    completion: int | None,
    *,
    estimated: bool,
    calls_valid: bool | None,
    hides_markup: bool,
) -> Timing:
    """Every metric of one reply, with reasons for those that cannot be had.

    `completion`: tokens of the reply, by the server or (then `estimated`) by a tokenizer. `calls_valid`:
    whether all tool calls can be dispatched, None without calls. `hides_markup`: whether this server's
    parsers swallow tokens.
    """
    decode = decode_sample(timeline, completion, hides_markup=hides_markup)
    p50, p99 = chunk_gaps_ms(timeline)
    results: dict[str, Measured] = {
        **_firsts(timeline),
        "dispatch_ms": dispatch_ms(timeline, calls_valid),
        "total_ms": total_ms(timeline),
        "decode_tok_s": decode if isinstance(decode, str) else decode.tok_s,
        "tpot_ms": tpot_ms(decode),
        "chunk_gap_p50_ms": p50,
        "chunk_gap_p99_ms": p99,
        "chunk_rate": chunk_rate(timeline),
        "tokens_per_chunk": tokens_per_chunk(timeline, completion),
    }
    values = {name: result for name, result in results.items() if not isinstance(result, str)}
    return Timing(
        **values,
        chunks=len(timeline.chunk_times) if timeline.streamed else None,
        decode_tokens=None if isinstance(decode, str) else decode.tokens,
        decode_ms=None if isinstance(decode, str) else decode.ns / NS_PER_MS,
        evidence=timeline.evidence,
        refused={name: result for name, result in results.items() if isinstance(result, str)},
        first_tokens_assumed=not isinstance(decode, str) and timeline.first_token_count is None,
        tokens_estimated=estimated and completion is not None,
    )


def refused_timing(timing: Timing, why: str) -> Timing:
    """The same reply's timing where its times mean nothing: the counts stay, every other metric is refused."""
    kept = {name: getattr(timing, name) for name in ("chunks", "tokens_per_chunk", "evidence", "tokens_estimated")}
    return Timing(**kept, refused={**dict.fromkeys(TIMES, why), **timing.refused})


def _firsts(timeline: Timeline) -> dict[str, Measured]:
    """The latencies to the first of everything."""
    return {
        "ttft_ms": ttft_ms(timeline),
        "first_event_ms": since_sent(timeline, timeline.first_event_at, "an event"),
        "first_reasoning_ms": since_sent(timeline, timeline.first_reasoning_at, "reasoning"),
        "first_content_ms": since_sent(timeline, timeline.first_content_at, "content"),
        "first_tool_name_ms": since_sent(timeline, timeline.first_tool_name_at, "a tool name"),
        "first_argument_ms": since_sent(timeline, timeline.first_argument_at, "an argument"),
    }


def ttft_ms(timeline: Timeline) -> Measured:
    """Time to first token: just before the first request byte was written → the first chunk.

    A frame that only names the role, a comment and an empty delta are no token. Connect time is not in it.
    """
    return since_sent(timeline, timeline.first_token_at, "a token")


def since_sent(timeline: Timeline, at: int | None, what: str) -> Measured:
    """ms from just before the first request byte to a stamp of the stream."""
    if not timeline.streamed:
        return NOT_STREAMED
    return f"{what} never came" if at is None else (at - timeline.sent_at) / NS_PER_MS


def dispatch_ms(timeline: Timeline, calls_valid: bool | None) -> Measured:
    """Time to a dispatchable call: request sent → arguments of the last tool call complete.

    Calls without any argument text are complete at the finish frame. Refused when a call is not valid, since
    it could not have been dispatched.
    """
    if calls_valid is None:
        return "there was no tool call"
    if not calls_valid:
        return "a tool call is not valid"
    complete_at = timeline.finish_at if timeline.last_argument_at is None else timeline.last_argument_at
    return "the stream never finished" if complete_at is None else (complete_at - timeline.sent_at) / NS_PER_MS


def total_ms(timeline: Timeline) -> float:
    """Request sent → end of the reply."""
    return (timeline.ended_at - timeline.sent_at) / NS_PER_MS


def decode_sample(timeline: Timeline, completion: int | None, *, hides_markup: bool) -> DecodeSample | str:
    """(completion − tokens at the first chunk) / (later of last chunk and finish frame − first chunk).

    One token is assumed at the first chunk when the server gave no count there. Refused with fewer than 8
    decode tokens, and below 32 tokens where the server withholds markup and gives no running counts.
    """
    first_at, last_at = timeline.first_token_at, timeline.last_token_at
    if not timeline.streamed:
        return NOT_STREAMED
    if first_at is None or last_at is None:
        return "a token never came"
    if completion is None:
        return "the number of tokens is not known"
    if hides_markup and completion < HIDDEN_MARKUP_NEEDS and _markup_was_withheld(timeline):
        return f"below {HIDDEN_MARKUP_NEEDS} tokens, and the server withholds markup and gives no running counts"
    tokens = completion - (1 if timeline.first_token_count is None else timeline.first_token_count)
    window = max(last_at, timeline.finish_at or last_at) - first_at
    if tokens < MIN_DECODE_TOKENS:
        return f"fewer than {MIN_DECODE_TOKENS} tokens after the first chunk"
    return DecodeSample(tokens, window) if window > 0 else "all tokens came at once"


def _markup_was_withheld(timeline: Timeline) -> bool:
    """Without the server's counts, reasoning or a call tells that markup was generated and not shown."""
    marked = timeline.first_reasoning_at, timeline.first_tool_name_at, timeline.first_argument_at
    return timeline.evidence == "text" and any(at is not None for at in marked)


def tpot_ms(decode: DecodeSample | str) -> Measured:
    """Time per output token: 1 / decode speed."""
    return decode if isinstance(decode, str) else decode.ns / decode.tokens / NS_PER_MS


def chunk_gaps_ms(timeline: Timeline) -> tuple[Measured, Measured]:
    """P50 and P99 of the gaps between chunks (no token latencies); of fewer than 100, P99 is the maximum."""
    gaps = percentiles((later - earlier) / NS_PER_MS for earlier, later in pairwise(timeline.chunk_times))
    if gaps.p50 is None or gaps.p99 is None:
        return ("fewer than 2 chunks", "fewer than 2 chunks")
    return gaps.p50, gaps.p99


def merged_chunks(timeline: Timeline) -> int | None:
    """Chunks that came in one read with the chunk before, and so have its stamp; None if nothing was streamed.

    The server wrote them together, or this client was too late to find the first one alone.
    """
    times = timeline.chunk_times
    return sum(earlier == later for earlier, later in pairwise(times)) if timeline.streamed else None


def chunk_rate(timeline: Timeline) -> Measured:
    """Chunks per second: (chunks − 1) / (last chunk − first chunk)."""
    times = timeline.chunk_times
    if len(times) < 2:
        return "fewer than 2 chunks"
    window = times[-1] - times[0]
    return (len(times) - 1) * NS_PER_S / window if window > 0 else "all chunks came at once"


def tokens_per_chunk(timeline: Timeline, completion: int | None) -> Measured:
    """Completion tokens / chunks. Above about 1.1, counting chunks would understate speed."""
    if completion is None:
        return "the number of tokens is not known"
    return completion / len(timeline.chunk_times) if timeline.chunk_times else "no chunk came"


def eligible_cache_hit_rate(
    cached: int | None, previous_prompt: int | None, previous_completion: int | None
) -> float | None:
    """Cached tokens / (previous prompt + previous completion): the share of what could have been cached.

    None when a count is unknown, or when there was nothing before. Above 1 when another conversation filled
    the cache too.
    """
    if cached is None or previous_prompt is None or previous_completion is None:
        return None
    eligible = previous_prompt + previous_completion
    return cached / eligible if eligible > 0 else None


def valid_turn_goodput(turns: Iterable[tuple[bool, bool]], seconds: float) -> float | None:
    """Turns per second that meet the SLO *and* are valid; `turns` are pairs (meets the SLO, is valid)."""
    return sum(meets and valid for meets, valid in turns) / seconds if seconds > 0 else None
