"""How long the rest of a run takes, as it is told turn by turn."""

from __future__ import annotations

import pytest

from agenteval.cli.progress import Progress
from agenteval.clock import NS_PER_S
from agenteval.store import Secrets
from tests.records import record


class Hands:
    """A clock whose hands are moved by hand."""

    time = 0.0

    def now(self) -> int:
        return int(self.time * NS_PER_S)

    async def sleep(self, seconds: float) -> None:
        self.time += seconds


def told(progress: Progress, capsys: pytest.CaptureFixture[str], turn: int) -> str:
    progress.see(record(turn=turn, simulated=True))
    return capsys.readouterr().err


def test_the_rest_is_reckoned_from_what_was_done_in_this_run(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Hands()
    progress = Progress(10, Secrets(None, ()), clock)
    for turn in (1, 2, 3):
        progress.count(record(turn=turn))
    clock.time = 5.0
    assert "[4/10] " in told(progress, capsys, 4), "the first seconds say little"
    clock.time = 40.0
    assert "[5/10, 100 s left]".replace("100 s", "2 min") in told(progress, capsys, 5), "20 s a turn, 5 turns"
    clock.time = 60.0
    for turn in (6, 7, 8):
        told(progress, capsys, turn)
    assert "[9/10, 10 s left]" in told(progress, capsys, 9)
    assert "[10/10] " in told(progress, capsys, 10)


def test_nobody_waits_for_virtual_time(capsys: pytest.CaptureFixture[str]) -> None:
    assert "[1/2] " in told(Progress(2, Secrets(None, ())), capsys, 1)
