"""How wrong each client's times are, against when the server really sent what."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from statistics import fmean

import msgspec

from agenteval.clock import NS_PER_MS
from agenteval.server.process import scheduled_server
from agenteval.server.schedule import Schedule, Sent
from tests.bench.found import Errors, found
from tests.bench.peers import CLIENTS, records
from tests.bench.program import Row, verdict
from tests.bench.tools import TOOLS, VERSIONS, told

TITLE = (
    "Errors against the server's own record (simulated server, real clients over loopback HTTP): the first token's "
    "stamp in ms, mean / P99 (of fewer than 100 streams: the largest), at 1, 32 and 128 streams of 2 s at once; the "
    "time between tokens in %, at 128. Bars for agenteval at 128 streams: mean at most 0.5 ms, P99 at most 1.5 ms, "
    "between tokens at most 0.1 %. / agenteval: the errors at 128 streams over agenteval's with the same starts and "
    "history. The tools of others say means only, of their own requests, connecting included; theirs are over "
    "agenteval's in lockstep."
)
BAR_MEAN_MS, BAR_P99_MS, BAR_INTER = 0.5, 1.5, 0.1
STREAMS = (1, 32, 128)
CHUNKS = 51


def rows() -> Iterator[Row]:
    ours = {(item.history, item.starts, item.streams): item for item in found("agenteval").errors}
    for name in CLIENTS:
        for (history, starts), group in groupby(found(name).errors, key=lambda item: (item.history, item.starts)):
            most = ours[history, starts, max(STREAMS)]
            yield _row(name, history, starts, {item.streams: item for item in group}, most)
    with tempfile.TemporaryDirectory() as folder:
        for tool in TOOLS:
            lockstep = {n: ours["tiny", "lockstep", n] for n in STREAMS}
            yield asyncio.run(_told(tool, Path(folder), lockstep))


def _row(client: str, history: str, starts: str, errors: dict[int, Errors], ours: Errors) -> Row:
    most = errors[max(STREAMS)]
    met = most.mean_ms <= BAR_MEAN_MS and most.p99_ms <= BAR_P99_MS and most.inter_percent <= BAR_INTER
    return {
        "client": client,
        "history": history,
        "starts": starts,
        **{str(n): f"{errors[n].mean_ms:.2f} / {errors[n].p99_ms:.2f}" for n in STREAMS},
        "/ agenteval": f"{_over(most.mean_ms, ours.mean_ms)} / {_over(most.p99_ms, ours.p99_ms)}",
        "between %": f"{most.inter_percent:.3f}",
        "/ agenteval ": _over(most.inter_percent, ours.inter_percent),
        "bar": verdict(met),
    }


def _over(theirs: float, ours: float) -> str:
    """A ratio of two errors; none over an error that is none."""
    return f"{theirs / ours:.1f}" if ours > 0 else "–"


async def _told(tool: str, folder: Path, ours: dict[int, Errors]) -> Row:
    """Of a tool that tells its means: less those of the server's record."""
    row: Row = {"client": f"{tool} {VERSIONS[tool]}", "history": "64 tokens", "starts": "its own"}
    schedule = Schedule(chunks=CHUNKS)
    for streams in STREAMS:
        async with scheduled_server(300) as server:
            said = await asyncio.to_thread(told, tool, server.url, schedule, streams, 2 * streams, folder / "tool")
            sent = msgspec.json.decode(await asyncio.to_thread(records, server.url), type=list[Sent])
        truth = fmean((item.chunks[0] - item.request_at) / NS_PER_MS for item in sent if item.chunks)
        speed = fmean((CHUNKS - 1) * 1e9 / (item.chunks[-1] - item.chunks[0]) for item in sent if item.chunks)
        ttft, tok_s = said.figures.ttft_ms, said.figures.tok_s
        row[str(streams)] = None if ttft is None else f"{ttft - truth:.2f} / –"
        row["/ agenteval"] = None if ttft is None else f"{_over(abs(ttft - truth), ours[streams].mean_ms)} / –"
        inter = None if tok_s is None else abs(speed / tok_s - 1) * 100
        row["between %"] = None if inter is None else f"{inter:.3f}"
        row["/ agenteval "] = None if inter is None else _over(inter, ours[streams].inter_percent)
    return row
