"""The arithmetic of the client's errors, with shifts that are planted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenteval.clock import NS_PER_MS
from agenteval.selftest.errors import Pair, case_errors, chunk_rate, inter_token_error, merged, overhead_ms
from agenteval.selftest.plan import Case
from agenteval.server.schedule import Schedule, Sent
from agenteval.timing import Timeline

MS = NS_PER_MS
SCHEDULE = Schedule(first=100, gap=10, chunks=11, role=5)
CASE = Case(2, "lockstep", "tiny")


def sent(schedule: Schedule = SCHEDULE, *, late_ms: float = 0.0, began: int = 1_000 * MS) -> Sent:
    """A record whose chunks were all sent so late."""
    chunks = [began + due + round(late_ms * MS) for due in schedule.chunk_offsets]
    role = [began + round(schedule.role * MS)] if schedule.role >= 0 else []
    return Sent(1, schedule.model, 90, began - 2 * MS, began - MS, began, [*role, *chunks, chunks[-1]])


def seen(record: Sent, *shifts_ms: float) -> Pair:
    """The client's side: each chunk is stamped so much later than it was sent (the last shift goes on)."""
    shifts = [*shifts_ms, *[shifts_ms[-1]] * (len(record.chunks) - len(shifts_ms))]
    times = tuple(at + round(shift * MS) for at, shift in zip(record.chunks, shifts, strict=True))
    return Pair(Timeline(record.began_at - 3 * MS, times[-1], chunk_times=times), record)


def test_the_client_is_late_by_its_stamp_less_the_servers_and_the_schedule_does_not_matter() -> None:
    errors = case_errors(CASE, [seen(sent(late_ms=7), 0.25), seen(sent(late_ms=40), 0.75)])
    assert errors.ttft_mean_ms == pytest.approx(0.5)
    assert errors.ttft_p99_ms == pytest.approx(0.75)
    assert errors.p99_is_max, "of two streams"
    assert errors.inter_token_percent == pytest.approx(0.0), "both ends are late alike"
    assert errors.gap_p99_ms == pytest.approx(0.0)
    assert errors.server_late_p99_ms == pytest.approx(40, abs=0.01)
    assert errors.left_ms == pytest.approx(1.0)


def test_a_late_last_chunk_stretches_the_stream() -> None:
    record = sent()
    late, early = seen(record, *[0.0] * 10, 1.0), seen(record, 1.0, 0.0)
    assert inter_token_error(late) == pytest.approx(1.0), "1 ms of 100"
    assert inter_token_error(early) == pytest.approx(1.0)
    assert case_errors(CASE, [late, early]).inter_token_percent == pytest.approx(1.0), "signs do not cancel out"


def test_a_chunk_that_waits_makes_two_gaps_wrong_and_no_stream_longer() -> None:
    errors = case_errors(CASE, [seen(sent(), *[0.0] * 5, 4.0, 0.0)])
    assert errors.gap_p99_ms == pytest.approx(4.0)
    assert errors.inter_token_percent == pytest.approx(0.0)


@given(st.sets(st.integers(1, 10)))
def test_merged_chunks_are_those_that_share_the_stamp_before(late: set[int]) -> None:
    pair = seen(sent(), 0.1)
    times = list(pair.timeline.chunk_times)
    for n in sorted(late):
        times[n] = times[n - 1]
    errors = case_errors(CASE, [replace(pair, timeline=replace(pair.timeline, chunk_times=tuple(times)))])
    assert (errors.chunks, errors.merged) == (11, len(late))


def test_what_the_server_wrote_at_one_go_is_not_the_clients_doing() -> None:
    record = sent()
    record.sent[4] = record.sent[5] - MS  # behind the role frame: the fourth chunk is late, the fifth on its heels
    pair = seen(record, 0.1)
    times = list(pair.timeline.chunk_times)
    times[3] = times[4]
    together = replace(pair, timeline=replace(pair.timeline, chunk_times=tuple(times)))
    assert merged(together) == 0
    assert merged(seen(record, 0.1)) == 0


def test_a_chunk_too_few_is_no_error_of_time() -> None:
    pair = seen(sent(), 0.1)
    short = replace(pair, timeline=replace(pair.timeline, chunk_times=pair.timeline.chunk_times[1:]))
    with pytest.raises(ValueError, match="11 chunks were sent and 10 stamped"):
        case_errors(CASE, [short])


def test_lockstep_that_did_not_begin_together_is_noticed() -> None:
    together, apart = [seen(sent(), 0.1)] * 2, [seen(sent(), 0.1), seen(sent(began=2_000 * MS), 0.1)]
    rounds = replace(CASE, streams=20)
    assert not case_errors(rounds, together).fell_apart
    assert case_errors(rounds, apart).fell_apart
    assert not case_errors(replace(rounds, starts="staggered"), apart).fell_apart


def test_overhead_is_what_the_server_did_not_do() -> None:
    pair = seen(sent(), 0.1)
    called = replace(pair, called_at=pair.sent.request_at - 2 * MS, returned_at=pair.sent.sent[-1] + MS)
    assert overhead_ms(called) == pytest.approx(3.0)


def test_the_rate_is_that_of_all_streams_together() -> None:
    assert chunk_rate([seen(sent(), 0.1)] * 4) == pytest.approx(440.0), "4 times 11 chunks in 100 ms"
