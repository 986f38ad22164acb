"""The controls of every comparison: everything, and only what is needed."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import ClassVar

from agenteval.context.items import Item, Items, head_length, newest_user, place_of
from agenteval.context.rule import PINS, Changed, Rule, Sight
from agenteval.context.words import rules_in, tagged_in
from agenteval.messages import Transcript


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
    sticky = False

    def start(self) -> Items:
        return ()

    def enter(self, item: Item, memory: Items, turn: int, goal: str) -> tuple[Item, Items]:
        """Memory: the messages that hold what stays however old it is, so that no text is read for it twice."""
        marked = rules_in(item.text) if item.message.role == "user" else ()
        return item, (*memory, item) if marked or tagged_in(item.text) else memory

    def act(self, sight: Sight) -> Changed | None:
        items = sight.items
        head, now = head_length(items), newest_user(items)
        if now < head:
            return None
        starts = [at for at in range(head, now) if items[at].message.role != "tool"]
        ends = [*starts[1:], now]
        wanted = {bisect_right(starts, at) - 1 for at in _holders(sight.messages[:now], head, sight.budget.needed)}
        wanted |= {next((n for n in range(len(starts) - 1, -1, -1) if ends[n] - starts[n] > 1), -1)} - {-1}
        if len(wanted) == len(starts):
            return None
        middle = tuple(item for n in sorted(wanted) for item in items[starts[n] : ends[n]])
        kept = items[:head] + middle + items[now:]
        places = {item.index for item in kept}
        dropped = [i for i in sight.memory if i.index not in places and place_of(items, i.index) is not None]
        notes = sight.notes.with_dropped(dropped, PINS, sight.goal)
        return Changed(kept, notes, sight.memory, f"kept what this turn needs, {len(middle)} earlier messages")


def _holders(messages: Transcript, head: int, texts: tuple[str, ...]) -> set[int]:
    """Positions of the messages from the head on that hold one of the texts."""
    if not texts:
        return set()
    said = [message.content or "" for message in messages]
    written = [(at, call.arguments_text) for at, message in enumerate(messages) for call in message.tool_calls]
    found = {at for text in texts for at, content in enumerate(said) if text in content}
    found |= {at for text in texts for at, arguments in written if text in arguments}
    return {at for at in found if at >= head}
