"""An endpoint that is of no use ends a run of many conversations with one sentence, and the run can be gone on with."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import warm
from tests.faults.matrix import OK, page, refusal
from tests.faults.play import RUN, TINY, Played, command
from tests.faults.server import Answer, serving

TRIALS = 40
AT_ONCE = 8


def run(url: str, out: Path, *options: str) -> Played:
    """Many conversations, eight at a time."""
    many = ("--trials", str(TRIALS), "--concurrency", str(AT_ONCE), "--no-preflight")
    return command("run", str(TINY), "--base-url", url, *RUN, *many, *options, out=out)


def assert_ended_with_one_sentence(played: Played, why: str) -> None:
    assert played.exit == 3
    assert [line for line in played.stderr.splitlines() if line.startswith(("Lost", "Error"))] == []
    (stopped,) = [line for line in played.stderr.splitlines() if line.startswith("Stopped")]
    assert why in stopped
    assert f"of {TRIALS} conversations are not finished" in stopped
    assert "Go on with it: agenteval run --resume" in played.stderr
    assert not any(record.judged for record in played.records if record.error)


def test_a_server_that_dies_in_mid_run_can_be_gone_on_with(tmp_path: Path) -> None:
    with serving(lambda n: OK if n < 20 else Answer((), "die")) as server:
        url, port = f"http://127.0.0.1:{server.port}/v1", server.port
        died = run(url, tmp_path)
    assert_ended_with_one_sentence(died, "because the endpoint has not answered even a small question: ")
    judged = [record.id for record in died.records if record.judged]
    assert 0 < len(judged) < TRIALS
    assert len(died.records) - len(judged) <= 2 * AT_ONCE
    with serving(lambda n: OK, port=port) as server:
        done = command("run", "--resume", "latest", out=tmp_path)
        assert server.asked == TRIALS - len(judged), "what was judged is not asked again"
    assert done.exit == 0, done.stderr
    assert f"Turns ok: {TRIALS} of {TRIALS} judged" in done.said
    assert "every planned turn was judged" in done.said


@pytest.mark.parametrize(
    ("answer", "why", "most"),
    [
        (
            refusal("503 Service Unavailable", "loading"),
            "answered even a small question: HTTP 503: loading",
            3 * AT_ONCE,
        ),
        (refusal("401 Unauthorized", "bad key"), "refuses even a small question: HTTP 401: bad key", 5 + AT_ONCE),
        (refusal("400 Bad Request", "no tools"), "refuses even a small question: HTTP 400: no tools", 5 + AT_ONCE),
        (page("200 OK", "Log in"), "answered even a small question: HTTP 200, but the body is no chat", 6 * AT_ONCE),
        (Answer((), "hang"), "sent nothing of a reply within 0.05 s", AT_ONCE),
    ],
)
def test_a_server_that_fails_always_ends_the_run_soon(answer: Answer, why: str, most: int, tmp_path: Path) -> None:
    with serving(lambda _: answer) as server:
        url = f"http://127.0.0.1:{server.port}/v1"
        played = run(url, tmp_path, "--timeout", "0.05" if answer.then == "hang" else "9")
        assert server.asked <= most
    assert_ended_with_one_sentence(played, why)
    assert len(played.records) == server.asked


def test_a_run_that_can_only_be_lost_ends_although_small_questions_are_answered(tmp_path: Path) -> None:
    with serving(lambda _: refusal("400 Bad Request", "too long"), small=OK) as server:
        played = run(f"http://127.0.0.1:{server.port}/v1", tmp_path)
    assert_ended_with_one_sentence(played, "because 25 in a row got no reply that could be judged: HTTP 400: too long")
    assert len(played.records) < 25 + AT_ONCE


def test_small_questions_are_counted_over_all_parts_of_a_run(tmp_path: Path) -> None:
    """Each conversation that is refused for good raises the question, in the first part and in the one after it."""
    with serving(lambda _: refusal("503 Service Unavailable", "busy"), small=OK) as server:
        two = ("--trials", "2", "--no-preflight")
        first = command("run", str(TINY), "--base-url", f"http://127.0.0.1:{server.port}/v1", *RUN, *two, out=tmp_path)
        assert server.doubted == 2
        assert "2 small questions were asked to see whether the endpoint was gone" in first.said
        second = command("run", "--resume", "latest", out=tmp_path)
        assert f"{server.doubted} small questions were asked" in second.said
        assert server.doubted == 4


def test_conversations_that_were_refused_are_asked_again(tmp_path: Path) -> None:
    """The key was wrong, and is right now: what was refused is heard again and then really asked."""
    with serving(lambda _: refusal("401 Unauthorized", "bad key")) as server:
        refused, port = run(f"http://127.0.0.1:{server.port}/v1", tmp_path), server.port
    assert refused.exit == 3
    with serving(lambda _: OK, port=port) as server:
        done = command("run", "--resume", "latest", out=tmp_path)
        assert server.asked == TRIALS
    assert done.exit == 0, done.stderr


def test_patience_may_be_said_anew_when_a_run_is_gone_on_with(tmp_path: Path) -> None:
    def every_request_fails_once(n: int) -> Answer:
        return OK if n % 2 else refusal("503 Service Unavailable", "busy")

    one = ("--trials", "2", "--retries", "0", "--no-preflight")
    with serving(every_request_fails_once) as server:
        url = f"http://127.0.0.1:{server.port}/v1"
        lost = command("run", str(TINY), "--base-url", url, *RUN, *one, out=tmp_path)
        done = command("run", "--resume", "latest", "--retries", "1", out=tmp_path)
    assert (lost.exit, done.exit) == (3, 0), done.stderr
    assert "Lost: tiny.off.full_history" in lost.stderr


def test_a_run_whose_resume_is_interrupted_at_the_take_off_is_as_it_was(tmp_path: Path) -> None:
    hangs = Answer((), "hang")
    with serving(lambda _: refusal("400 Bad Request", "too long"), small=OK) as server:
        url, port = f"http://127.0.0.1:{server.port}/v1", server.port
        run = command("run", str(TINY), "--base-url", url, *RUN, out=tmp_path).run
    assert run
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    with serving(lambda _: hangs, small=hangs, port=port):
        again = warm.start("agenteval", "run", "--resume", str(run), cwd=tmp_path)
        while "Endpoint" not in again.stderr.readline():
            assert again.poll() is None
        again.send_signal(signal.SIGINT)
        _, told = again.communicate(timeout=60)
    assert again.returncode == 130
    assert f"nothing was added, the run is as it was. Go on with it: agenteval run --resume {run}" in told
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def of_every_fourth(answer: Answer) -> Callable[[int], Answer]:
    return lambda n: answer if n % 4 == 3 else OK


@pytest.mark.parametrize("answer", [refusal("503 Service Unavailable", "busy"), Answer((), "reset")])
def test_a_shaky_server_costs_no_turn(answer: Answer, tmp_path: Path) -> None:
    with serving(of_every_fourth(answer)) as server:
        played = run(f"http://127.0.0.1:{server.port}/v1", tmp_path, "--retries", "9")
    assert played.exit == 0, played.stderr
    assert f"Turns ok: {TRIALS} of {TRIALS} judged" in played.said
