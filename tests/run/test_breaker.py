"""An endpoint that fails for all conversations: waited for by all together, and left with one sentence in bounded time.
In virtual time, over the transport seam."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pytest

from agenteval.client import ReplayTransport
from agenteval.clock import NS_PER_S, LoopClock, run_virtual
from agenteval.dialects import DIALECTS
from agenteval.outcome import StepRecord
from agenteval.run import Accountant, Asked, BatchEnd, Breaker, Cell, Desk, Plan, expand, ping, run_batch
from agenteval.wire import Exchange, Fault, FaultKind, HttpRequest, Limits, Receiver, Recording
from tests.run.scripted import SCENARIO, Body, Says, ScriptedTransport, right

SCENARIOS = tuple(replace(SCENARIO, name=name, system=f"You are agent {name}.") for name in ("one", "two", "three"))


@dataclass
class Failing:
    """Before the oracle of the small scenario: `fails(seconds, body)` is a fault, a status or None. Time-outs take the
    time that they say; `takes`: seconds of a good reply."""

    fails: Callable[[float, Body], FaultKind | int | None]
    takes: float = 0.5
    retry_after: str | None = None
    clock: LoopClock = field(default_factory=LoopClock)
    sent: list[float] = field(default_factory=list)

    async def exchange(self, request: HttpRequest, receiver: Receiver, limits: Limits) -> Exchange:
        now = self.clock.now()
        self.sent.append(now / NS_PER_S)
        answers: list[FaultKind | int | None] = []

        def answer(body: Body) -> Says:
            failed = self.fails(now / NS_PER_S, body)
            answers.append(failed)
            if isinstance(failed, int):
                return Says(status=failed)
            return Says(fault=Fault(failed, f"{failed} happened")) if failed else right(body)

        done = await ScriptedTransport(answer).exchange(request, receiver, limits)
        (failed,) = answers
        if failed == "timeout_first_frame":
            await self.clock.sleep(limits.first_frame_s)
        elif failed is None:
            await self.clock.sleep(self.takes)
        headers = (("retry-after", self.retry_after),) if self.retry_after else done.headers
        return replace(done, ended_at=self.clock.now(), headers=headers)

    async def aclose(self) -> None:
        pass


@dataclass(frozen=True)
class Played:
    end: BatchEnd
    records: list[StepRecord]
    seconds: float
    sent: list[float]
    said: list[str]
    recordings: list[Recording]

    @property
    def lost(self) -> list[str]:
        return [end.cell.id for end in self.end.ends if end.lost]

    @property
    def whole(self) -> int:
        return sum(end.error is None for end in self.end.ends)


def play(
    transport: Failing,
    *,
    concurrency: int = 8,
    trials: int = 4,
    patience_s: float = 300.0,
    resumed: Sequence[Recording] = (),
) -> Played:
    """Three scenarios in so many trials, all at one endpoint; each conversation first hears what was recorded."""
    plan = Plan(SCENARIOS, ("off",), ("full_history",), trials, 0)
    cells = expand(plan)
    records: list[StepRecord] = []
    said: list[str] = []
    recordings: list[Recording] = []

    def journal(record: StepRecord, recording: Recording | None) -> None:
        records.append(record)
        recordings.extend([recording] if recording else [])

    desk = Desk("r", plan, transport, DIALECTS["vllm"], "m", Accountant("glm47"), journal)

    async def main() -> tuple[BatchEnd, float]:
        small = Asked(transport, DIALECTS["vllm"], "m", "off")
        breaker = Breaker(lambda: ping(small), patience_s, said.append)
        told = [(None, recording) for recording in resumed]

        def taken_up(cell: Cell) -> Desk:
            return replace(desk, transport=ReplayTransport(cell.id, told, transport))

        end = await run_batch(cells, taken_up, concurrency, breaker)
        return end, transport.clock.now() / NS_PER_S

    end, seconds = run_virtual(main())
    return Played(end, records, seconds, transport.sent, said, recordings)


def test_an_endpoint_that_is_gone_for_a_minute_costs_nothing() -> None:
    """Nobody listens for a minute in mid-run: all conversations wait, one request at a time looks, nothing is lost."""
    played = play(Failing(lambda now, _: "refused" if 5 < now < 65 else None))
    assert played.end.stopped is None
    assert played.lost == []
    assert played.whole == 12
    assert len([at for at in played.sent if 5 < at < 65]) < 8 + 10, "each in flight once, then probes"
    assert [text.partition(" ")[0] for text in played.said] == ["Waiting", "The"]
    assert "--patience" in played.said[0]
    assert max(record.attempt for record in played.records) < 10


def test_a_lonely_conversation_is_not_given_up_while_the_server_restarts() -> None:
    """A gateway answers 503 for two minutes; no retries last that long."""
    played = play(Failing(lambda now, _: 503 if 1 < now < 120 else None), concurrency=1, trials=1)
    assert played.lost == []
    assert played.whole == 3


@pytest.mark.parametrize("patience_s", [0.0, 20.0, 300.0])
@pytest.mark.parametrize("fault", ["refused", "dns", "timeout_connect"])
def test_an_endpoint_that_is_gone_ends_the_run_after_the_patience(fault: FaultKind, patience_s: float) -> None:
    played = play(Failing(lambda now, _: fault if now > 5 else None), patience_s=patience_s)
    assert played.end.stopped is not None
    assert f"{fault} happened" in played.end.stopped
    assert "of 12 conversations are not finished" in played.end.stopped
    assert played.seconds <= 5 + patience_s + 1
    assert len(played.sent) < 80


@pytest.mark.parametrize("concurrency", [1, 8])
def test_an_endpoint_that_hangs_ends_the_run_in_bounded_time(concurrency: int) -> None:
    """One time-out for each in flight; then nothing but small questions, for as long as the patience lasts."""
    played = play(Failing(lambda now, _: "timeout_first_frame"), concurrency=concurrency)
    assert played.end.stopped is not None
    assert played.seconds <= 300 + 300 + 30
    assert len(played.records) == concurrency
    assert len(played.sent) <= concurrency + 10


@pytest.mark.parametrize("concurrency", [1, 8])
def test_a_server_that_only_fails_ends_the_run(concurrency: int) -> None:
    played = play(Failing(lambda now, _: 503), concurrency=concurrency)
    assert played.end.stopped is not None
    assert "HTTP 503" in played.end.stopped
    assert played.seconds < 400
    assert not any(record.judged for record in played.records)
    assert len(played.records) < 60


@pytest.mark.parametrize("concurrency", [1, 8])
@pytest.mark.parametrize("status", [400, 401, 404, 422])
def test_a_server_that_refuses_everything_ends_the_run_after_a_handful(status: int, concurrency: int) -> None:
    played = play(Failing(lambda now, _: status), concurrency=concurrency, trials=100)
    assert played.end.stopped is not None
    assert f"HTTP {status}" in played.end.stopped
    assert "300 of 300 conversations" in played.end.stopped
    assert 5 <= len(played.sent) <= 5 + concurrency
    assert played.seconds < 10


@pytest.mark.parametrize("concurrency", [1, 8])
@pytest.mark.parametrize("failure", [400, 413, 500, "cut", "timeout_first_frame"])
@pytest.mark.parametrize("failing", [("two",), ("two", "three")])
def test_a_server_that_fails_for_some_scenarios_goes_on_with_the_others(
    failing: tuple[str, ...], failure: FaultKind | int, concurrency: int
) -> None:
    """However many conversations fail in a row: the server answers a small question."""

    def fails(now: float, body: Body) -> FaultKind | int | None:
        return failure if any(f"agent {name}" in body["messages"][0]["content"] for name in failing) else None

    played = play(Failing(fails), concurrency=concurrency, trials=8)
    assert played.end.stopped is None
    assert played.said == []
    assert played.whole == 8 * (3 - len(failing))
    assert {cell.partition(".")[0] for cell in played.lost} == set(failing)


def test_a_run_that_can_only_be_lost_is_ended_although_the_server_answers_a_small_question() -> None:
    played = play(Failing(lambda now, body: 400 if "agent" in body["messages"][0]["content"] else None), trials=50)
    assert played.end.stopped is not None
    assert "25 in a row got no reply that could be judged: HTTP 400" in played.end.stopped
    assert len(played.records) <= 25 + 8


def test_a_server_that_is_only_busy_is_not_given_up() -> None:
    """One request at a time takes five minutes, and keeps all small questions waiting; but replies come."""

    def fails(now: float, body: Body) -> FaultKind | None:
        small = "agent" not in body["messages"][0]["content"]
        return "timeout_first_frame" if small or (now == 0 and "agent two" in body["messages"][0]["content"]) else None

    played = play(Failing(fails, takes=310.0), concurrency=4, trials=2)
    assert played.end.stopped is None
    assert played.whole == 6


def test_a_key_that_expires_in_mid_run_ends_it() -> None:
    played = play(Failing(lambda now, _: 401 if now > 5 else None), trials=100)
    assert played.end.stopped is not None
    assert "refuses even a small question: HTTP 401" in played.end.stopped
    assert len(played.lost) <= 5 + 8


def test_what_was_heard_long_ago_is_no_sign_of_life() -> None:
    """Conversations that are taken up again begin with good replies; the endpoint refuses all the same."""
    (good, *_) = play(Failing(lambda now, _: None), trials=1).recordings
    played = play(Failing(lambda now, _: 401), concurrency=1, trials=100, resumed=[good])
    assert played.end.stopped is not None
    assert len(played.lost) == 5


def test_nobody_sleeps_on_when_the_run_is_stopped() -> None:
    """The first request is told to come back in an hour; the others are refused."""
    statuses = iter([429])
    failing = Failing(lambda now, _: next(statuses, 401), retry_after="3600")
    played = play(failing, concurrency=2, trials=100)
    assert played.end.stopped is not None
    assert played.seconds < 10


def test_requests_in_flight_are_heard_to_their_end() -> None:
    """The server refuses whatever is new, and still finishes what it has begun; that is no dead endpoint."""
    played = play(Failing(lambda now, _: 503 if 0.5 < now < 60 else None, takes=70.0), concurrency=4)
    assert played.end.stopped is None
    assert played.whole == 12


def test_a_shaky_server_costs_no_turn() -> None:
    """One request in four fails; every turn is judged in the end, and no failure is."""
    count = iter(range(10_000))
    played = play(Failing(lambda now, _: 500 if next(count) % 4 == 0 else None))
    assert played.whole == 12
    assert played.said == []
    assert all(record.judged == (record.error is None) for record in played.records)
    assert sum(record.error is not None for record in played.records) >= 12


def test_conversations_that_fail_together_do_not_come_back_together() -> None:
    def comebacks() -> list[float]:
        return sorted(play(Failing(lambda now, _: 429 if now < 0.5 else None)).sent)[8:16]

    times = comebacks()
    assert len(set(times)) == len(times)
    assert max(times) - min(times) > 0.2
    assert comebacks() == times, "and the same every time"


@pytest.mark.parametrize(("asked", "at_least", "at_most"), [("7", 7.0, 10.6), ("9999", 300.0, 450.2)])
def test_a_server_that_asks_to_wait_is_waited_for(asked: str, at_least: float, at_most: float) -> None:
    played = play(Failing(lambda now, _: 429 if now < 1 else None, retry_after=asked), concurrency=1, trials=1)
    first, second = played.sent[:2]
    assert at_least <= second - first <= at_most
    assert played.lost == []


def test_a_long_wait_that_the_server_asks_for_is_told_once_to_all() -> None:
    played = play(Failing(lambda now, _: 429 if now < 1 else None, retry_after="3600"))
    (told,) = played.said
    assert "The server asks to wait 3,600 s (HTTP 429: " in told
    assert 300 <= int(told.split()[-2]) <= 450
    short = play(Failing(lambda now, _: 429 if now < 1 else None, retry_after="2"))
    assert short.said == []


def test_a_request_that_timed_out_is_asked_once_more_and_no_oftener() -> None:
    def fails(now: float, body: Body) -> FaultKind | None:
        return "timeout_first_frame" if "agent two" in body["messages"][0]["content"] else None

    played = play(Failing(fails), trials=1)
    assert [record.attempt for record in played.records if record.scenario == "two"] == [1, 2]
    assert played.whole == 2


@dataclass
class Dying(Failing):
    """A server that the requests of agent `deadly` kill; it comes back `back_s` seconds later. What was in flight dies
    with it."""

    deadly: str = "two"
    back_s: float = 20.0
    up_at: float = 0.0
    deaths: int = 0

    async def exchange(self, request: HttpRequest, receiver: Receiver, limits: Limits) -> Exchange:
        if self.clock.now() / NS_PER_S < self.up_at:
            return self._lost("refused")
        deaths = self.deaths
        if f"agent {self.deadly}".encode() in request.body:
            await self.clock.sleep(0.1)
            self.deaths += 1
            self.up_at = self.clock.now() / NS_PER_S + self.back_s
            return self._lost("reset")
        done = await super().exchange(request, receiver, limits)
        return done if deaths == self.deaths else self._lost("reset")

    def _lost(self, kind: FaultKind) -> Exchange:
        now = self.clock.now()
        self.sent.append(now / NS_PER_S)
        assert len(self.sent) < 2000, "asked without end"
        return Exchange(now, now, None, Fault(kind, f"{kind} happened"))


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("back_s", [0.5, 20.0, 200.0])
def test_a_request_that_kills_a_server_which_comes_back_is_given_up_and_named(back_s: float, concurrency: int) -> None:
    transport = Dying(lambda now, _: None, back_s=back_s)
    played = play(transport, concurrency=concurrency, trials=1)
    assert played.end.stopped is None
    assert played.whole == 2, "what was in flight beside it is cleared"
    (lost,) = [end.lost for end in played.end.ends if end.lost]
    assert transport.deaths <= 4 + 5, "so often it may be gone, and so often a request is tried"
    if back_s > 1:
        assert "the request of step two.off.full_history.0.t01.s01" in lost
        assert "seems to kill the server" in lost
