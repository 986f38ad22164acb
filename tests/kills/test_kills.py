"""Nothing that was finished is lost, nothing else is told: SIGKILL at any byte, and `--resume latest`.

Five journal offsets of each kind are in the default tests, `make test-kills` plays 200. On the embedded endpoint, whose
time is virtual, the reports must be those of an undisturbed run byte for byte. Over HTTP eight conversations are in
flight, times are the machine's, and the verdicts must be those of an undisturbed run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from random import Random

import pytest

from tests.cli.test_commands import agenteval
from tests.kills.proof import (
    CELLS,
    WORKLOAD,
    Served,
    Told,
    check_frames,
    dying,
    finished,
    ids,
    killed,
    repeated,
    resumed,
    run_in,
    serving,
    undisturbed,
    verdicts,
)

OVER_HTTP = ("--concurrency", str(CELLS), "--no-preflight", "--base-url")


def some(default: int, whole: int) -> list[object]:
    """Numbers of kills: a few for the default tests, all for `make test-kills`."""
    return [pytest.param(n, marks=[pytest.mark.kills] if n >= default else []) for n in range(whole)]


def drawn(what: str, number: int, below: int) -> int:
    """Where a kill strikes."""
    return Random(f"{what} {number}").randrange(below)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Told:
    return undisturbed(tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served")) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def whole_over_http(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Told:
    found = undisturbed(tmp_path_factory.mktemp("over-http"), *OVER_HTTP, served.url)
    assert len(served.since()) == found.steps
    return found


def test_over_http_the_verdicts_are_the_embedded_ones(whole: Told, whole_over_http: Told) -> None:
    assert verdicts(whole.reports) == verdicts(whole_over_http.reports)
    assert whole.code == whole_over_http.code == 1


@pytest.mark.parametrize("number", some(5, 200))
def test_the_report_is_that_of_an_undisturbed_run(number: int, whole: Told, tmp_path: Path) -> None:
    at = whole.probe if number == 0 else drawn("journal", number, whole.journal)
    killed(tmp_path, "journal", at, *WORKLOAD)
    before = finished(tmp_path)
    again = resumed(tmp_path)
    after = finished(tmp_path)
    assert after.startswith(before), "what was finished stands as it was"
    assert len(ids(after)) == len(set(ids(after))) == whole.steps
    assert (again.code, again.reports) == (whole.code, whole.reports)
    check_frames(tmp_path)


ASKING = ("run", "founding", "--thinking", "off", "--policy")
"""Conversations in which a policy asks the model for a summary."""
PLACES = ("middle", "after", "before", "last byte", "first byte")
"""Of the summary's line."""


@pytest.fixture(scope="module")
def summarising(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Told]:
    return cache(lambda policy: undisturbed(tmp_path_factory.mktemp(policy), workload=(*ASKING, policy)))


@pytest.mark.parametrize(
    ("policy", "place"),
    [
        pytest.param(policy, place, marks=[pytest.mark.kills] if (policy, at > 1) != ("summarize", False) else [])
        for policy in ("summarize", "mask_then_summarize", "context_reset", "summarize:mode=offline,style=anchored")
        for at, place in enumerate(PLACES)
    ],
)
def test_a_summary_that_came_is_never_asked_for_again(
    policy: str, place: str, summarising: Callable[[str], Told], tmp_path: Path
) -> None:
    whole = summarising(policy)
    begin, end = whole.summary
    assert 0 < begin < end < whole.journal
    at = {"before": begin, "first byte": begin + 1, "middle": (begin + end) // 2, "last byte": end - 1, "after": end}
    killed(tmp_path, "journal", at[place], *ASKING, policy)
    before = finished(tmp_path)
    assert (b'"purpose":"summary"' in before) is (place == "after")
    again = resumed(tmp_path)
    after = finished(tmp_path)
    assert after.startswith(before)
    assert len(ids(after)) == len(set(ids(after))) == whole.steps, "every request is a line"
    assert (again.code, again.reports) == (whole.code, whole.reports)
    check_frames(tmp_path)


@pytest.mark.parametrize("number", some(5, 200))
def test_eight_in_flight_repeat_one_step_each_at_most(
    number: int, served: Served, whole_over_http: Told, tmp_path: Path
) -> None:
    served.since()
    shortest = whole_over_http.journal * 9 // 10  # times are numbers of any length
    killed(tmp_path, "journal", drawn("http", number, shortest), *WORKLOAD, *OVER_HTTP, served.url)
    before = finished(tmp_path)
    again = resumed(tmp_path)
    after = finished(tmp_path)
    assert after.startswith(before)
    assert len(ids(after)) == len(set(ids(after))) == whole_over_http.steps
    assert again.code == whole_over_http.code
    assert verdicts(again.reports) == verdicts(whole_over_http.reports)
    repetitions = repeated(served.since())
    assert len(repetitions) == CELLS
    assert max(repetitions.values()) <= 1
    check_frames(tmp_path)


@pytest.mark.parametrize("number", some(2, 60))
def test_a_kill_may_strike_at_any_byte_of_any_file(number: int, whole: Told, tmp_path: Path) -> None:
    """In the manifest, in frames and between them and the journal, in the summary, before a rename."""
    at = 5 * number if number >= 30 else drawn("anything", number, whole.ticks)
    if number >= 50:
        at = whole.ticks - (number - 49)
    killed(tmp_path, "anything", at, *WORKLOAD)
    if not list(tmp_path.glob("results/*/run.json")):
        assert agenteval("run", "--resume", "latest", cwd=tmp_path).returncode == 2, "it had not begun"
        assert not list(tmp_path.rglob("*.gz"))
        return
    again = resumed(tmp_path)
    assert (again.code, again.reports, again.steps) == (whole.code, whole.reports, whole.steps)
    assert not list(run_in(tmp_path).rglob("*.part"))
    check_frames(tmp_path)


@pytest.mark.parametrize("number", some(2, 60))
def test_resuming_may_be_killed_too(number: int, served: Served, whole_over_http: Told, tmp_path: Path) -> None:
    served.since()
    first = drawn("first", number, whole_over_http.journal * 9 // 10)
    killed(tmp_path, "journal", first, *WORKLOAD, *OVER_HTTP, served.url)
    before = finished(tmp_path)
    at = drawn("second", number, 5_000 if number % 2 else 100_000)
    dying(tmp_path, "anything", at, "run", "--resume", "latest")
    again = resumed(tmp_path)
    assert finished(tmp_path).startswith(before)
    assert verdicts(again.reports) == verdicts(whole_over_http.reports)
    assert max(repeated(served.since()).values()) <= 2
    check_frames(tmp_path)
