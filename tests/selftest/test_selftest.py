"""The verb, end to end and tiny: a real server process, the real client. Times are nobody's business here."""

from __future__ import annotations

import json
import os
import subprocess

import msgspec
import pytest

from agenteval.selftest.plan import Case, request
from agenteval.selftest.priority import real_time
from tests import warm


def agenteval(*arguments: str) -> subprocess.CompletedProcess[str]:
    return warm.run("agenteval", *arguments)


@pytest.fixture(scope="module")
def done() -> subprocess.CompletedProcess[str]:
    return agenteval("selftest", "--streams", "1,3", "--seconds", "0.05", "--json")


def test_it_measures_every_case(done: subprocess.CompletedProcess[str]) -> None:
    values = json.loads(done.stdout)
    assert [(errors["case"]["streams"], errors["case"]["starts"]) for errors in values["cases"]] == [
        *[(1, "staggered")] * 2,
        *[(3, "lockstep")] * 2,
        *[(3, "staggered")] * 2,
    ]
    for errors in values["cases"]:
        assert errors["ttft_mean_ms"] > 0, "nothing is stamped before it was sent"
        assert errors["chunks"] > errors["merged"] >= 0
    assert values["rates"]
    assert values["overhead_ms"] > 0


def test_its_exit_code_follows_from_its_verdict(done: subprocess.CompletedProcess[str]) -> None:
    values = json.loads(done.stdout)
    assert done.returncode == (0 if values["met"] else 3 if values["noisy"] else 1)
    assert "3 streams, lockstep, history 463 KB" in done.stderr


def test_streams_are_numbers() -> None:
    done = agenteval("selftest", "--streams", "1,many")
    assert done.returncode == 2
    assert "--streams takes numbers from 1 to 1,000 with commas between them, not '1,many'" in done.stderr


def test_the_long_history_is_as_long_as_it_is_called() -> None:
    schedule = Case(1, "staggered", "463 KB").schedule(1.0)
    body = request(schedule, "463 KB")
    assert len(body["messages"]) == 401
    assert 455_000 < len(msgspec.json.encode(body)) < 480_000
    assert len(msgspec.json.encode(request(schedule, "tiny"))) < 300


def test_priority_is_given_back() -> None:
    before = os.sched_getscheduler(0)
    with real_time([0]) as refused:
        assert refused is None or os.sched_getscheduler(0) == before
    assert os.sched_getscheduler(0) == before
    with real_time([]) as refused:
        assert refused is None
        assert os.sched_getscheduler(0) == before
