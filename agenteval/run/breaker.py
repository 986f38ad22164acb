"""When to stop asking: an endpoint that is gone is waited for by all conversations together, and ends the run with one
sentence if it does not come back; one that answers nothing of use ends it after a handful of conversations."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from agenteval.clock import NS_PER_S, Clock
from agenteval.outcome import StepError
from agenteval.run.plan import Cell

UNREACHABLE = frozenset({"dns", "refused", "tls", "connect", "timeout_connect"})
"""Faults before any request: whatever is asked, nobody hears it."""

SILENT = frozenset({"timeout_first_frame", "timeout_between", "timeout_total", "cut", "reset"})
"""Faults that a single request may have to itself; as is a 5xx."""

GONE_AFTER = 3
"""Conversations in a row that a silent endpoint left without an answer."""

USELESS_AFTER = 5
"""Conversations in a row that ended without a reply that could be judged, whatever came instead: refusals, pages of
HTML, errors inside a stream. Of both, they must be of more than one scenario, if the run has more: one alone may be at
fault."""

FIRST_PROBE_S, LONGEST_PROBE_S = 1.0, 30.0
UNTIL_WOKEN_S = 86_400.0

STOPPED = StepError("stopped", "the run was stopped before this was asked")


def _unheard(_: str) -> None:
    """For runs that nobody watches."""


class Breaker:
    """Hears how the requests of all conversations of a run went; any reply that can be judged clears it.

    While the endpoint is gone, requests wait in `admit`, and one at a time is let through to see whether it is back.
    After `patience_s` without success the run is over: `stopped` then says why, as a clause, for good. Requests in
    flight are heard to their end, within their own limits. `say` gets sentences for people.
    """

    def __init__(
        self, cells: Iterable[Cell] = (), patience_s: float = 0.0, say: Callable[[str], None] = _unheard
    ) -> None:
        self.stopped: str | None = None
        self._patience_s = patience_s
        self._say = say
        self._scenarios_needed = min(2, len({cell.scenario.name for cell in cells}))
        self._unanswered: dict[str, str] = {}  # cell → scenario, since the last good reply
        self._lost: dict[str, str] = {}  # likewise, of those that gave up
        self._gone_since: int | None = None
        self._prober: str | None = None  # the cell whose request is under way to see whether the endpoint is back
        self._probes = 0
        self._probe_due = 0
        self._sleepers: set[asyncio.Future[None]] = set()

    async def admit(self, cell: Cell, clock: Clock) -> bool:
        """Wait until a request may be made; False if none is to be made any more."""
        while self.stopped is None and self._gone_since is not None:
            left = (self._probe_due - clock.now()) / NS_PER_S
            if self._prober is None and left <= 0:
                self._prober = cell.id
                break
            await self.pause(clock, UNTIL_WOKEN_S if self._prober else left)
        return self.stopped is None

    def heard(self, asked_at: int, now: int) -> None:
        """A reply came that can be judged. What was begun before the endpoint went does not show that it is back."""
        self._unanswered.clear()
        self._lost.clear()
        if self._gone_since is not None and asked_at >= self._gone_since:
            self._answers_again(now)

    def failed(self, cell: Cell, error: StepError, now: int) -> bool:
        """A request failed. True if that is the endpoint's doing, and the request is to wait in `admit`."""
        if not no_answer(error):
            self._unanswered.clear()
            self._answers_again(now)
            return False
        self._unanswered[cell.id] = cell.scenario.name
        if self._gone_since is None and self._is_gone(error):
            self._gone(error, now)
        elif cell.id == self._prober and self._gone_since is not None:
            self._still_gone(error, now, self._gone_since)
        return self._gone_since is not None

    def spared(self, cell: Cell) -> None:
        """A request was answered from a recording: it tells nothing of the endpoint."""
        if cell.id == self._prober:
            self._prober = None
            self._wake()

    def lost(self, cell: Cell, error: StepError) -> None:
        """A conversation ended because a request failed for good."""
        self._lost[cell.id] = cell.scenario.name
        if self._enough(self._lost, USELESS_AFTER):
            self._stop(f"{len(self._lost)} in a row got no reply that could be judged: {error.detail}")

    async def pause(self, clock: Clock, seconds: float) -> None:
        """Sleep, but no longer than until the state of things changes."""
        sleeper = asyncio.ensure_future(clock.sleep(seconds))
        self._sleepers.add(sleeper)
        try:
            await asyncio.wait({sleeper})
        finally:
            sleeper.cancel()
            self._sleepers.discard(sleeper)

    def _is_gone(self, error: StepError) -> bool:
        return error.kind in UNREACHABLE or self._enough(self._unanswered, GONE_AFTER)

    def _enough(self, cells: dict[str, str], count: int) -> bool:
        return len(cells) >= count and len(set(cells.values())) >= self._scenarios_needed

    def _gone(self, error: StepError, now: int) -> None:
        self._gone_since = now
        self._probes = 0
        if self._patience_s > 0:
            self._say(f"Waiting up to {self._patience_s:g} s for the endpoint (--patience): {error.detail}")
        self._still_gone(error, now, now)

    def _still_gone(self, error: StepError, now: int, since: int) -> None:
        self._prober = None
        waited = (now - since) / NS_PER_S
        if waited >= self._patience_s:
            within = f" and did not come back within {self._patience_s:g} s" if self._patience_s else ""
            self._stop(f"the endpoint is gone{within}: {error.detail}")
            return
        wait = min(FIRST_PROBE_S * 2.0**self._probes, LONGEST_PROBE_S, self._patience_s - waited)
        self._probes += 1
        self._probe_due = now + round(wait * NS_PER_S)
        self._wake()

    def _answers_again(self, now: int) -> None:
        if self._gone_since is None or self.stopped is not None:
            return
        self._say(f"The endpoint answers again after {(now - self._gone_since) / NS_PER_S:.0f} s.")
        self._gone_since = self._prober = None
        self._wake()

    def _stop(self, why: str) -> None:
        self.stopped = self.stopped or why
        self._wake()

    def _wake(self) -> None:
        for sleeper in self._sleepers:
            sleeper.cancel()


def no_answer(error: StepError) -> bool:
    """Whether nobody answered, or only a server that failed; a refusal is an answer."""
    if error.kind == "http_status":
        return (error.status or 0) >= 500
    return error.kind in UNREACHABLE or error.kind in SILENT
