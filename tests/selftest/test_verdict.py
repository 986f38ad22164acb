"""When a bar is met, when the machine was too noisy to say, and how it is told."""

from __future__ import annotations

import json
from itertools import product
from typing import Any, get_args

import pytest

from agenteval.report.selftest import render_selftest, selftest_json
from agenteval.selftest.plan import Case, History, Plan, Starts
from agenteval.selftest.verdict import Machine, Rate, Result
from tests.selftest.results import errors, result

BUSY = Machine(2, "uvloop", 9.9)


def missed(found: Result) -> list[str]:
    return [bar.name.partition(",")[0] for bar in found.bars if not bar.met]


def test_all_bars_met() -> None:
    assert (result().met, missed(result()), result().noisy) == (True, [], False)


@pytest.mark.parametrize(
    ("found", "name"),
    [
        (result(errors(ttft_mean_ms=0.51)), "TTFT error"),
        (result(errors(ttft_p99_ms=1.51)), "TTFT error"),
        (result(errors(inter_token_percent=0.11)), "inter-token error"),
        (result(cpu_s_per_10k=0.21), "CPU per 10"),
        (result(overhead_ms=1.1), "own overhead per call"),
        (result(rates=(Rate(40_000, 40_000, 80_000, 0),)), "chunks per second told apart"),
        (result(rates=(Rate(60_000, 60_000, 80_000, 81),)), "chunks per second told apart"),
    ],
)
def test_each_bar_can_be_missed(found: Result, name: str) -> None:
    assert missed(found) == [name]
    assert not found.noisy
    assert "MISSED" in render_selftest(found)
    assert "missed on a quiet machine" in render_selftest(found)


def test_the_bars_do_not_hold_beyond_128_streams_and_the_worst_case_counts() -> None:
    beyond = errors(Case(512, "lockstep", "tiny"), ttft_mean_ms=9.0)
    assert result(errors(), beyond).met
    assert missed(result(errors(), errors(ttft_mean_ms=0.6))) == ["TTFT error"]


def test_the_highest_rate_is_what_the_server_sent_at_the_highest_rung_that_was_kept() -> None:
    rungs = (
        Rate(50_000, 49_000, 100_000, 0),
        Rate(60_000, 59_500, 100_000, 100),
        Rate(70_000, 69_000, 100_000, 101),  # one in a thousand is too many
        Rate(80_000, 70_000, 100_000, 0),  # the server did not keep it
    )
    assert result(rates=rungs).highest_rate == 59_500
    assert result(rates=rungs[2:]).highest_rate == 0


@pytest.mark.parametrize(
    ("disturbed", "why"),
    [
        ({"machine": BUSY}, "nothing to do woke up 9.9 ms late"),
        ({"machine": Machine(1, "uvloop", 0.1)}, "one core"),
        ({"machine": Machine(4, "uvloop", 0.1, 2.1)}, "other work was running when it began (load 2.1 on 4 cores)"),
        ({"rates": (Rate(50_000, 30_000, 10_000, 0),)}, "could not send 50,000 chunks"),
    ],
)
def test_a_disturbed_machine_is_named_and_excuses_a_missed_bar(disturbed: dict[str, Any], why: str) -> None:
    found = result(errors(ttft_mean_ms=3.0), **disturbed)
    text = " ".join(render_selftest(found).split())
    assert found.noisy
    assert why in text
    assert "Not enough evidence" in text


def test_a_server_that_was_late_or_streams_that_fell_apart_are_named() -> None:
    late, apart = errors(server_late_p99_ms=6.0), errors(bases=3)
    assert "the server itself was 6.0 ms late at P99 with 128 streams" in result(late).disturbances[0]
    assert "1 lockstep cases fell apart" in result(apart).disturbances[0]
    assert result(late, apart).met, "errors within the bars stand, for disturbances only make them larger"


def test_the_report_fits_80_columns_even_where_numbers_are_large() -> None:
    cases = [
        errors(Case(n, starts, history), ttft_mean_ms=ms, ttft_p99_ms=ms, p99_is_max=True, merged=99_999)
        for n, starts, history, ms in product((1, 512), get_args(Starts), get_args(History), (0.001, 9.123))
    ]
    refused = Machine(2, "asyncio", 9.9, 12.3, refused="real-time priority is not permitted (it needs CAP_SYS_NICE)")
    text = render_selftest(result(*cases, machine=refused, overhead_ms=1234.5))
    assert max(map(len, text.splitlines())) <= 80
    assert "Not permitted: real-time priority is not permitted" in text
    assert "uvloop is not installed" in text


def test_json_holds_the_numbers_and_what_follows_from_them() -> None:
    values = json.loads(selftest_json(result(errors(ttft_mean_ms=0.6))))
    assert values["cases"][0]["case"] == {
        "streams": 128,
        "starts": "lockstep",
        "history": "463 KB",
        "rounds": 1,
    }
    assert [bar["met"] for bar in values["bars"]] == [False, True, True, True, True, True]
    assert (values["met"], values["noisy"], values["highest_rate"]) == (False, False, 59_900)


def test_a_plan_covers_every_way_to_start_with_every_history() -> None:
    cases = Plan(streams=(1, 4)).cases
    assert {(case.starts, case.history) for case in cases if case.streams == 4} == set(
        product(get_args(Starts), get_args(History))
    )
    assert [case.starts for case in cases if case.streams == 1] == ["staggered"] * 2
    assert all(case.schedule(2.0).chunks >= 2 for case in cases)
