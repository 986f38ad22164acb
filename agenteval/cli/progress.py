"""Progress on stderr: one line per turn as it ends."""

from __future__ import annotations

from agenteval.cli.takeoff import duration
from agenteval.cli.voice import tell
from agenteval.clock import NS_PER_S, Clock
from agenteval.outcome import StepRecord
from agenteval.store import Secrets

ETA_AFTER_S = 10.0


class Progress:
    """Counts turns as records come in, and says how each went. Steps of other purposes are not shown.

    `clock`: the one in whose time the run is played; None in virtual time, of which nobody waits for the rest.
    """

    def __init__(self, turns: int, secrets: Secrets, clock: Clock | None = None) -> None:
        self._turns = turns
        self._done = self._before = 0
        self._clock = clock
        self._started = clock.now() if clock else 0
        self._secrets = secrets
        self._failed: dict[tuple[str, int], list[str]] = {}
        self._context: dict[tuple[str, int], int | None] = {}

    def count(self, record: StepRecord) -> None:
        """Take note of a record that was shown before."""
        if record.purpose == "agent" and record.last_of_turn and record.judged:
            self._done += 1
            self._before += 1

    def see(self, record: StepRecord) -> None:
        """Take note of one record."""
        if record.purpose != "agent":
            return
        if record.error is not None:
            self._say(f"{record.cell} turn {record.turn}: {record.error.detail} (attempt {record.attempt})")
            return
        place = (record.cell, record.turn)
        found = self._failed.setdefault(place, [])
        found += [finding.kind for finding in record.findings if not finding.harmless]
        self._context.setdefault(place, record.tokens.context)
        if record.last_of_turn:
            self._done += 1
            self._say(self._line(record, self._context[place], found))

    def _line(self, record: StepRecord, tokens: int | None, findings: list[str]) -> str:
        where = f"{record.scenario} · {record.thinking} · {record.policy}"
        verdict = "ok" if not findings else f"FAIL {', '.join(dict.fromkeys(findings))}"
        context = "" if tokens is None else f" · {tokens:,} tokens"
        return f"[{self._done}/{self._turns}{self._left()}] {where} · turn {record.turn}{context} · {verdict}"

    def _left(self) -> str:
        """How long the rest takes if it goes on like this; nothing in the first seconds, which say little."""
        if self._clock is None:
            return ""
        elapsed = (self._clock.now() - self._started) / NS_PER_S
        if elapsed < ETA_AFTER_S or self._done == self._turns:
            return ""
        return f", {duration(elapsed / (self._done - self._before) * (self._turns - self._done))} left"

    def _say(self, line: str) -> None:
        tell(self._secrets.text(line))
