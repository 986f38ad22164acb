"""Feeding bytes in pieces, for every test that says where bytes are cut does not matter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

from agenteval.stream import Fold, Reply, SseDecoder
from agenteval.timing import Timeline

Decoded = tuple[list[bytes], int, int, int]


def pieces(data: bytes, cuts: Iterable[int]) -> Iterator[bytes]:
    """The data cut at these offsets, in any order."""
    ends = sorted({0, len(data), *(cut for cut in cuts if 0 <= cut <= len(data))})
    return (data[start:end] for start, end in pairwise(ends))


def decoded(chunks: Iterable[bytes], max_event: int = 1 << 20) -> Decoded:
    """All payloads and counters of a decoder that was fed these chunks."""
    decoder = SseDecoder(max_event)
    payloads = [payload for chunk in chunks for payload in decoder.feed(chunk)]
    return payloads + decoder.flush(), decoder.comments, decoder.stray, decoder.dropped


def folded(chunks: Iterable[bytes]) -> tuple[Reply, Timeline]:
    """The chunks arrive 1 ns apart, from 1 on; sent at 0."""
    fold = Fold()
    at = 0
    for at, chunk in enumerate(chunks, start=1):
        fold.feed(chunk, at)
    return fold.finish(0, at)
