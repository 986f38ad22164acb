"""How far a turn has come: which expected calls are still open, and which were tried and missed."""

from __future__ import annotations

from dataclasses import dataclass

from agenteval.script import Expectation, ExpectedCall


@dataclass(frozen=True, slots=True)
class Progress:
    """`missed`: expected calls in whose place a wrong one was made; making them later is right, not extra.

    `calls_made` counts calls that took an expected place or were called for no reason alike.
    """

    open: tuple[ExpectedCall, ...]
    missed: tuple[ExpectedCall, ...] = ()
    calls_made: int = 0

    @classmethod
    def begin(cls, expect: Expectation) -> Progress:
        return cls(open=expect.calls or ())
