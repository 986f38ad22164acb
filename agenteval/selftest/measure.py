"""The measuring: streams from the scheduled server through the client as a run uses it, recording on."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from agenteval.client import HttpTransport, chat, fetch_json
from agenteval.clock import NS_PER_MS, NS_PER_S, RealClock, cpu_seconds
from agenteval.errors import EndpointError
from agenteval.run import no_long_collections
from agenteval.selftest.errors import Pair, case_errors, chunk_rate, merged, overhead_ms
from agenteval.selftest.plan import FIRST_MS, GAP_MS, ROLE_MS, Case, Plan, chunks_in, request
from agenteval.selftest.priority import real_time
from agenteval.selftest.verdict import Machine, Rate, Result
from agenteval.server.process import scheduled_server
from agenteval.server.schedule import STREAM_HEADER, Schedule, Sent
from agenteval.stats import median, percentiles
from agenteval.timing import Timeline

MANY = 128
"""Streams at once where CPU and rates are measured."""

RATES = (10_000, 20_000, 30_000, 40_000, 52_000, 60_000, 70_000, 80_000, 100_000, 120_000)
GIVE_UP_AFTER = 2
"""So many rates in a row that were not kept end the ladder."""

RATE_FIRST_MS = 300.0
NAPS = 200
NAP_S = 0.002
SERVER_SECONDS = 900.0

Tell = Callable[[str], None]
_Asked: TypeAlias = tuple[int, Timeline, int, int]
"""Number of the stream, its stamps, and when it was asked for and given back."""


async def selftest(plan: Plan, tell: Tell) -> Result:
    """Measure this client; `tell` hears what is going on. Raises EndpointError if a stream fails."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    async with scheduled_server(SERVER_SECONDS) as server:
        with real_time((0, server.pid) if plan.real_time else ()) as refused:
            most = max(*plan.streams, MANY)
            rig = Rig(HttpTransport(server.url, max_connections=most))
            try:
                with no_long_collections():  # as in a run
                    tell("How late this machine wakes up with nothing to do …")
                    machine = Machine(
                        os.cpu_count() or 1,
                        type(asyncio.get_running_loop()).__module__.partition(".")[0],
                        await rig.idle_late_p99_ms(),
                        load,
                        plan.real_time and refused is None,
                        refused,
                    )
                    return await _measured(rig, plan, machine, tell)
            finally:
                await rig.transport.aclose()


async def _measured(rig: Rig, plan: Plan, machine: Machine, tell: Tell) -> Result:
    await rig.streams([0.0] * 4, request(Schedule(chunks=20), "tiny"))  # the first streams load what is loaded late
    tell("Overhead per call …")
    calls = max(20, round(50 * plan.seconds))
    overhead = await rig.overhead_ms(calls)
    cases = []
    for case in plan.cases:
        tell(f"{case.streams} streams, {case.starts}, history {case.history} …")
        cases.append(case_errors(case, await rig.case(case, plan.seconds)))
    tell("CPU per chunk …")
    cpu = await rig.cpu_s_per_10k(plan.seconds)
    rates: list[Rate] = []
    for offered in RATES:
        tell(f"{offered:,} chunks per second …")
        rates.append(await rig.rate(offered, plan.seconds))
        if not any(rate.kept for rate in rates[-GIVE_UP_AFTER:]) and len(rates) >= GIVE_UP_AFTER:
            break
    return Result(machine, tuple(cases), cpu, tuple(rates), overhead, calls)


class Rig:
    """The client under test and its server's records."""

    def __init__(self, transport: HttpTransport) -> None:
        self.transport = transport
        self._clock = RealClock()

    async def idle_late_p99_ms(self) -> float:
        late = []
        for _ in range(NAPS):
            before = self._clock.now()
            await self._clock.sleep(NAP_S)
            late.append((self._clock.now() - before) / NS_PER_MS - NAP_S * 1000)
        return percentiles(late).p99 or 0.0

    async def overhead_ms(self, calls: int) -> float:
        body = request(Schedule(first=1, chunks=1), "tiny")
        pairs = [pair for _ in range(calls) for pair in await self.streams([0.0], body)]
        return median(map(overhead_ms, pairs)) or 0.0

    async def case(self, case: Case, seconds: float) -> list[Pair]:
        schedule = case.schedule(seconds / 2)
        body = request(schedule, case.history)
        starts = [n * case.interval_s for n in range(case.streams)]
        pairs = []
        for _ in range(case.rounds):
            await self.transport.prepare(case.streams)
            if schedule.align:
                await self._next_multiple(schedule.align)
            pairs += await self.streams(starts, body)
        return pairs

    async def cpu_s_per_10k(self, seconds: float) -> float:
        """From what more chunks cost more, so that beginning and ending a stream is not in it."""
        spent = []
        for length in (seconds / 2, seconds * 2):
            schedule = Schedule(FIRST_MS, GAP_MS, chunks_in(length, GAP_MS), ROLE_MS, align=300)
            await self.transport.prepare(MANY)
            await self._next_multiple(schedule.align)
            before = cpu_seconds()
            pairs = await self._asked([0.0] * MANY, request(schedule, "tiny"))
            spent.append((cpu_seconds() - before, schedule.chunks))
            await self._records(pairs)
        (short, few), (long, many) = spent
        return (long - short) / ((many - few) * MANY) * 10_000

    async def rate(self, offered: float, seconds: float) -> Rate:
        """So many chunks per second over all streams, which begin one right after the other."""
        gap = MANY / offered * 1000
        schedule = Schedule(RATE_FIRST_MS, round(gap, 6), chunks_in(seconds, gap))
        pairs = await self.streams([0.0] * MANY, request(schedule, "tiny"))
        chunks = sum(len(pair.sent.chunks) for pair in pairs)
        return Rate(offered, chunk_rate(pairs), chunks, sum(map(merged, pairs)))

    async def streams(self, starts: Sequence[float], body: Mapping[str, Any]) -> list[Pair]:
        """One stream per start (seconds from now), each with its server's record."""
        await self.transport.prepare(len(starts))
        return await self._records(await self._asked(starts, body))

    async def _asked(self, starts: Sequence[float], body: Mapping[str, Any]) -> list[_Asked]:
        return await asyncio.gather(*(self._ask(start, body) for start in starts))

    async def _ask(self, start: float, body: Mapping[str, Any]) -> _Asked:
        if start:
            await self._clock.sleep(start)
        called_at = self._clock.now()
        attempt = await chat(self.transport, body)
        returned_at = self._clock.now()
        if attempt.failure is not None:
            raise EndpointError(f"a stream of the self-test failed: {attempt.failure.detail}")
        stream = int(dict(attempt.exchange.headers)[STREAM_HEADER])
        return stream, attempt.timeline, called_at, returned_at

    async def _records(self, asked: Sequence[_Asked]) -> list[Pair]:
        """What the server says of these streams; it forgets them."""
        told = await fetch_json(self.transport, "/records", {})
        if told.error is not None:
            raise EndpointError(f"the scheduled server does not tell what it sent: {told.error}")
        sent = {record.stream: record for record in msgspec.convert(told.value, list[Sent])}
        return [Pair(timeline, sent[stream], called, returned) for stream, timeline, called, returned in asked]

    async def _next_multiple(self, align_ms: float) -> None:
        """Sleep until just after the next multiple, so that what is asked now begins together at the one after it."""
        align = round(align_ms * NS_PER_MS)
        await self._clock.sleep((align - self._clock.now() % align) / NS_PER_S + 0.001)
