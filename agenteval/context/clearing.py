"""Rules that empty old results or thoughts in place: every call keeps its pair. Results that the model has not seen yet
are never touched."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from agenteval.context.items import Item, Items, newest_group
from agenteval.context.rule import Changed, CountedBy, Rejected, Rule, Sight, Triggered, at_least, check_count
from agenteval.context.trigger import ALWAYS, Trigger
from agenteval.context.words import BACK, CLEARED
from agenteval.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservationMasking(Triggered):
    """Old tool results are masked, calls and words stay: all but those of the last `keep_last` messages with calls,
    whenever `step` more than these have piled up. Those of at most `larger_than` characters stay."""

    name: ClassVar[str] = "observation_masking"
    trigger: Trigger = ALWAYS
    min_reclaim: int = 1
    step: int = 4
    larger_than: int = 0
    placeholder: str = CLEARED
    exclude: str = ""

    def __post_init__(self) -> None:
        Triggered.__post_init__(self)
        at_least(self.name, 1, step=self.step)
        at_least(self.name, 0, larger_than=self.larger_than)

    def start(self) -> int:
        return 0

    def act(self, sight: Sight) -> Changed | None:
        """Memory: index of the oldest message that was not looked at yet."""
        items = sight.items
        since = bisect_left(items, sight.memory, key=lambda item: item.index)
        results = [at for at in range(since, len(items)) if clearable(items[at], self.exclude)]
        if len(groups := grouped(results, items)) < self.keep_last + self.step:
            return None
        old = [at for group in groups[: -self.keep_last] for at in group if at < newest_group(items)]
        cleared = {at: emptied(items[at], self) for at in old if len(items[at].text) > self.larger_than}
        changed = {at: item for at, item in cleared.items() if item is not items[at]}
        after = items[old[-1]].index + 1 if old else sight.memory
        return Changed(placed(items, changed), sight.notes, after, f"masked {len(changed)} results" if changed else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearToolUses(Triggered):
    """Above the trigger the oldest tool results are cleared until the target is reached; the last `keep_last` stay.
    Not done for less than `min_reclaim` tokens."""

    name: ClassVar[str] = "clear_tool_uses"
    min_reclaim: int = 600
    placeholder: str = CLEARED
    exclude: str = ""
    clear_inputs: bool = False

    def start(self) -> int:
        return 0

    def act(self, sight: Sight) -> Changed | Rejected | None:
        """Memory: index of the oldest message whose result may still be cleared."""
        items = sight.items
        since = bisect_left(items, sight.memory, key=lambda item: item.index)
        results = [at for at in range(since, len(items)) if clearable(items[at], self.exclude)]
        groups = grouped(results, items)[: -self.keep_last]
        old = [at for group in groups for at in group if at < newest_group(items)]
        cleared = {at: emptied(items[at], self) for at in old}
        changed = [at for at in old if cleared[at] is not items[at]]
        if not changed:
            return Changed(items, sight.notes, items[old[-1]].index + 1 if old else sight.memory, "")
        most = sum(len(items[at].text.encode(errors="replace")) for at in changed)
        if most < self.min_reclaim:  # a token has at least one byte: nothing needs to be counted
            return Rejected(f"would free less than min_reclaim={self.min_reclaim}", sight.memory)
        enough = bisect_left(
            range(1, len(changed)),
            True,
            key=lambda n: sight.tokens(placed(items, {at: cleared[at] for at in changed[:n]})) <= self.target,
        )
        wanted = changed[: enough + 1]
        new = placed(items, {at: cleared[at] for at in wanted})
        if self.clear_inputs:
            new = without_inputs(new, {items[at].call.id for at in wanted if items[at].call}, self.name)  # type: ignore[union-attr]
        return Changed(new, sight.notes, items[wanted[-1]].index + 1, f"cleared {len(wanted)} results")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearThinking(Rule):
    """Reasoning of earlier turns goes: `tool_loop` keeps what was thought since the newest user message, as the models'
    own templates do, `last_n` that of the last `keep_last` turns. `none` drops all of it, also inside a tool loop."""

    name: ClassVar[str] = "clear_thinking"
    keep: str = "tool_loop"
    keep_last: int = 1
    count: CountedBy = "server"

    def __post_init__(self) -> None:
        if self.keep not in ("none", "tool_loop", "last_n", "all"):
            raise UsageError(f"{self.name}: keep is none, tool_loop, last_n or all, not {self.keep[:40]!r}")
        at_least(self.name, 1, keep_last=self.keep_last)
        check_count(self.name, self.count)

    def start(self) -> int:
        return 0

    def act(self, sight: Sight) -> Changed | None:
        """Memory: index of the oldest message that may still hold a thought."""
        items = sight.items
        end = self._end(items)
        since = bisect_left(items, sight.memory, key=lambda item: item.index)
        changed = {
            at: items[at].altered(replace(items[at].message, reasoning=None), self.name)
            for at in range(since, end)
            if items[at].message.reasoning
        }
        after = items[end - 1].index + 1 if end else 0
        return Changed(placed(items, changed), sight.notes, after, f"cleared {len(changed)} thoughts")

    def _end(self, items: Items) -> int:
        """Position up to which thoughts go."""
        if self.keep in ("none", "all"):
            return len(items) if self.keep == "none" else 0
        turns = self.keep_last if self.keep == "last_n" else 1
        for at in range(len(items) - 1, -1, -1):
            turns -= items[at].message.role == "user"
            if not turns:
                return at
        return 0


def clearable(item: Item, exclude: str) -> bool:
    """A whole result of a tool that is not excluded."""
    if item.message.role != "tool" or item.done in CLEARING:
        return False
    return item.call is None or item.call.name not in exclude.split("/")


def grouped(results: Sequence[int], items: Items) -> list[list[int]]:
    """Positions of results by the message whose calls they answer."""
    groups: list[list[int]] = []
    for at in results:
        same = groups and all(items[between].message.role == "tool" for between in range(groups[-1][-1] + 1, at))
        if same:
            groups[-1].append(at)
        else:
            groups.append([at])
    return groups


CLEARING = frozenset({"observation_masking", "clear_tool_uses", "dedupe_tool_results", "prune_errors"})


def emptied(item: Item, rule: Any) -> Item:
    """A result with the rule's placeholder in its place; itself if that is no shorter."""
    text = str(rule.placeholder).replace("{back}", BACK[item.read_only])
    text = text.replace("{tool}", item.call.name if item.call else "the tool")
    if len(text) >= len(item.text):
        return item
    return item.altered(replace(item.message, content=text), rule.name)


def without_inputs(items: Items, ids: Iterable[str], rule: str) -> Items:
    """The arguments of these calls as an empty object."""
    wanted = set(ids)
    changed = {}
    for at, item in enumerate(items):
        calls = item.message.tool_calls
        if any(call.id in wanted and call.arguments_text != "{}" for call in calls):
            new = tuple(replace(call, arguments_text="{}") if call.id in wanted else call for call in calls)
            changed[at] = item.altered(replace(item.message, tool_calls=new), rule)
    return placed(items, changed)


def placed(items: Items, changed: dict[int, Item]) -> Items:
    """The items with others at some positions."""
    if not changed:
        return items
    new = list(items)
    for at, item in changed.items():
        new[at] = item
    return tuple(new)
