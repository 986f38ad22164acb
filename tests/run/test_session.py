"""The loop: what is sent, what is recorded, and what becomes of a model's mistakes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from agenteval.client import ReplayTransport
from agenteval.errors import DivergedError
from agenteval.outcome import StepRecord, Transfer
from agenteval.script import Fact, PastCall, PastTurn
from agenteval.wire import Fault
from tests.run.scripted import SCENARIO, Body, Played, Says, play, play_over, right


def first_time(says: Says) -> Callable[[Body], Says]:
    """Answers with `says` once, and rightly from then on."""
    pending = [says]
    return lambda body: pending.pop() if pending else right(body)


def test_an_oracle_passes_and_every_request_is_a_record() -> None:
    played = play(right)
    assert played.kinds() == [[], [], [], [], []]
    assert all(record.ok and record.judged for record in played.records)
    assert [(r.turn, r.step, r.last_of_turn) for r in played.records] == [
        (1, 1, False),
        (1, 2, True),
        (2, 1, False),
        (2, 2, True),
        (3, 1, True),
    ]
    assert played.end.lost is None
    assert len(played.bodies) == len(played.records)


def test_the_transcript_only_grows() -> None:
    histories = [body["messages"] for body in play(right).bodies]
    assert all(later[: len(earlier)] == earlier for earlier, later in pairwise(histories))


def test_tool_results_are_those_of_the_world() -> None:
    played = play(right)
    assert "alpha = 1" in played.records[0].tool_results[0].content
    assert played.bodies[1]["messages"][-1]["content"] == played.records[0].tool_results[0].content


def test_a_wrong_call_has_its_real_effect() -> None:
    wrong = Says(calls=[("close_ticket", '{"id": "T-8"}')])
    closes = iter([wrong])

    def answer(body: Body) -> Says:
        last = body["messages"][-1]
        return next(closes) if last["content"] == "Close T-7." else right(body)

    kinds = play(answer).kinds()
    assert kinds[2] == ["invented_argument"]
    assert kinds[3] == ["state_mismatch"], "T-7 is still open at the end of its turn"


@pytest.mark.parametrize(
    ("call", "finding", "told"),
    [
        (("reed_file", '{"path": "a.py"}'), "unknown_tool", "reed_file"),
        (("read_file", "{}"), "schema_violation", "path"),
        (("read_file", '{"path": '), "invalid_json", "JSON"),
        (("read_file", '["a.py"]'), "arguments_not_object", "object"),
        (("read_file", '{"path": "c.py"}'), "invented_argument", "no such file: c.py"),
    ],
)
def test_a_broken_call_gets_a_result_that_says_so(call: tuple[str, str], finding: str, told: str) -> None:
    played = play(first_time(Says(calls=[call])))
    assert finding in played.kinds()[0]
    result = played.records[0].tool_results[0]
    assert result.is_error
    assert told in result.content


def test_broken_arguments_go_back_repaired_and_the_repair_is_recorded() -> None:
    played = play(first_time(Says(calls=[("read_file", '{"path": ')])))
    sent = played.bodies[1]["messages"][-2]["tool_calls"][0]["function"]["arguments"]
    assert json.loads(sent) == {}
    assert [repair.sent for repair in played.records[1].repairs] == ["{}"]
    reply = played.records[0].reply
    assert reply is not None
    assert reply.tool_calls[0].arguments_text == '{"path": ', "the record keeps what the model wrote"


PAST = (
    PastTurn("Read b.py.", "It is beta.", (PastCall("read_file", '{"path": "b', "Error: no JSON", failed=True),)),
    PastTurn("Once more.", "Done.", (PastCall("reed", '{"path": 7}', "Error: no such tool", failed=True),)),
)


@pytest.mark.parametrize("history", ["live", "golden"])
def test_every_request_begins_with_the_history_and_none_of_it_is_scored(history: str) -> None:
    played, plain = (play(right, history=history, scenario=replace(SCENARIO, history=past)) for past in (PAST, ()))
    begun = played.bodies[0]["messages"][1:9]
    assert [message["role"] for message in begun] == ["user", "assistant", "tool", "assistant"] * 2
    called = [message["tool_calls"][0]["function"] for message in begun if "tool_calls" in message]
    assert [call["arguments"] for call in called] == ["{}", '{"path": 7}'], "what is no JSON would be refused"
    for body, other in zip(played.bodies, plain.bodies, strict=True):
        assert body["messages"][1:9] == begun
        assert body["messages"][9:] == other["messages"][1:]
    assert played.kinds() == plain.kinds()
    assert [record.turn for record in played.records] == [record.turn for record in plain.records]


def test_an_id_of_the_history_is_taken() -> None:
    again = Says(calls=[("read_file", '{"path": "a.py"}')], ids=["call_0_1"])
    played = play(first_time(again), scenario=replace(SCENARIO, history=PAST))
    assert "bad_call_id" in played.kinds()[0]
    assert played.records[0].repairs


@pytest.mark.parametrize("ids", [[None, None], ["same", "same"]])
def test_ids_that_are_missing_or_repeated_are_replaced(ids: list[str | None]) -> None:
    call = ("read_file", '{"path": "a.py"}')
    played = play(first_time(Says(calls=[call, call], ids=ids)))
    assert "bad_call_id" in played.kinds()[0]
    assistant, *results = played.bodies[1]["messages"][-3:]
    sent = [made["id"] for made in assistant["tool_calls"]]
    assert len(set(sent)) == 2
    assert [result["tool_call_id"] for result in results] == sent
    assert played.records[0].repairs


def test_a_call_cut_by_max_tokens_is_truncated_not_broken() -> None:
    cut = Says(calls=[("read_file", '{"path": "a')], finish="length")
    assert play(first_time(cut)).kinds()[0] == ["truncated"]


def test_calls_without_end_are_stopped() -> None:
    played = play(lambda body: Says(calls=[("read_file", '{"path": "a.py"}')]))
    first_turn = [record for record in played.agent if record.turn == 1]
    assert len(first_turn) == SCENARIO.defaults.max_steps
    assert "extra_tool_call" in [finding.kind for finding in first_turn[-1].findings]
    assert first_turn[-1].last_of_turn


def test_live_history_carries_mistakes_on_and_golden_history_does_not() -> None:
    never = Says("I would rather not.")
    live, golden = (play(lambda body: never, history=history) for history in ("live", "golden"))
    assert [m["role"] for m in live.bodies[-1]["messages"]] == ["system", "user", "assistant"] * 1 + [
        "user",
        "assistant",
        "user",
    ]
    roles = [m["role"] for m in golden.bodies[-1]["messages"]]
    assert roles == ["system"] + ["user", "assistant", "tool", "assistant"] * 2 + ["user"]
    assert golden.kinds() == [["no_tool_call"], ["no_tool_call", "wrong_answer", "state_mismatch"], []]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_infrastructure_failures_are_retried_recorded_and_not_judged(status: int) -> None:
    played = play(first_time(Says(status=status)))
    failed, repeated = played.records[:2]
    assert (failed.attempt, failed.judged, failed.ok) == (1, False, False)
    assert [finding.kind for finding in failed.findings] == ["endpoint_error"]
    assert failed.error is not None
    assert failed.error.status == status
    assert (repeated.attempt, repeated.ok) == (2, True)
    assert failed.id != repeated.id
    assert played.end.lost is None


def test_a_connection_that_always_breaks_ends_the_cell_after_bounded_retries() -> None:
    played = play(lambda body: Says(fault=Fault("reset", "broken")))
    assert [record.attempt for record in played.records] == [1, 2, 3, 4, 5]
    assert played.end.lost is not None
    assert played.end.turns_judged == 0


def test_a_refused_request_is_not_repeated() -> None:
    played = play(lambda body: Says(status=400))
    assert len(played.records) == 1


@pytest.mark.parametrize("history", ["live", "golden"])
@pytest.mark.parametrize(("thinking", "probes"), [("off", 0), ("on", 0), ("preserved", 1)])
def test_preserved_reasoning_is_probed_once(thinking: str, probes: int, history: str) -> None:
    played = play(right, thinking=thinking, history=history)  # type: ignore[arg-type]
    probed = [record for record in played.records if record.purpose == "probe"]
    assert len(probed) == probes
    for record in probed:
        asked = next(r for r in played.agent if (r.turn, r.step) == (record.turn, record.step))
        with_reasoning, without = (played.bodies[played.records.index(item)]["messages"] for item in (asked, record))
        assert any("reasoning" in message for message in with_reasoning)
        assert not any("reasoning" in message for message in without)
        assert record.turn == 2
        assert played.records[-1] is record, "after everything else, so that no cache is disturbed"


def test_thinking_that_is_not_honoured_is_found() -> None:
    thinks = Says("Hi.", reasoning="Hm.")
    assert "reasoning_unexpected" in play(lambda body: thinks).kinds()[0]
    assert "reasoning_missing" in play(lambda body: Says("Hi."), thinking="on").kinds()[0]


def test_times_and_tokens_are_those_of_the_reply() -> None:
    first = play(right).records[0]
    assert first.timing is not None
    assert first.timing.ttft_ms == pytest.approx(200.0), "the role chunk at 100 ms is no token"
    assert first.tokens.context == first.tokens.prompt == 101
    assert first.tokens.context_source == "server"
    assert first.tokens.messages is not None
    assert not first.simulated


def test_golden_history_keeps_what_the_model_thought() -> None:
    bodies = play(right, thinking="preserved", history="golden").bodies
    assert [m.get("reasoning") for m in bodies[4]["messages"] if m["role"] == "assistant"] == ["I look."] * 4


def test_a_recording_replays_to_the_same_records() -> None:
    lived = play(first_time(Says(status=503)), thinking="on")
    again = play_over(told(lived), thinking="on")
    assert [without_clock(record) for record in again.records] == [without_clock(record) for record in lived.records]


def told(lived: Played) -> ReplayTransport:
    """What was heard in a cell, to be heard again."""
    return ReplayTransport("small", [(dict(item.request or {}), item) for item in lived.recordings])


def test_a_conversation_that_goes_another_way_is_not_heard_again() -> None:
    lived = play(right)
    other = replace(SCENARIO, turns=(replace(SCENARIO.turns[0], user="Read b.py."), *SCENARIO.turns[1:]))
    with pytest.raises(DivergedError, match="request 1 has other messages"):
        play_over(told(lived), scenario=other)


def test_what_had_arrived_of_a_failed_attempt_is_kept() -> None:
    cut = Fault("cut", "the box closed the connection")
    lived = play(first_time(Says("half a", fault=cut, breaks_after=2)))
    assert [record.attempt for record in lived.records[:2]] == [1, 2]
    first = lived.recordings[0]
    assert first.fault == cut
    assert [after for after, _ in first.chunks] == [100_000_000, 200_000_000]
    assert b"half a" in first.chunks[1][1]


def without_clock(record: StepRecord) -> StepRecord:
    return replace(record, started_at="", transfer=Transfer())


def test_a_lost_cell_tells_its_error() -> None:
    end = play(lambda body: Says(status=400)).end
    assert end.error is not None
    assert (end.error.status, end.turns_judged) == (400, 0)
    assert end.lost is not None
    assert "turn 1" in end.lost


@pytest.mark.parametrize("taken", ["call_000000", "call_000001"])
def test_a_repaired_id_is_never_one_that_is_taken(taken: str) -> None:
    call = ("read_file", '{"path": "a.py"}')
    played = play(first_time(Says(calls=[call, call, call], ids=[taken, None, None])))
    ids = [made["id"] for made in played.bodies[1]["messages"][-4]["tool_calls"]]
    assert len(set(ids)) == 3


def test_a_flood_of_calls_is_answered_but_not_carried_out() -> None:
    flood = Says(calls=[("read_file", '{"path": "a.py"}')] * 500)
    results = play(first_time(flood)).records[0].tool_results
    assert len(results) == 500
    assert sum(result.is_error for result in results) == 500 - 64


def test_what_became_of_a_fact_stands_on_the_last_step_of_the_turn_that_needs_it() -> None:
    code = Fact("code", "id", "T-7", stated=2, needed=2)
    told = replace(SCENARIO, facts=(code, replace(code, name="later", needed=3)))
    played = play(right, scenario=told)
    assert [[(fact.name, fact.outcome) for fact in record.facts] for record in played.records] == [
        [],
        [],
        [],
        [("code", "used")],
        [("later", "unused")],
    ]
