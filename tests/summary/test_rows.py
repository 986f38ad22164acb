"""Rows that a person can check in the head."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from agenteval.dialects import CONSTRAINTS
from agenteval.outcome import Finding, RecordedReply, StepError, StepRecord, Tokens
from agenteval.store import Manifest
from agenteval.summary import Summary, summarise
from tests.records import TIMING, record

CELL = "s.off.full_history.0"


def summary_of(
    *records: StepRecord, turns: dict[str, int] | None = None, history: str = "live", **endpoint: Any
) -> Summary:
    planned = turns or {cell: max(r.turn for r in records if r.cell == cell) for cell in {r.cell for r in records}}
    return summarise(manifest_of(planned, history, **endpoint), records)


def manifest_of(turns: dict[str, int], history: str = "live", **endpoint: Any) -> Manifest:
    return Manifest(
        run="r",
        status="complete",
        created_at="",
        plan={"history": history},
        options={},
        endpoint={"simulated": False, "model": "m", "dialect": "vllm", "base_url": "http://h/v1", **endpoint},
        scenarios={},
        versions={},
        cells={"turns": turns},
    )


NO_CALL = (Finding("no_tool_call", "expected read_file, no call was made"),)


def test_a_turn_is_ok_when_all_its_steps_are() -> None:
    steps = (record(step=1, last_of_turn=False), record(step=2, findings=NO_CALL))
    (row,) = summary_of(*steps).turns
    assert (row.ok, row.ok_trials, row.judged_trials, row.findings) == (False, 0, 1, {"no_tool_call": 1})


def test_context_and_ttft_are_those_of_the_first_step() -> None:
    second = record(step=2, tokens=Tokens(context=900), timing=replace(TIMING, ttft_ms=7.0))
    (row,) = summary_of(record(step=1, last_of_turn=False), second).turns
    assert (row.context, row.messages, row.ttft_ms, row.total_ms) == (500, 100, 100.0, 4200.0)


def test_decode_is_pooled_tokens_over_pooled_time() -> None:
    fast = replace(TIMING, decode_tokens=30, decode_ms=1000.0, decode_tok_s=30.0)
    slow = replace(TIMING, decode_tokens=10, decode_ms=1000.0, decode_tok_s=10.0)
    refused = replace(TIMING, decode_tokens=None, decode_ms=None, decode_tok_s=None)
    steps = (record(step=1, timing=fast), record(step=2, timing=slow), record(step=3, timing=refused))
    (row,) = summary_of(*steps).turns
    assert row.decode_tok_s == 20.0


def test_the_last_attempt_counts_and_probes_do_not() -> None:
    failed = record(attempt=1, judged=False, ok=False, error=StepError("reset", "cut"), reply=None, timing=None)
    probe = record(purpose="probe", findings=NO_CALL)
    summary = summary_of(failed, record(attempt=2), probe)
    assert [row.ok for row in summary.turns] == [True]
    assert (summary.scores.steps, summary.scores.requests, summary.scores.endpoint_errors) == (1, 3, 1)
    assert summary.findings == {}


def test_infrastructure_failures_are_in_no_score() -> None:
    lost = record(turn=2, judged=False, ok=False, error=StepError("refused", "nobody listens"), timing=None)
    summary = summary_of(record(turn=1), lost, turns={CELL: 3})
    scores = summary.scores
    assert (scores.turns_ok, scores.turns_judged, scores.turns_planned) == (1, 1, 3)
    assert scores.completion == 1 / 3
    assert (scores.cells_complete, scores.cells_ok) == (0, 0)
    assert summary.turns[1].judged_trials == 0
    assert summary.arms[0].first_failing_turn is None


def test_trials_are_pooled_per_turn() -> None:
    other = "s.off.full_history.1"
    summary = summary_of(record(), record(cell=other, trial=1, findings=NO_CALL))
    (row,) = summary.turns
    assert (row.ok_trials, row.judged_trials) == (1, 2)
    assert summary.scores.cells_ok == 1


def test_the_first_failing_turn_is_named_with_its_context() -> None:
    steps = [record(turn=turn, findings=NO_CALL if turn >= 3 else ()) for turn in range(1, 6)]
    summary = summary_of(*steps)
    assert summary.arms[0].first_failing_turn == 3
    assert summary.sentences == (
        "s, thinking off, full_history: first failing turn 3 at about 500 context tokens (100 of them messages).",
    )
    assert any("sliding_window" in hint for hint in summary.advice)


def test_a_failure_is_as_long_as_the_prompt_of_its_first_failing_step() -> None:
    steps = [
        record(turn=3, step=1, last_of_turn=False),
        record(turn=3, step=2, tokens=Tokens(context=1165, messages=700), findings=NO_CALL, last_of_turn=False),
        record(turn=3, step=3, tokens=Tokens(context=1400, messages=900), findings=NO_CALL),
    ]
    (sentence,) = summary_of(*steps).sentences
    assert "first failing turn 3, step 2, at about 1,165 context tokens (700 of them messages)." in sentence


def test_the_baseline_once_more_is_no_policy_that_never_acted() -> None:
    idle = [record(cell=f"s.off.{name}.0", policy=name) for name in ("full_history+again", "again", "offload")]
    summary = summary_of(record(), *idle)
    assert "Never acted here, so nothing is shown about it: offload." in summary.notes
    assert [row.policy for row in summary.policies] == ["offload"]


def test_a_model_that_never_calls_is_told_what_that_may_mean_and_where_to_look() -> None:
    silent = {"reply": RecordedReply("I would look.", None, "stop", ()), "findings": NO_CALL}
    summary = summary_of(record(turn=1, **silent), record(turn=2, **silent))
    assert summary.advice[0].startswith("No call was made at all: the server's tool-call parser is off")
    assert summary.this_run.notes[-1].endswith("agenteval report r --step s.off.full_history.0.t01.s01.a1")
    calls_once = summary_of(record(turn=1), record(turn=2, **silent))
    assert not any("No call was made" in hint for hint in calls_once.advice)
    assert calls_once.this_run.notes[-1].endswith("agenteval report r --step s.off.full_history.0.t02.s01.a1")
    assert summary_of(record()).advice == ()


def test_replies_that_came_whole_are_explained() -> None:
    whole = replace(TIMING, ttft_ms=None, refused={"ttft_ms": "the reply was not streamed"})
    notes = summary_of(record(timing=whole), record(turn=2)).notes
    assert any("1 of 2 replies came whole, although a stream was asked for" in note for note in notes)


def test_nothing_is_said_of_replies_that_never_came() -> None:
    whole = replace(TIMING, ttft_ms=None, refused={"ttft_ms": "the reply was not streamed"})
    gone: dict[str, Any] = {"judged": False, "reply": RecordedReply(None, None, None, ()), "timing": whole}
    known: dict[str, Any] = {"constraint": asdict(CONSTRAINTS["vllm", "harmony"]), "cached_flag": "--tell"}
    assert summary_of(record(error=StepError("cut", "closed"), **gone), **known).notes == ()
    silent = record(turn=2, reply=RecordedReply("I would look.", None, "stop", ()), findings=NO_CALL)
    assert not any("constrained" in note for note in summary_of(silent, **known).notes)
    assert any("constrained" in note for note in summary_of(record(), silent, **known).notes)


def test_a_run_that_was_gone_on_with_in_another_way_says_so() -> None:
    changed = replace(manifest_of({CELL: 1}), resumed=2, changes=({"concurrency": (1, 4), "timeout": (300.0, 9.0)},))
    notes = summarise(changed, [record()]).this_run.notes
    assert notes == ("Gone on with in another way: concurrency 1 → 4, timeout 300.0 → 9.0.",)


def test_a_late_client_is_told_by_more_than_its_bound() -> None:
    late = {"valid": False, "loop_lag_p99_ms": 20.01, "bound_p99_ms": 20.0}
    notes = summarise(replace(manifest_of({CELL: 1}), client=late), [record()]).this_run.notes
    assert "woke up 20.1 ms late at P99 (bound: 20 ms)" in notes[0]
    assert "requests left late by unknown" in notes[1]


def test_requests_that_left_late_make_latencies_invalid_too() -> None:
    loop = {"loop_lag_p99_ms": 1.0, "loop_lag_max_ms": 2.0, "bound_p99_ms": 20.0}
    send = {"send_lag_p99_ms": 31.26, "send_lag_max_ms": 40.0, "send_bound_p99_ms": 20.0}
    client = {**loop, **send, "valid": False, "chunks": 1200, "merged": 7}
    notes = summarise(replace(manifest_of({CELL: 1}), client=client), [record()]).this_run.notes
    assert notes[0].startswith(
        "LATENCIES INVALID: this client's requests left 31.3 ms late at P99 (bound: 20 ms). Verdicts stand"
    )
    assert notes[1] == (
        "This client: event loop late by P99 1.0 ms, at most 2.0 ms; requests left late by P99 31.3 ms, at most 40.0 "
        "ms; 7 of 1,200 chunks came in one read with another."
    )
    fine = summarise(replace(manifest_of({CELL: 1}), client={**client, "valid": True}), [record()]).this_run.notes
    assert not any("INVALID" in note for note in fine)


def test_a_single_failing_turn_is_not_blamed_on_length() -> None:
    steps = [record(turn=turn, findings=NO_CALL if turn == 3 else ()) for turn in range(1, 6)]
    assert not any("sliding_window" in hint for hint in summary_of(*steps).advice)


def test_chunks_are_not_tokens() -> None:
    timing = replace(TIMING, decode_tokens=40, decode_ms=2000.0)
    (note, *_) = summary_of(record(timing=timing)).notes
    assert "10.0 tok/s where 20.0 were decoded" in note


def test_preserved_reasoning_is_proven_by_prompt_tokens() -> None:
    cell = "s.preserved.full_history.0"
    asked = record(cell=cell, thinking="preserved", turn=2, tokens=Tokens(prompt=520, context=520))
    probe = record(cell=cell, thinking="preserved", turn=2, purpose="probe", tokens=Tokens(prompt=500, context=500))
    arrived = summary_of(asked, probe)
    dropped = summary_of(asked, replace(probe, tokens=Tokens(prompt=520)))
    assert [proof.arrived for proof in arrived.preserved + dropped.preserved] == [True, False]
    assert any(
        "in 1 of 1 conversations: for instance 520 prompt tokens with it, 500 without" in note for note in arrived.notes
    )
    assert any("did NOT reach" in note for note in dropped.notes)


def test_a_turn_in_flight_is_in_no_row_and_no_score() -> None:
    summary = summary_of(record(turn=1), record(turn=2, last_of_turn=False), turns={CELL: 2})
    assert [row.judged_trials for row in summary.turns] == [1, 0]
    assert (summary.scores.turns_judged, summary.arms[0].turns_judged) == (1, 1)
    assert summary.sentences == ()


def test_only_judged_turns_break_late_and_one_alone_does_not() -> None:
    last_only = [record(turn=turn, findings=NO_CALL if turn == 5 else ()) for turn in range(1, 6)]
    lost = record(turn=5, judged=False, ok=False, error=StepError("reset", "cut"), timing=None)
    fails_then_lost = [*(record(turn=turn, findings=NO_CALL if turn == 4 else ()) for turn in range(1, 5)), lost]
    for steps in (last_only, fails_then_lost):
        assert not any("Every turn" in hint for hint in summary_of(*steps).advice)


def test_golden_runs_are_not_told_to_run_golden() -> None:
    steps = [record(turn=turn, findings=NO_CALL if turn >= 3 else ()) for turn in range(1, 6)]
    assert any("--history golden" in hint for hint in summary_of(*steps).advice)
    assert not any("--history golden" in hint for hint in summary_of(*steps, history="golden").advice)


def test_speeds_are_pooled_over_the_same_steps() -> None:
    measured = replace(TIMING, decode_tokens=40, decode_ms=2000.0, chunks=21, chunk_rate=10.0)
    unmeasured = replace(TIMING, decode_tokens=None, decode_ms=None, decode_tok_s=None, chunks=3, chunk_rate=1.0)
    (row,) = summary_of(record(step=1, timing=measured, last_of_turn=False), record(step=2, timing=unmeasured)).turns
    assert (row.decode_tok_s, row.chunk_rate) == (20.0, 10.0)


def test_cache_hits_are_measured_against_what_could_have_been_hit() -> None:
    first = record(step=1, last_of_turn=False, tokens=Tokens(prompt=100, completion=20, cached=0))
    second = record(step=2, tokens=Tokens(prompt=150, completion=20, cached=90))
    (arm,) = summary_of(first, second).arms
    assert arm.eligible_cache_hit_rate == 90 / 120


def test_unknown_cache_hits_name_the_servers_option() -> None:
    assert any("--enable-cache-report" in n for n in summary_of(record(), cached_flag="--enable-cache-report").notes)
    cached = record(tokens=Tokens(prompt=100, cached=0))
    assert not any("Cached" in note for note in summary_of(cached, cached_flag="--enable-cache-report").notes)


def test_latencies_carry_their_sample_size() -> None:
    (arm,) = summary_of(record(step=1, last_of_turn=False), record(step=2)).arms
    assert (arm.latencies["ttft_ms"].n, arm.latencies["ttft_ms"].p50, arm.latencies["ttft_ms"].p99_is_max) == (
        2,
        100.0,
        True,
    )
    assert arm.latencies["dispatch_ms"].n == 0
