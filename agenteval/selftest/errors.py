"""The arithmetic: what the client stamped against what the server really did. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, median

from agenteval.clock import NS_PER_MS, NS_PER_S
from agenteval.selftest.plan import Case
from agenteval.server.schedule import Sent, parse_schedule
from agenteval.stats import percentiles
from agenteval.timing import Timeline


@dataclass(frozen=True, slots=True)
class Pair:
    """One stream from both sides. `called_at`, `returned_at`: when the client was asked for it and gave it back."""

    timeline: Timeline
    sent: Sent
    called_at: int = 0
    returned_at: int = 0


@dataclass(frozen=True, slots=True)
class CaseErrors:
    """The client's errors in one case.

    `ttft_*_ms`: stamp of the first token less when the server sent it; `p99_is_max`: of fewer than 100 streams.
    `inter_token_percent`: by how much the time from the first chunk to the last differs from the server's, mean over
    the streams, signs dropped. `gap_p99_ms`: by how much a single gap does. `merged` of `chunks` came in one read with
    the one before, although they were sent apart. `left_ms`: median from the request's stamp to its first bytes at the
    server, whose own delay is in it. `server_late_p99_ms`: by how much the server missed its schedule, which is in no
    other number here. `bases`: at how many different times the streams began.
    """

    case: Case
    ttft_mean_ms: float
    ttft_p99_ms: float
    p99_is_max: bool
    inter_token_percent: float
    gap_p99_ms: float
    chunks: int
    merged: int
    left_ms: float
    server_late_p99_ms: float
    bases: int

    @property
    def fell_apart(self) -> bool:
        """Whether streams that were to go in lockstep did not begin together."""
        return self.case.starts == "lockstep" and self.bases > self.case.rounds


def case_errors(case: Case, pairs: Sequence[Pair]) -> CaseErrors:
    """Raises ValueError if a stream has other chunks than were sent."""
    ttft = [ttft_error_ms(pair) for pair in pairs]
    return CaseErrors(
        case,
        ttft_mean_ms=fmean(ttft),
        ttft_p99_ms=_p99(ttft),
        p99_is_max=percentiles(ttft).p99_is_max,
        inter_token_percent=fmean(inter_token_error(pair) for pair in pairs),
        gap_p99_ms=_p99(error for pair in pairs for error in gap_errors_ms(pair)),
        chunks=sum(len(pair.sent.chunks) for pair in pairs),
        merged=sum(map(merged, pairs)),
        left_ms=median((pair.sent.first_read_at - pair.timeline.sent_at) / NS_PER_MS for pair in pairs),
        server_late_p99_ms=_p99(late / NS_PER_MS for pair in pairs for late in pair.sent.late),
        bases=len({pair.sent.began_at for pair in pairs}),
    )


def ttft_error_ms(pair: Pair) -> float:
    """How much later than the server sent it the client stamped the first token."""
    stamps, sent = _matched(pair)
    return (stamps[0] - sent[0]) / NS_PER_MS


def inter_token_error(pair: Pair) -> float:
    """|client's time from first to last chunk / server's − 1|, in percent."""
    stamps, sent = _matched(pair)
    return abs((stamps[-1] - stamps[0]) / (sent[-1] - sent[0]) - 1) * 100


def gap_errors_ms(pair: Pair) -> Iterator[float]:
    """For each gap between two chunks, by how much it differs from the server's."""
    stamps, sent = _matched(pair)
    for (earlier, later), (earlier_sent, later_sent) in zip(pairwise(stamps), pairwise(sent), strict=True):
        yield abs((later - earlier) - (later_sent - earlier_sent)) / NS_PER_MS


def merged(pair: Pair) -> int:
    """Chunks that were read together with the one before, although the server sent it half a gap earlier or more.

    What a late server writes at one go no client could tell apart.
    """
    stamps, sent = _matched(pair)
    apart = parse_schedule(pair.sent.model).gap * NS_PER_MS / 2
    return sum(
        earlier == later and later_sent - earlier_sent >= apart
        for (earlier, later), (earlier_sent, later_sent) in zip(pairwise(stamps), pairwise(sent), strict=True)
    )


def overhead_ms(pair: Pair) -> float:
    """What a call cost beside the server's work: all of it, less from the request read to the last piece sent."""
    return ((pair.returned_at - pair.called_at) - (pair.sent.sent[-1] - pair.sent.request_at)) / NS_PER_MS


def chunk_rate(pairs: Sequence[Pair]) -> float:
    """Chunks per second that the server sent over all streams."""
    first, last = min(pair.sent.chunks[0] for pair in pairs), max(pair.sent.chunks[-1] for pair in pairs)
    return sum(len(pair.sent.chunks) for pair in pairs) * NS_PER_S / (last - first)


def _p99(samples: Iterable[float]) -> float:
    found = percentiles(samples).p99
    assert found is not None, "a case has streams, and a stream gaps"
    return found


def _matched(pair: Pair) -> tuple[tuple[int, ...], tuple[int, ...]]:
    stamps, sent = pair.timeline.chunk_times, pair.sent.chunks
    if len(stamps) != len(sent):
        raise ValueError(f"stream {pair.sent.stream}: {len(sent)} chunks were sent and {len(stamps)} stamped")
    return stamps, sent
