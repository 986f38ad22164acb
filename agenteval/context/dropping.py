"""Rules that drop old groups: the rest stays whole. A call never loses its result, the goal and the newest user message
always stay, and what of dropped messages is pinned stands in a note on the goal."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import ClassVar

from agenteval.context.items import (
    Items,
    Notes,
    annotated,
    call_groups,
    head_length,
    newest_user,
    without,
)
from agenteval.context.ledger import Ledger
from agenteval.context.rule import Changed, Dropping, Sight, at_least
from agenteval.context.words import REMOVED


@dataclass(frozen=True, slots=True, kw_only=True)
class SlidingWindow(Dropping):
    """Above the trigger the oldest turns go until the target is reached; of the newest turn its oldest calls, if need
    be. Acts rarely, so that the server's prefix cache breaks rarely."""

    name: ClassVar[str] = "sliding_window"
    keep_last: int = 1

    def act(self, sight: Sight) -> Changed | None:
        items, head = sight.items, head_length(sight.items)
        starts = boundaries(items, head, self.keep_last)
        if not starts:
            return None
        low = bisect_left(starts, True, key=lambda at: sight.tokens(self._cut(sight, head, at)[0]) <= self.target)
        boundary = starts[min(low, len(starts) - 1)]
        kept, notes = self._cut(sight, head, boundary)
        if len(kept) == len(items):
            return None
        return Changed(kept, notes, None, f"dropped {len(items) - len(kept)} messages")

    def _cut(self, sight: Sight, head: int, boundary: int) -> tuple[Items, Notes]:
        return dropped(sight, (head, boundary), self)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadTail(Dropping):
    """Above the trigger the first and the last groups stay, with the newest call, and what lies between goes; a note
    says so."""

    name: ClassVar[str] = "head_tail"
    keep_first: int = 1
    placeholder: str = REMOVED

    def __post_init__(self) -> None:
        Dropping.__post_init__(self)
        at_least(self.name, 0, keep_first=self.keep_first)

    def act(self, sight: Sight) -> Changed | None:
        items, head = sight.items, head_length(sight.items)
        groups = call_groups(items, head)
        if len(groups) <= self.keep_first + self.keep_last:
            return None
        first = groups[self.keep_first - 1][1] if self.keep_first else head
        boundary = groups[-self.keep_last][0]
        if (call := last_call(items)) >= first:
            boundary = min(boundary, call)
        kept, notes = dropped(sight, (first, boundary), self)
        if len(kept) == len(items):
            return None
        return Changed(kept, notes, None, f"dropped {len(items) - len(kept)} messages from the middle")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractiveLedger(Dropping):
    """Above the trigger old turns give way to a ledger that the harness keeps by itself: tool, arguments and key fields
    of every call, what the user asked; no model writes it. Deterministic, costs no tokens to make."""

    name: ClassVar[str] = "extractive_ledger"
    keep_last: int = 2
    limit: int = 400

    def __post_init__(self) -> None:
        Dropping.__post_init__(self)
        at_least(self.name, 1, limit=self.limit)

    def start(self) -> Ledger:
        return Ledger()

    def act(self, sight: Sight) -> Changed | None:
        items, head = sight.items, head_length(sight.items)
        boundary = tail_start(items, self.keep_last)
        if boundary <= head:
            return None
        kept, notes = dropped(sight, (head, boundary), self)
        if len(kept) == len(items):
            return None
        gone = {item.index for item in kept}
        ledger = sight.memory.grown((item for item in items if item.index not in gone), self.limit)
        written = notes.with_written(self.name, ledger.text())
        return Changed(kept, written, ledger, f"{len(items) - len(kept)} messages became lines of the ledger")


def dropped(sight: Sight, span: tuple[int, int], rule: Dropping) -> tuple[Items, Notes]:
    """The items without a span, and the notes with what of it is pinned and the rule's placeholder."""
    kept = without(sight.items, *span)
    if len(kept) == len(sight.items):
        return sight.items, sight.notes
    places = {item.index for item in kept}
    gone = [item for item in sight.items[span[0] : span[1]] if item.index not in places]
    notes = sight.notes.with_dropped(gone, rule.pin, sight.goal)
    if rule.placeholder:
        notes = notes.with_written(f"{rule.name}.placeholder", rule.placeholder)
    return annotated(kept, sight.transcript, notes), notes


def boundaries(items: Items, head: int, keep_last: int) -> list[int]:
    """Positions at which the kept part may begin, oldest first. Whole earlier turns go first; within the newest turn
    its user message stays, and only its older call groups may go. The newest calls always stay."""
    now = newest_user(items)
    groups = call_groups(items, max(now + 1, head))
    last = now if groups else last_call(items)
    turns = [at for at in range(head + 1, min(last + 1, len(items))) if items[at].message.role == "user"]
    late = [start for start, _ in groups[: len(groups) - keep_last + 1] if start > max(now + 1, head)]
    return turns + late


def last_call(items: Items) -> int:
    """Position of the newest message with calls; the end if there is none."""
    return next((at for at in range(len(items) - 1, -1, -1) if items[at].message.tool_calls), len(items))


def tail_start(items: Items, keep_last: int) -> int:
    """Position of the oldest of the last groups with calls; 0 if there are no more of them than that."""
    groups = [group for group in call_groups(items, head_length(items)) if group[1] - group[0] > 1]
    return groups[-keep_last][0] if len(groups) > keep_last else 0
