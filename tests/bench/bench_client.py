"""What a streamed chunk and a call cost each client."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.found import found
from tests.bench.peers import CLIENTS
from tests.bench.program import Row, verdict

TITLE = (
    "Cost per client, each in a process of its own, replies on a schedule (simulated server, real clients over "
    "loopback HTTP; recording on in agenteval): CPU s per 10,000 chunks at 128 streams, 10 ms between two chunks of "
    "one, median of three, in lockstep and staggered; ms beside the server's own work per call, median, one call at a "
    "time; highest rate of 10,000 to 60,000 chunks/s at 128 streams that was taken in time. Bars for agenteval: at "
    "most 0.2 s in lockstep, at most 1 ms, at least 50,000 chunks/s. Bare asyncio stamps and keeps bytes, and reads "
    "nothing in them: the floor."
)
BAR_CPU_S, BAR_OVERHEAD_MS, BAR_RATE = 0.2, 1.0, 50_000


def rows() -> Iterator[Row]:
    ours = found("agenteval")
    for name in CLIENTS:
        peer = found(name)
        yield {
            "client": name,
            "CPU s": round(peer.cpu_s, 3),
            "/ agenteval": round(peer.cpu_s / ours.cpu_s, 2),
            "staggered": round(peer.staggered_s, 3),
            "call ms": round(peer.overhead_ms, 2),
            "/ agenteval ": round(peer.overhead_ms / ours.overhead_ms, 2),
            "chunks/s": peer.rate,
            "/ agenteval  ": round(peer.rate / ours.rate, 2) if peer.rate and ours.rate else None,
            "bars: CPU": verdict(peer.cpu_s <= BAR_CPU_S),
            "call": verdict(peer.overhead_ms <= BAR_OVERHEAD_MS),
            "rate": verdict(peer.rate >= BAR_RATE),
            "priority": peer.priority,
        }
