"""Which failures are worth another try, and how long to wait before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenteval.outcome import StepError
from agenteval.run import Retries


def error(kind: str, status: int | None = None) -> StepError:
    return StepError(kind, "", status)


@pytest.mark.parametrize(
    ("failed", "tries"),
    [
        *((error("http_status", status), 4) for status in (408, 425, 429, 500, 502, 503, 504, 524, 529)),
        *((error("http_status", status), 0) for status in (400, 401, 403, 404, 413, 422, 501)),
        *((error(kind), 4) for kind in ("cut", "reset", "refused", "dns", "timeout_connect", "no_reply", "aborted")),
        *((error(kind), 1) for kind in ("timeout_first_frame", "timeout_between", "timeout_total")),
        *((error(kind), 0) for kind in ("tls", "too_large", "protocol")),
    ],
)
def test_how_often_a_failure_is_repeated(failed: StepError, tries: int) -> None:
    again = [Retries(times=4).again(failed, number) for number in range(1, 7)]
    assert again == [True] * tries + [False] * (6 - tries)
    assert not Retries(times=0).again(failed, 1)


def test_waits_double_up_to_a_bound() -> None:
    retries = Retries(first_wait_s=1.0, longest_wait_s=20.0)
    assert [retries.pause_s(tries, None, 0.0) for tries in range(1, 8)] == [1, 2, 4, 8, 16, 20, 20]
    assert Retries().pause_s(100, None, 0.0) == 60


@given(st.integers(1, 100), st.none() | st.floats(0, 1e9), st.floats(0, 1))
def test_nobody_waits_less_than_asked_nor_for_ever(tries: int, asked: float | None, draw: float) -> None:
    retries = Retries()
    pause = retries.pause_s(tries, asked, draw)
    assert min(asked or 0, retries.longest_asked_s) <= pause <= 1.5 * retries.longest_asked_s
