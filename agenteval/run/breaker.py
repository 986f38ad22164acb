"""When to stop asking. Where several requests fail, a small question tells whether it is the endpoint or the requests:
an endpoint that does not answer even that is waited for by all conversations together, and then ends the run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext

from agenteval.clock import NS_PER_S, Clock
from agenteval.outcome import StepError
from agenteval.run.plan import Cell
from agenteval.run.retries import may_pass
from agenteval.wire import SLOW

UNREACHABLE = frozenset({"dns", "refused", "tls", "connect", "timeout_connect"})
"""Faults before any request: whatever is asked, nobody hears it."""

SUSPECT_AFTER = 3
"""Conversations in a row without an answer that raise the question. Where nobody is reached, after a time-out, and
before a request is given up, it is raised at once."""

USELESS_AFTER, HOPELESS_AFTER = 5, 25
"""Conversations in a row that ended without a reply that could be judged, whatever came instead (refusals, pages of
HTML, errors inside a stream): so many raise the question; so many end the run even if a small question is answered."""

FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 30.0

DEADLY_AFTER = 4
"""A request that found the endpoint gone so often in a row, and back each time, is what kills it. From the third time
on such requests are asked one at a time, so that those that were only in flight beside it are cleared."""

STOPPED = StepError("stopped", "the run was stopped before this was asked")

Ping = Callable[[], Awaitable[StepError | None]]
"""Asks the endpoint a small question; why it was not answered, None if it was."""


class Breaker:
    """Hears how the requests of all conversations of a run went; any reply that can be judged clears it.

    `stopped`: why no further request is to be made, as a clause, for good; None while there is hope. Requests in flight
    are heard to their end, within their own limits. Without a `ping` nothing is ever stopped. An endpoint that is gone
    is waited for `patience_s`; `say` gets sentences for people.
    """

    def __init__(
        self, ping: Ping | None = None, patience_s: float = 0.0, say: Callable[[str], None] | None = None
    ) -> None:
        self.stopped: str | None = None
        self._ping = ping
        self._patience_s = patience_s
        self._say = say or (lambda _: None)
        self._unanswered: set[str] = set()  # cells, since the last good reply
        self._lost: set[str] = set()  # likewise, of those that gave up
        self._heard = 0  # good replies
        self._inquiry: asyncio.Future[bool] | None = None  # under way; its result: whether the endpoint was gone
        self._told_until = 0  # on the clock: the end of a pause that was told
        self._sleepers: set[asyncio.Future[None]] = set()
        self._suspected = asyncio.Lock()  # held by the one request that is asked although it may kill the endpoint

    @asynccontextmanager
    async def turn(self, gone: int) -> AsyncIterator[bool]:
        """Wait until a request may be made, and make it inside the block; False if none is to be made any more.
        `gone`: how often this request found the endpoint gone."""
        async with self._suspected if gone > 1 else nullcontext():
            while self._inquiry is not None:
                await asyncio.wait({self._inquiry})
            yield self.stopped is None

    def heard(self) -> None:
        """A reply came that can be judged."""
        self._unanswered.clear()
        self._lost.clear()
        self._heard += 1

    async def failed(self, cell: Cell, error: StepError, clock: Clock, *, last: bool) -> bool:
        """A request failed; `last`: it is not to be repeated. True if the endpoint was gone, so that this says nothing
        of the request; returns when it is back, or the run is stopped."""
        if not no_answer(error):
            return False
        self._unanswered.add(cell.id)
        at_once = last or error.kind in UNREACHABLE or error.kind in SLOW
        if at_once or len(self._unanswered) >= SUSPECT_AFTER:
            return await self._inquire(clock)
        return False

    async def lost(self, cell: Cell, error: StepError, clock: Clock) -> None:
        """A conversation ended because a request failed for good."""
        self._lost.add(cell.id)
        if len(self._lost) == USELESS_AFTER:
            await self._inquire(clock)
        elif len(self._lost) >= HOPELESS_AFTER and self._ping is not None:
            self._stop(f"{len(self._lost)} in a row got no reply that could be judged: {error.detail}")

    async def pause(self, clock: Clock, seconds: float, told: str | None = None) -> None:
        """Sleep, but no longer than until the run is stopped. `told` is said, but for pauses that begin while another
        lasts of which it was said."""
        if self.stopped is not None:
            return
        if told is not None and clock.now() >= self._told_until:
            self._told_until = clock.now() + int(seconds * NS_PER_S)
            self._say(told)
        sleeper = asyncio.ensure_future(clock.sleep(seconds))
        self._sleepers.add(sleeper)
        try:
            await asyncio.wait({sleeper})
        finally:
            sleeper.cancel()
            self._sleepers.discard(sleeper)

    async def _inquire(self, clock: Clock) -> bool:
        """Is the endpoint gone? All who want to know it at the same time wait for one answer."""
        if self._ping is None or self.stopped is not None:
            return False
        if (under_way := self._inquiry) is not None:
            await asyncio.wait({under_way})
            return under_way.result()
        inquiry = self._inquiry = asyncio.get_running_loop().create_future()
        gone = False
        try:
            gone = await self._wait_for_it(self._ping, clock)
        finally:
            self._inquiry = None
            inquiry.set_result(gone)
        return gone

    async def _wait_for_it(self, ping: Ping, clock: Clock) -> bool:
        """Ask until there is an answer or patience is at its end; whether the first question got none."""
        began, before, wait, waiting = clock.now(), self._heard, FIRST_WAIT_S, False
        while trouble := await ping():
            waited = (clock.now() - began) / NS_PER_S
            if trouble.kind in SLOW and self._heard > before:
                break  # it is only busy: replies to others came meanwhile
            if not (no_answer(trouble) or may_pass(trouble)):
                self._stop(f"the endpoint refuses even a small question: {trouble.detail}")
                break
            if waited >= self._patience_s:
                how_long = f" for {self._patience_s:g} s" if self._patience_s else ""
                self._stop(f"the endpoint has not answered even a small question{how_long}: {trouble.detail}")
                break
            if not waiting:
                self._say(f"Waiting up to {self._patience_s:g} s for the endpoint (--patience): {trouble.detail}")
            waiting = True
            await clock.sleep(min(wait, self._patience_s - waited))
            wait = min(2 * wait, LONGEST_WAIT_S)
        self._unanswered.clear()
        if waiting and self.stopped is None:
            self._say(f"The endpoint answers again after {(clock.now() - began) / NS_PER_S:.0f} s.")
        return waiting

    def _stop(self, why: str) -> None:
        self.stopped = self.stopped or why
        for sleeper in self._sleepers:
            sleeper.cancel()


def no_answer(error: StepError) -> bool:
    """Whether nobody answered, or only a server that failed; a refusal is an answer."""
    if error.kind == "http_status":
        return (error.status or 0) >= 500
    return error.kind in UNREACHABLE or error.kind in SLOW or error.kind in ("cut", "reset")
