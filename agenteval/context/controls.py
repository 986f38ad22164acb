"""The controls of every comparison: everything, and only what is needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from agenteval.context.items import Items, call_groups, head_length, newest_user
from agenteval.context.rule import PINS, Changed, Rule, Sight


@dataclass(frozen=True, slots=True, kw_only=True)
class FullHistory(Rule):
    """Everything, always: the control of every comparison."""

    name: ClassVar[str] = "full_history"


@dataclass(frozen=True, slots=True, kw_only=True)
class Again(Rule):
    """Changes nothing: `NAME+again` is the policy NAME once more, so that a comparison has a noise floor."""

    name: ClassVar[str] = "again"


@dataclass(frozen=True, slots=True, kw_only=True)
class OracleContext(Rule):
    """Goal, the user's standing rules, the messages that hold what this turn needs (known from the scenario), the last
    call with its result, and the present turn: the upper bound. What is needed changes from turn to turn, so nothing is
    sticky."""

    name: ClassVar[str] = "oracle_context"
    sticky: bool = False

    def act(self, sight: Sight) -> Changed | None:
        items = sight.items
        head, now = head_length(items), newest_user(items)
        if now < head:
            return None
        groups = [(at, at + 1) for at in range(head, now) if items[at].message.role == "user"]
        calls = [group for group in call_groups(items[:now], head) if group[1] - group[0] > 1]
        groups = sorted([*groups, *call_groups(items[:now], head)])
        wanted = {group for text in sight.budget.needed for group in groups[::-1] if _holds(items, group, text)}
        wanted |= set(calls[-1:])
        if len(wanted) == len(groups):
            return None
        middle = tuple(items[at] for start, end in sorted(wanted) for at in range(start, end))
        kept = items[:head] + middle + items[now:]
        places = {item.index for item in kept}
        dropped = [item for item in items if item.index not in places]
        notes = sight.notes.with_dropped(dropped, PINS, sight.goal)
        return Changed(kept, notes, None, f"kept what this turn needs, {len(middle)} earlier messages")


def _holds(items: Items, group: tuple[int, int], text: str) -> bool:
    return any(
        text in item.text or any(text in call.arguments_text for call in item.message.tool_calls)
        for item in items[group[0] : group[1]]
    )
