"""Comparisons that a person can check in the head."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from agenteval.errors import UsageError
from agenteval.outcome import Finding, StepError, StepRecord
from agenteval.store import Manifest, StoredRun
from agenteval.summary import Comparison, Thresholds, compare
from tests.records import TIMING, record

OFF = "s.off.full_history.0"
NO_CALL = (Finding("no_tool_call", "expected read_file, no call was made"),)
WRONG = (Finding("wrong_tool", "expected read_file, got list_files"),)
ARM = {"scenario": "s", "thinking": "off", "policy": "full_history"}

NUMBERS = count()


def run_of(
    *records: StepRecord, run: str | None = None, turns: dict[str, int] | None = None, **changes: Any
) -> StoredRun:
    """A complete run of these records; `changes` replace parts of its manifest, mappings are merged in."""
    planned = turns or {cell: max(r.turn for r in records if r.cell == cell) for cell in {r.cell for r in records}}
    values: dict[str, Any] = {
        "run": run or f"r{next(NUMBERS)}",
        "status": "complete",
        "created_at": "",
        "plan": {"seed": 0, "history": "live", "temperature": None, "max_tokens": None},
        "options": {},
        "endpoint": {"simulated": False, "model": "m", "dialect": "vllm", "base_url": "http://h/v1"},
        "scenarios": dict.fromkeys((item.scenario for item in records), "sha256:1"),
        "versions": {},
        "cells": {"turns": planned},
    }
    for key, change in changes.items():
        values[key] = {**values[key], **change} if isinstance(change, Mapping) and key in values else change
    return StoredRun(Path("r"), Manifest(**values), records)


def steps_of(*findings: tuple[Finding, ...], **changes: Any) -> tuple[StepRecord, ...]:
    """One cell with one step per turn."""
    return tuple(record(turn=turn, findings=found, **changes) for turn, found in enumerate(findings, start=1))


def compared(base: StoredRun, new: StoredRun, **thresholds: Any) -> Comparison:
    return compare(base, new, Thresholds(**thresholds))


def counted(comparison: Comparison) -> dict[str, int]:
    return {change: count for change, count in comparison.counts.items() if count}


def test_turns_are_repaired_broken_changed_or_unchanged() -> None:
    base = run_of(*steps_of(NO_CALL, (), NO_CALL, NO_CALL, ()))
    new = run_of(*steps_of((), NO_CALL, WRONG, NO_CALL, ()))
    found = compared(base, new)
    assert [pair.change for pair in found.pairs] == ["repaired", "broke", "changed", "unchanged", "unchanged"]
    assert [(pair.base, pair.new) for pair in found.pairs[:3]] == [
        (("no_tool_call",), ()),
        ((), ("no_tool_call",)),
        (("no_tool_call",), ("wrong_tool",)),
    ]
    assert found.counts == {"repaired": 1, "broke": 1, "changed": 1, "unchanged": 2, "only_base": 0, "only_new": 0}


def test_findings_in_another_order_are_no_change() -> None:
    one, other = (run_of(*steps_of(found)) for found in (NO_CALL + WRONG, WRONG + NO_CALL))
    assert counted(compared(one, other)) == {"unchanged": 1}


def test_harmless_findings_break_nothing() -> None:
    harmless = (Finding("stream_protocol", "a role twice", harmless=True),)
    new = run_of(record(findings=harmless, ok=True))
    assert counted(compared(run_of(record()), new)) == {"unchanged": 1}


@pytest.mark.parametrize(
    "other",
    [
        {"scenario": "z", "cell": "z.off.full_history.0"},
        {"thinking": "on", "cell": "s.on.full_history.0"},
        {"policy": "sliding_window", "cell": "s.off.sliding_window.0"},
        {"trial": 1, "cell": "s.off.full_history.1"},
    ],
)
def test_what_only_new_played_is_told_and_what_it_did_not_play_is_not_taken_for_passed(other: dict[str, Any]) -> None:
    extra = record(findings=NO_CALL, **other)
    more = compared(run_of(record()), run_of(record(), extra))
    assert (counted(more), more.verdict, more.missing) == ({"unchanged": 1, "only_new": 1}, "met", ())
    fewer = compared(run_of(record(), extra), run_of(record()))
    assert (counted(fewer), fewer.verdict) == ({"unchanged": 1, "only_base": 1}, "undecided")
    assert fewer.undecided == (
        "NEW did not play 1 turn of BASE: whether it broke is not known (--allow-missing leaves it out).",
    )
    (missing,) = fewer.missing
    found = {"scenario": missing.scenario, "thinking": missing.thinking, "policy": missing.policy}
    assert found == {key: other.get(key, value) for key, value in ARM.items()}
    assert (missing.trials, missing.turns, missing.played) == ((other.get("trial", 0),), 1, False)


def test_missing_cells_may_be_left_out_on_request() -> None:
    one, other = steps_of((), ()), steps_of((), thinking="on", cell="s.on.full_history.0")
    found = compared(run_of(*one, *other), run_of(*one), allow_missing=True)
    assert (found.verdict, found.undecided) == ("met", ())
    assert [(item.thinking, item.turns) for item in found.missing] == [("on", 1)], "told nonetheless"
    worse = compared(run_of(*one, *other), run_of(*steps_of((), NO_CALL)), allow_missing=True)
    assert worse.verdict == "missed"


def test_missing_trials_of_an_arm_stand_together() -> None:
    trials = [steps_of((), (), trial=trial, cell=f"s.off.full_history.{trial}") for trial in range(4)]
    (missing,) = compared(run_of(*sum(trials, ())), run_of(*trials[1])).missing
    assert (missing.trials, missing.turns, missing.played) == ((0, 2, 3), 6, False)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"scenarios": ("s", "z")}, "they have no scenario in common (s in BASE, z in NEW)"),
        ({"policies": (["full_history"], ["sliding_window"])}, "no policy in common (full_history in BASE, sliding_w"),
        ({"thinking": (["off"], ["on", "preserved"])}, "no thinking mode in common (off in BASE, on, preserved in NEW"),
    ],
)
def test_disjoint_workloads_are_refused_with_the_reason(changes: dict[str, Any], says: str) -> None:
    runs = []
    for side in (0, 1):
        plan = {key: values[side] for key, values in changes.items() if key != "scenarios"}
        found = run_of(record(), plan=plan)
        names = {changes["scenarios"][side]: "sha256:1"} if "scenarios" in changes else {"s": "sha256:1"}
        runs.append(replace(found, manifest=replace(found.manifest, scenarios=names)))
    with pytest.raises(UsageError, match=re.escape(says)):
        compared(runs[0], runs[1])


def test_a_policy_in_two_spellings_is_one_in_common() -> None:
    spelled = ({"policies": [WINDOW["policy"]]}, {"policies": [SPELLED["policy"]]})
    base, new = run_of(record(**WINDOW), plan=spelled[0]), run_of(record(**SPELLED), plan=spelled[1])
    assert counted(compared(base, new)) == {"unchanged": 1}


def trials_of(*verdicts: bool) -> StoredRun:
    """A run of one turn in several trials."""
    return run_of(
        *(
            record(trial=trial, cell=f"s.off.full_history.{trial}", findings=() if ok else NO_CALL)
            for trial, ok in enumerate(verdicts)
        )
    )


def test_of_several_trials_it_is_said_what_chance_may_have_moved() -> None:
    random = compared(trials_of(True, False, True, False), trials_of(False, True, True, False))
    (note,) = random.notes
    assert "2 of the 2 turns that broke or were repaired stand where the trials of one run differ" in note
    assert "50% of the turns are ok in BASE, 50% in NEW" in note
    (note,) = compared(trials_of(True, True), trials_of(False, False)).notes
    assert "0 of the 2 turns" in note
    assert compared(trials_of(True, False), trials_of(True, False)).notes == ()


# --- policies -----------------------------------------------------------------------------------------------

WINDOW: dict[str, Any] = {"policy": "sliding_window", "cell": "s.off.sliding_window.0"}
SPELLED: dict[str, Any] = {
    "policy": "sliding_window:target=1500,trigger=3000",
    "cell": "s.off.sliding_window-target-1500-trigger-3000.0",
}


def test_one_policy_in_two_spellings_is_one_policy() -> None:
    found = compared(run_of(record(findings=NO_CALL, **WINDOW)), run_of(record(**SPELLED)))
    assert (counted(found), found.verdict, found.missing) == ({"repaired": 1}, "met", ())
    assert [(pair.policy, arm.policy) for pair, arm in zip(found.pairs, found.arms, strict=True)] == [
        ("sliding_window", "sliding_window")
    ]
    assert found.arms[0].ttft_ms.n == 1


def test_other_knobs_are_another_policy() -> None:
    other = {**SPELLED, "policy": "sliding_window:target=1500,trigger=3001"}
    found = compared(run_of(record(), record(**WINDOW)), run_of(record(), record(**other)))
    assert counted(found) == {"unchanged": 1, "only_base": 1, "only_new": 1}
    assert found.verdict == "undecided"


def test_a_lost_turn_is_found_in_another_spelling() -> None:
    lost = record(judged=False, ok=False, error=StepError("reset", "cut"), timing=None, **SPELLED)
    (missing,) = compared(run_of(record(**WINDOW), record()), run_of(lost, record())).missing
    assert (missing.policy, missing.played) == ("sliding_window", True)


def test_a_policy_that_is_not_known_here_stands_for_itself() -> None:
    stranger: dict[str, Any] = {"policy": "from_the_future:x=1", "cell": "s.off.from_the_future-x-1.0"}
    found = compared(run_of(record(**stranger)), run_of(record(**stranger)))
    assert (counted(found), found.pairs[0].policy) == ({"unchanged": 1}, "from_the_future:x=1")


def test_the_last_attempt_is_compared() -> None:
    failed = record(attempt=1, judged=False, ok=False, error=StepError("reset", "cut"), timing=None)
    assert counted(compared(run_of(record()), run_of(failed, record(attempt=2)))) == {"unchanged": 1}


# --- speeds -------------------------------------------------------------------------------------------------


def timed(*ttfts: float | None, decode: float = 20.0, **changes: Any) -> tuple[StepRecord, ...]:
    return tuple(
        record(turn=turn, timing=replace(TIMING, ttft_ms=ttft, decode_tok_s=decode), **changes)
        for turn, ttft in enumerate(ttfts, start=1)
    )


def test_speeds_are_medians_over_requests_measured_in_both() -> None:
    found = compared(run_of(*timed(100, 200, 300, 900)), run_of(*timed(200, 300, 400, None, decode=15)))
    (arm,) = found.arms
    assert (arm.ttft_ms.n, arm.ttft_ms.base, arm.ttft_ms.new, arm.ttft_ms.ratio) == (3, 200, 300, 1.5)
    assert (arm.decode_tok_s.n, arm.decode_tok_s.ratio) == (4, 0.75)


def test_requests_of_one_run_only_move_no_speed() -> None:
    slow = record(step=2, timing=replace(TIMING, ttft_ms=9000.0))
    new = run_of(record(step=1, last_of_turn=False), slow)
    assert compared(run_of(record()), new).arms[0].ttft_ms.new == 100


def test_arms_have_their_own_speeds() -> None:
    on: dict[str, Any] = {"thinking": "on", "cell": "s.on.full_history.0"}
    base = run_of(*timed(100, **on), *timed(100))
    arms = compared(base, run_of(*timed(300, **on), *timed(200))).arms
    assert [(arm.thinking, arm.ttft_ms.ratio) for arm in arms] == [("off", 2.0), ("on", 3.0)]


@pytest.mark.parametrize(
    ("change", "says"),
    [({"endpoint": {"simulated": True}}, "Only one of the runs is simulated"), ({"client": {"valid": False}}, "NEW")],
)
def test_speeds_that_cannot_be_compared_are_left_out_and_gate_nothing(change: dict[str, Any], says: str) -> None:
    found = compared(run_of(record()), run_of(record(), **change), max_ttft_ratio=2)
    assert found.arms[0].ttft_ms.ratio is None
    assert says in found.notes[0]
    assert found.verdict == "undecided"


# --- gates --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("allowed", "verdict"), [(0, "missed"), (1, "missed"), (2, "met")])
def test_broken_turns_are_gated(allowed: int, verdict: str) -> None:
    found = compared(run_of(*steps_of((), ())), run_of(*steps_of(NO_CALL, WRONG)), max_broken=allowed)
    assert found.verdict == verdict


def test_repairs_do_not_pay_for_what_broke() -> None:
    base, new = run_of(*steps_of((), NO_CALL, NO_CALL)), run_of(*steps_of(NO_CALL, (), ()))
    found = compared(base, new)
    assert (found.verdict, found.missed) == ("missed", ("1 turn broke; at most 0 may.",))


@pytest.mark.parametrize(
    ("thresholds", "verdict"),
    [
        ({}, "met"),
        ({"max_ttft_ratio": 1.5}, "met"),
        ({"max_ttft_ratio": 1.49}, "missed"),
        ({"min_decode_ratio": 0.75}, "met"),
        ({"min_decode_ratio": 0.76}, "missed"),
    ],
)
def test_speeds_are_gated_on_request(thresholds: dict[str, float], verdict: str) -> None:
    base, new = run_of(*timed(200)), run_of(*timed(300, decode=15.0))
    assert compared(base, new, **thresholds).verdict == verdict


def test_a_missed_speed_gate_names_the_arm_and_the_number() -> None:
    (said,) = compared(run_of(*timed(200)), run_of(*timed(300)), max_ttft_ratio=1.1).missed
    assert said == "TTFT of s, thinking off, full_history is 1.500 times BASE's; at most 1.1 is asked."


def test_nothing_in_common_is_not_enough_to_say() -> None:
    other = record(thinking="on", cell="s.on.full_history.0")
    found = compared(run_of(record()), run_of(other))
    assert (found.verdict, found.undecided) == ("undecided", ("No turn was judged in both runs.",))
    assert compared(run_of(record()), run_of(other), allow_missing=True).verdict == "undecided"


def test_turns_that_new_lost_are_not_taken_for_passed() -> None:
    lost = record(turn=2, judged=False, ok=False, error=StepError("reset", "cut"), timing=None)
    found = compared(run_of(*steps_of((), ())), run_of(record(turn=1), lost))
    assert found.verdict == "undecided"
    assert found.undecided[0].startswith("NEW could not judge 1 turn of BASE")
    assert [(item.turns, item.played) for item in found.missing] == [(1, True)]
    healed = compared(run_of(record(turn=1), lost), run_of(*steps_of((), ())))
    assert healed.verdict == "met", "what only BASE lost cannot have broken"


@pytest.mark.parametrize("ratio", [0.0, -1.0, float("nan"), float("inf")])
def test_a_ratio_that_gates_nothing_is_refused(ratio: float) -> None:
    with pytest.raises(UsageError, match="max-ttft-ratio"):
        Thresholds(max_ttft_ratio=ratio)


# --- workloads ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"scenarios": {"s": "sha256:2"}}, "scenario s was changed"),
        ({"plan": {"seed": 7}}, "--seed differs (0 in BASE, 7 in NEW)"),
        ({"plan": {"history": "golden"}}, "--history differs"),
        ({"plan": {"temperature": 0.5}}, "--temperature differs (none in BASE, 0.5 in NEW)"),
        ({"plan": {"max_tokens": 64}}, "--max-tokens differs"),
        ({"status": "interrupted"}, "NEW (new) is interrupted"),
        ({"status": "running"}, "NEW (new) is running"),
        ({"cells": {"stopped": "the endpoint is gone"}}, "stopped early (the endpoint is gone)"),
        ({"schema": 2}, "different schemas (1 in BASE, 2 in NEW)"),
    ],
)
def test_unlike_workloads_are_refused_with_the_reason(change: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError) as refused:
        compared(run_of(record()), run_of(record(), run="new", **change))
    assert says in str(refused.value)
    assert str(refused.value).startswith("these runs cannot be compared: ")


def test_all_reasons_are_told_at_once() -> None:
    with pytest.raises(UsageError, match=r"scenario s .*; --seed .*; --history"):
        compared(run_of(record()), run_of(record(), scenarios={"s": "x"}, plan={"seed": 1, "history": "golden"}))


def test_other_servers_are_what_comparisons_are_for() -> None:
    new = run_of(record(), endpoint={"dialect": "sglang"}, options={"extra_body": {"top_k": 1}})
    found = compared(run_of(record()), new)
    assert found.differences == ("dialect: vllm → sglang", "--extra-body: none → {'top_k': 1}")


def test_a_concurrency_that_changed_in_mid_run_is_told() -> None:
    base = run_of(record(), plan={"concurrency": 1})
    new = run_of(record(), plan={"concurrency": 1}, changes=({"concurrency": [1, 4]}, {"concurrency": [4, 1]}))
    assert compared(base, new).differences == ("--concurrency: 1 → 1, then 4, then 1",)


def test_single_trials_of_a_real_server_are_called_so() -> None:
    base, new = steps_of(()), steps_of(NO_CALL)
    assert any("by chance" in note for note in compared(run_of(*base), run_of(*new)).notes)
    simulated: dict[str, Any] = {"endpoint": {"simulated": True}}
    assert compared(run_of(*base, **simulated), run_of(*new, **simulated)).notes == ()
    assert compared(run_of(*base), run_of(*base)).notes == ()


def test_a_run_is_not_compared_with_itself() -> None:
    same = run_of(*steps_of(()), run="r9")
    with pytest.raises(UsageError, match="BASE and NEW are one run, r9"):
        compared(same, same)
