"""What was measured on each server beside what is known, as a table for a person: printed at the end of the tests, and
kept in `.servers/table.txt`. Each row is written before it is asserted, so that a wrong one stands there, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.servers.home import HOME

KEPT: Path = HOME / "table.txt"
TRANSCRIPT: Path = HOME / "first-day.txt"


@dataclass(frozen=True, slots=True)
class Row:
    deployment: str
    what: str
    seen: str
    known: str
    right: bool

    def cells(self) -> tuple[str, ...]:
        return (self.what, self.seen, self.known, "ok" if self.right else "WRONG")


@dataclass(slots=True)
class Table:
    """All rows of one test run, in the order of their coming; and what a user read, word for word."""

    rows: list[Row] = field(default_factory=list)
    read: list[str] = field(default_factory=list)

    def add(self, deployment: str, what: str, seen: object, known: object, *, right: bool | None = None) -> bool:
        """Write a row down. `right`: whether what was seen agrees with what is known; left out: whether they are
        equal. Returns that."""
        agrees = seen == known if right is None else right
        self.rows.append(Row(deployment, what, str(seen), str(known), agrees))
        return agrees

    def tell(self, deployment: str, command: str, code: int, said: str) -> None:
        """Write down what a user typed and read."""
        lines = [f"[{deployment}] $ {command}", *said.rstrip().splitlines(), f"(exit {code})", ""]
        self.read.extend(lines)

    def lines(self) -> Iterator[str]:
        now = datetime.now(UTC)
        right = sum(row.right for row in self.rows)
        yield f"Real servers against known truth, {now:%Y-%m-%d %H:%M} UTC: {right} of {len(self.rows)} rows ok"
        for deployment in dict.fromkeys(row.deployment for row in self.rows):
            yield ""
            yield deployment
            own = [row.cells() for row in self.rows if row.deployment == deployment]
            rows = [("what", "seen", "known or must be", ""), *own]
            widths = [max(len(row[at]) for row in rows) for at in range(3)]
            for row in rows:
                words = (cell.ljust(width) for cell, width in zip(row, (*widths, 0), strict=True))
                yield f"  {'  '.join(words).rstrip()}"

    def keep(self) -> None:
        """Into `.servers/`."""
        if self.rows:
            KEPT.write_text("\n".join([*self.lines(), ""]), encoding="utf-8")
        if self.read:
            TRANSCRIPT.write_text("\n".join(self.read), encoding="utf-8")


TABLE = Table()
