"""Whether a failed request is asked again, and how long to wait before."""

from __future__ import annotations

from dataclasses import dataclass

from agenteval.outcome import StepError
from agenteval.wire import SLOW

PASSING_STATUS = frozenset({408, 425, 429})
"""Client errors that pass. Of the server's errors all may, but for 501: it will not learn what it does not know."""

TOLD_S = 5.0
"""A pause from which on people are told that the server asked for it."""

LASTING = frozenset({"tls", "too_large", "protocol"})
"""Faults that would be the same the next time."""


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a request is repeated after an infrastructure failure, and how long to wait before: twice as long each
    time, and as long as the server asks to, both within bounds."""

    times: int = 4
    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0
    longest_asked_s: float = 300.0

    def again(self, error: StepError, tries: int) -> bool:
        """Whether to ask again after `tries` failures of the same request."""
        if not may_pass(error):
            return False
        # Time-outs take long enough to be waited for once more, not oftener.
        return tries <= (min(self.times, 1) if error.kind in SLOW else self.times)

    def pause_s(self, tries: int, asked_s: float | None, draw: float) -> float:
        """Seconds to wait after so many failures. `draw`, from 0 to 1, spreads conversations that failed at the same
        moment over half as long again; nobody comes back earlier than was asked for."""
        wait = min(self.first_wait_s * 2.0 ** (tries - 1), self.longest_wait_s)
        return max(wait, min(asked_s or 0.0, self.longest_asked_s)) * (1 + draw / 2)


def may_pass(error: StepError) -> bool:
    """Whether the same request may succeed later."""
    if error.kind == "http_status":
        status = error.status or 0
        return status in PASSING_STATUS or (status >= 500 and status != 501)
    return error.kind not in LASTING


def pause_told(error: StepError, asked_s: float | None, pause_s: float) -> str | None:
    """A sentence for people about a pause that begins; None where it is short, or the server asked for none."""
    if not asked_s or pause_s < TOLD_S:
        return None
    return f"The server asks to wait {asked_s:,.0f} s ({error.detail}): it is asked again in {pause_s:,.0f} s."
