"""What was measured on each server beside what is known, as a table for a person: printed at the end of the tests, and
kept in `.servers/table.txt`. Each row is written before it is asserted, so that a wrong one stands there, too. Rows of
earlier runs stay until they are measured again. `table.jsonl` beside it grows with each row, so that a run which is
killed has not been in vain.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.servers.home import HOME

KEPT: Path = HOME / "table.txt"
ROWS: Path = HOME / "table.jsonl"
TRANSCRIPT: Path = HOME / "first-day.txt"
WIDEST = 110


@dataclass(frozen=True, slots=True)
class Row:
    deployment: str
    what: str
    seen: str
    known: str
    right: bool
    at: str

    def cells(self) -> tuple[str, ...]:
        return (self.what, shortened(self.seen), shortened(self.known), "ok" if self.right else "WRONG")


def shortened(text: str) -> str:
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


class Table:
    """What this run has measured, and what a user read in it, word for word."""

    def __init__(self) -> None:
        self.grown = False

    def add(self, deployment: str, what: str, seen: object, known: object, *, right: bool | None = None) -> bool:
        """Write a row down. `right`: whether what was seen agrees with what is known; left out: whether they are
        equal. Returns that."""
        agrees = seen == known if right is None else right
        row = Row(deployment, what, str(seen), str(known), agrees, f"{datetime.now(UTC):%Y-%m-%d %H:%M}")
        with ROWS.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(row)) + "\n")
        self.grown = True
        return agrees

    def tell(self, deployment: str, command: str, code: int, said: str) -> None:
        """Write down what a user typed and read."""
        with TRANSCRIPT.open("a", encoding="utf-8") as file:
            file.write(f"[{deployment}] $ {command}\n{said.rstrip()}\n(exit {code})\n\n")

    def keep(self) -> list[str]:
        """The lines of the whole table, this run's rows and those of earlier ones; kept beside the servers."""
        rows = [Row(**json.loads(line)) for line in ROWS.read_text(encoding="utf-8").splitlines()]
        newest = {(row.deployment, row.what): row for row in rows}
        found = [*lines([*newest.values()])]
        KEPT.write_text("\n".join([*found, ""]), encoding="utf-8")
        return found


def lines(rows: Sequence[Row]) -> Iterator[str]:
    """The table, a block for each deployment."""
    yield f"Real servers against known truth: {sum(row.right for row in rows)} of {len(rows)} rows ok"
    for deployment in dict.fromkeys(row.deployment for row in rows):
        block = [row for row in rows if row.deployment == deployment]
        times = sorted(row.at for row in block)
        yield ""
        yield f"{deployment}, measured {times[0]} to {times[-1]} UTC"
        cells = [("what", "seen", "known or must be", ""), *(row.cells() for row in block)]
        widths = [max(len(row[at]) for row in cells) for at in range(3)]
        for row in cells:
            words = (cell.ljust(width) for cell, width in zip(row, (*widths, 0), strict=True))
            yield f"  {'  '.join(words).rstrip()}"


TABLE = Table()
