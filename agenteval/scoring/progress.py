"""How far a turn has come: which of its expected calls are still due, and why the others are not."""

from __future__ import annotations

from dataclasses import dataclass, replace

from agenteval.outcome import Finding
from agenteval.script import Expectation, ExpectedCall

Calls = tuple[ExpectedCall, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """`open`: due, in order. `skipped`: due, but a later one was made before it. `missed`: a wrong call was made in
    its place and has been told; making it after all is right, and not making it is not told twice. `tried`: where
    further calls are allowed, what was wrong with those that came near a due one; told if that is never made."""

    open: Calls
    skipped: Calls = ()
    missed: Calls = ()
    tried: tuple[tuple[ExpectedCall, tuple[Finding, ...]], ...] = ()
    calls_made: int = 0

    @classmethod
    def begin(cls, expect: Expectation) -> Progress:
        return cls(open=expect.calls or ())

    @property
    def due(self) -> Calls:
        """Calls that were expected, never made, and of which nothing has been told yet."""
        return self.skipped + self.open

    def near(self, call: ExpectedCall, findings: tuple[Finding, ...]) -> Progress:
        """A call that may be an attempt at an expected one, or may be nobody's business."""
        return replace(self, tried=(*self.tried, (call, findings)))

    def closest(self, call: ExpectedCall) -> tuple[Finding, ...]:
        """What was wrong with the last attempt at a call; empty if there was none."""
        return next((findings for item, findings in reversed(self.tried) if item is call), ())

    def counted(self) -> Progress:
        return replace(self, calls_made=self.calls_made + 1)

    def made(self, call: ExpectedCall, *, in_order: bool) -> Progress:
        """An expected call was made. In exact order, those due before it were skipped."""
        at = place(self.open, call)
        if at is None:
            return replace(self, skipped=without(self.skipped, call), missed=without(self.missed, call))
        passed = self.open[:at] if in_order else ()
        left = self.open[at + 1 :] if in_order else without(self.open, call)
        return replace(self, open=left, skipped=self.skipped + passed)

    def spoilt(self, call: ExpectedCall, *, in_order: bool) -> Progress:
        """A wrong call was made in the place of an expected one."""
        after = self.made(call, in_order=in_order)
        return replace(after, missed=(*after.missed, call))


def place(calls: Calls, call: ExpectedCall) -> int | None:
    """Where this very call stands, by identity: equal calls may be expected twice."""
    return next((at for at, item in enumerate(calls) if item is call), None)


def without(calls: Calls, call: ExpectedCall) -> Calls:
    at = place(calls, call)
    return calls if at is None else calls[:at] + calls[at + 1 :]
