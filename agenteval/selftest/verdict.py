"""What the numbers mean: the bars, whether the machine was quiet enough to say, and what it did not permit. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from agenteval.selftest.errors import CaseErrors
from agenteval.selftest.plan import UP_TO_STREAMS

RATE_BAR = 50_000.0
NOISY_IDLE_MS = 2.0
"""P99 of how late an idle loop wakes up past which other work on the machine explains a missed bar."""

BUSY_LOAD = 0.5
"""And a load average per core past which other work was running."""

MERGED_SHARE = 0.001
"""A rate counts as kept if no more than this share of the chunks came in one read with another."""
KEPT_SHARE = 0.95
"""And if the server itself sent at least this share of what was offered."""


@dataclass(frozen=True, slots=True)
class Machine:
    """`idle_late_p99_ms`: how late a loop with nothing to do woke up, before anything was measured; `load`: the load
    average of the last minute, before; `refused`: why real-time priority was not had, None if it was or was not asked
    for."""

    cores: int
    loop: str
    idle_late_p99_ms: float
    load: float | None = None
    real_time: bool = False
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Rate:
    """One rung of the ladder: chunks per second that were offered, that the server sent; how many of all merged."""

    offered: float
    sent: float
    chunks: int
    merged: int

    @property
    def served(self) -> bool:
        """Whether the server kept the rate."""
        return self.sent >= KEPT_SHARE * self.offered

    @property
    def kept(self) -> bool:
        """Whether the client did, too."""
        return self.served and self.merged <= MERGED_SHARE * self.chunks


@dataclass(frozen=True, slots=True)
class Bar:
    """A number and its bound; `above`: it must not be below, else not above."""

    name: str
    value: float
    bound: float
    unit: str
    above: bool = False

    @property
    def met(self) -> bool:
        return self.value >= self.bound if self.above else self.value <= self.bound


@dataclass(frozen=True, slots=True)
class Result:
    """All that a self-test saw. `cpu_s_per_10k`: CPU of this process per 10,000 chunks with recording, of 128 streams
    in lockstep; `overhead_ms`: median over `calls` calls, one at a time."""

    machine: Machine
    cases: tuple[CaseErrors, ...]
    cpu_s_per_10k: float
    rates: tuple[Rate, ...]
    overhead_ms: float
    calls: int

    @property
    def highest_rate(self) -> float:
        """Chunks per second that were still told apart; 0 if none of the offered rates were kept."""
        return max((rate.sent for rate in self.rates if rate.kept), default=0.0)

    @property
    def bars(self) -> tuple[Bar, ...]:
        barred = [errors for errors in self.cases if errors.case.streams <= UP_TO_STREAMS]
        worst = (
            ("TTFT error, mean", [errors.ttft_mean_ms for errors in barred], 0.5, "ms"),
            ("TTFT error, P99", [errors.ttft_p99_ms for errors in barred], 1.5, "ms"),
            ("inter-token error", [errors.inter_token_percent for errors in barred], 0.1, "%"),
        )
        return (
            *(
                Bar(f"{name}, up to {UP_TO_STREAMS} streams", max(all_), bound, unit)
                for name, all_, bound, unit in worst
                if all_
            ),
            Bar("CPU per 10,000 chunks, recording on", self.cpu_s_per_10k, 0.2, "s"),
            Bar("chunks per second told apart", self.highest_rate, RATE_BAR, "/s", above=True),
            Bar("own overhead per call, one at a time, median", self.overhead_ms, 1.0, "ms"),
        )

    @property
    def disturbances(self) -> tuple[str, ...]:
        """What was not the client's doing."""
        return tuple(_disturbances(self))

    @property
    def noisy(self) -> bool:
        """Whether a missed bar may be the machine's doing."""
        return bool(self.disturbances)

    @property
    def met(self) -> bool:
        return all(bar.met for bar in self.bars)


def server_bound_ms(streams: int) -> float:
    """How late the server may be: it writes one chunk after another, and each takes it a while."""
    return 2.0 + 0.03 * streams


def _disturbances(result: Result) -> Iterator[str]:
    machine, idle = result.machine, result.machine.idle_late_p99_ms
    if machine.cores < 2:
        yield "one core: the server and the client wait for each other"
    if machine.load is not None and machine.load > BUSY_LOAD * machine.cores:
        yield f"other work was running when it began (load {machine.load:.1f} on {machine.cores} cores)"
    if idle > NOISY_IDLE_MS:
        yield f"a loop with nothing to do woke up {idle:.1f} ms late at P99 (more than {NOISY_IDLE_MS:.0f} ms)"
    late = [errors for errors in result.cases if errors.server_late_p99_ms > server_bound_ms(errors.case.streams)]
    if late:
        worst = max(late, key=lambda errors: errors.server_late_p99_ms)
        yield f"the server itself was {worst.server_late_p99_ms:.1f} ms late at P99 with {worst.case.streams} streams"
    slow = [rate for rate in result.rates if not rate.served]
    if slow and result.highest_rate < RATE_BAR:
        yield f"the server itself could not send {slow[0].offered:,.0f} chunks per second"
    apart = [errors for errors in result.cases if errors.fell_apart]
    if apart:
        yield f"{len(apart)} lockstep cases fell apart: their requests left too late to begin together"
