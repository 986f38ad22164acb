"""Rules that remove what a later message has made worthless: older copies of a result, failures that were solved."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import ClassVar

from agenteval.canonical import canonical_json
from agenteval.context.clearing import CLEARING, emptied, placed
from agenteval.context.items import Item, Items, call_groups, newest_group, newest_user, place_of
from agenteval.context.rule import Changed, CountedBy, Rule, Sight, check_count
from agenteval.context.words import SUPERSEDED, arguments_of, plain
from agenteval.messages import ToolCall


@dataclass(frozen=True, slots=True, kw_only=True)
class DedupeToolResults(Rule):
    """Of several results of the same call (same tool, same arguments or same `key`) only the newest stays whole; an
    error supersedes nothing."""

    name: ClassVar[str] = "dedupe_tool_results"
    key: str = ""
    placeholder: str = SUPERSEDED
    exclude: str = ""
    count: CountedBy = "server"

    def __post_init__(self) -> None:
        check_count(self.name, self.count)

    def start(self) -> tuple[int, Mapping[str, int]]:
        return 0, {}

    def act(self, sight: Sight) -> Changed | None:
        """Memory: index of the first new message, and by key the index of its newest result."""
        seen, known = sight.memory
        items = sight.items
        newest = dict(known)
        places: dict[int, int] = {}
        changed: dict[int, Item] = {}
        for at in range(len(items) - 1, -1, -1):
            if items[at].index < seen:
                break
            places[items[at].index] = at
        for index in sorted(places):
            item = items[places[index]]
            key = self._key(item)
            if key is None or item.failed:
                continue
            if key in newest and (old := place_of(items, newest[key])) is not None and old < newest_group(items):
                shorter = emptied(items[old], self) if items[old].done not in CLEARING else items[old]
                changed |= {old: shorter} if shorter is not items[old] else {}
            newest[key] = index
        memory = (items[-1].index + 1 if items else 0, newest)
        return Changed(placed(items, changed), sight.notes, memory, f"superseded {len(changed)} results")

    def _key(self, item: Item) -> str | None:
        if item.message.role != "tool" or item.call is None or item.call.name in self.exclude.split("/"):
            return None
        return call_key(item.call, self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneErrors(Rule):
    """A failed call that a later one of the same tool has made good goes, with its error; one line of it stays on the
    result that solved it. An error is what the scenario gives as one or what reads like one: it begins with `Error` or
    a traceback, or is JSON with `error` or `isError`."""

    name: ClassVar[str] = "prune_errors"
    sticky: bool = True
    count: CountedBy = "server"

    def __post_init__(self) -> None:
        check_count(self.name, self.count)

    def start(self) -> tuple[int, tuple[int, ...]]:
        return 0, ()

    def act(self, sight: Sight) -> Changed | None:
        """Memory: index of the first new message, and the indices of this turn's calls that failed and still do."""
        seen, failed = sight.memory
        items = sight.items
        new, asked = bisect_left(items, seen, key=lambda item: item.index), newest_user(items)
        memory_at = items[-1].index + 1 if items else 0
        gone: set[int] = set()
        lines: dict[int, list[str]] = {}
        if not seen and asked == len(items) - 1:  # a history that the conversation begins with: turn by turn
            users = [at for at, item in enumerate(items) if item.message.role == "user"]
            for start, end in pairwise(users):
                _failures(items[:end], start + 1, (), gone, lines)
        if new <= asked:
            new, failed = asked + 1, ()
        failed = _failures(items, new, failed, gone, lines)
        if not gone:
            return Changed(items, sight.notes, (memory_at, failed), "")
        changed = {at: _solved(items[at], found) for at, found in lines.items()}
        kept = tuple(item for at, item in enumerate(placed(items, changed)) if at not in gone)
        return Changed(kept, sight.notes, (memory_at, failed), f"removed {len(gone)} messages of solved failures")


def _failures(
    items: Items, new: int, failed: tuple[int, ...], gone: set[int], lines: dict[int, list[str]]
) -> tuple[int, ...]:
    """The indices of a turn's calls that failed and still do. Positions of those that were made good from position
    `new` on are added to `gone`, what they said to `lines`, by the position of what solved them."""
    solved: dict[str, list[int]] = {}
    for start, end in call_groups(items, new):
        results = items[start + 1 : end]
        if results and all(item.failed for item in results):
            failed = (*failed, items[start].index)
        good = {item.call.name: start + 1 + at for at, item in enumerate(results) if item.call and not item.failed}
        for name, place in good.items():
            solved.setdefault(name, []).append(place)
    left = []
    for index in failed:
        start = bisect_left(items, index, key=lambda item: item.index)
        group = [at for at in range(start + 1, len(items)) if items[at].call in items[start].message.tool_calls]
        names = {call.name for call in items[start].message.tool_calls}
        by = {name: at for name in names for at in reversed(solved.get(name, ())) if at > start}
        if by.keys() != names:
            left.append(index)
            continue
        gone |= {start, *group}
        for at in group:
            name = items[at].call.name  # type: ignore[union-attr]
            lines.setdefault(by[name], []).append(plain(items[at].text.split("\n", 1)[0], 160))
    return tuple(left)


def _solved(item: Item, errors: list[str]) -> Item:
    told = "; ".join(dict.fromkeys(errors))
    text = (
        f"{item.text}\n[note by the harness: {len(errors)} failed attempts before this were removed; made again they "
        f"would fail again with: {told}]"
    )
    return replace(item, message=replace(item.message, content=text))


def call_key(call: ToolCall, keys: str) -> str:
    """What makes two calls the same: the tool, and all arguments or those named."""
    arguments = arguments_of(call.arguments_text)
    named = [name for name in keys.split("/") if name in arguments]
    told = {name: arguments[name] for name in named} if named else arguments or call.arguments_text
    return canonical_json([call.name, told])
