"""What a client says of itself after a run."""

from __future__ import annotations

import asyncio
import gc
from dataclasses import replace

import pytest

from agenteval.clock import RealClock
from agenteval.outcome import Transfer
from agenteval.run import LAG_BOUND_MS, SEND_BOUND_MS, LoopWatch, SelfReport


def test_requests_are_counted_where_their_lag_is_known() -> None:
    transfers = [(Transfer(send_lag_ms=lag, merged=merged), 10) for lag, merged in ((1.0, 0), (3.0, 2), (None, 1))]
    report = LoopWatch().report(transfers)
    assert (report.requests, report.send_lag_p50_ms, report.send_lag_p99_ms, report.send_lag_max_ms) == (
        2,
        2.0,
        3.0,
        3.0,
    )
    assert (report.chunks, report.merged) == (30, 3)
    assert report.valid is None, "the loop was not watched"


@pytest.mark.parametrize(
    ("loop", "send", "valid"),
    [
        (LAG_BOUND_MS, SEND_BOUND_MS, True),
        (LAG_BOUND_MS + 0.1, 0.0, False),
        (0.0, SEND_BOUND_MS + 0.1, False),
        (0.0, None, True),
        (None, 1.0, None),
    ],
)
def test_either_lag_makes_latencies_invalid(loop: float | None, send: float | None, valid: bool | None) -> None:
    report = replace(SelfReport(), loop_lag_p99_ms=loop, send_lag_p99_ms=send)
    assert report.valid is valid


def test_watching_keeps_long_collections_out_and_gives_them_back() -> None:
    async def main() -> tuple[int, int]:
        async with LoopWatch() as watch:
            during = gc.get_threshold()[2]
            while watch.report().samples == 0:
                await RealClock().sleep(0.001)
        return during, watch.report().samples

    before = gc.get_threshold()
    during, samples = asyncio.run(main())
    assert during > 1000
    assert samples
    assert gc.get_threshold() == before
