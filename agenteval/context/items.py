"""A view under way: the messages that are kept, each with its place in the transcript and what was done to it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import TypeAlias

from agenteval.context.words import PINNED, RULES, is_error, note, rules_in, tagged_in
from agenteval.messages import Message, ToolCall, ToolSpec, Transcript

Group: TypeAlias = tuple[int, int]
"""Half-open range of positions that stand or fall together: an assistant message and the results of its calls."""


@dataclass(frozen=True, slots=True)
class Item:
    """`index`: place in the transcript; `call`: of a tool's result the call that it answers; `done`: by which rule the
    message was altered; `tool`: of a result the tool, None if nothing is known of it; `otherwise`: what of the altering
    was done in another way than asked for, and why."""

    index: int
    message: Message
    call: ToolCall | None = None
    done: str = ""
    tool: ToolSpec | None = None
    otherwise: str = ""

    def altered(self, message: Message, rule: str, otherwise: str = "") -> Item:
        return replace(self, message=message, done=rule, otherwise=otherwise or self.otherwise)

    @property
    def text(self) -> str:
        return self.message.content or ""

    @property
    def read_only(self) -> bool | None:
        return self.tool.read_only if self.tool else None

    @property
    def failed(self) -> bool:
        """Whether a result is an error: whoever carried the call out knows it, or the text reads like one."""
        return self.message.failed or (self.message.role == "tool" and is_error(self.text))


Items: TypeAlias = tuple[Item, ...]


def entered(transcript: Transcript, start: int, tools: Sequence[ToolSpec] = ()) -> Items:
    """The transcript from a place on. Calls before the place are found, too."""
    known = {tool.name: tool for tool in tools}
    calls: dict[str, ToolCall] = {}
    for at in range(start - 1, -1, -1):
        if transcript[at].role != "tool":
            calls |= {call.id: call for call in transcript[at].tool_calls}
            break
    items = []
    for at in range(start, len(transcript)):
        message = transcript[at]
        calls |= {call.id: call for call in message.tool_calls}
        call = calls.get(message.tool_call_id or "")
        items.append(Item(at, message, call, tool=known.get(call.name) if call else None))
    return tuple(items)


def messages_of(items: Iterable[Item]) -> Transcript:
    return tuple(map(attrgetter("message"), items))


def head_length(items: Sequence[Item]) -> int:
    """How many items are pinned at the start: the system prompt and the first user message, the goal."""
    return next((at + 1 for at, item in enumerate(items) if item.message.role == "user"), len(items))


def newest_user(items: Sequence[Item]) -> int:
    """Position of the newest user message, -1 without one."""
    return next((at for at in range(len(items) - 1, -1, -1) if items[at].message.role == "user"), -1)


def newest_group(items: Sequence[Item]) -> int:
    """Position from which on everything is new to the model: results that it has not seen, or the user's message."""
    at = len(items)
    while at and items[at - 1].message.role == "tool":
        at -= 1
    return at


def place_of(items: Items, index: int) -> int | None:
    """Position of the item with this index; None if it is gone."""
    at = bisect_left(items, index, key=attrgetter("index"))
    return at if at < len(items) and items[at].index == index else None


def call_groups(items: Sequence[Item], start: int = 0) -> list[Group]:
    """Each assistant message from a position on, with the results that follow it."""
    groups: list[Group] = []
    for at in range(start, len(items)):
        role = items[at].message.role
        if role == "assistant":
            groups.append((at, at + 1))
        elif role == "tool" and groups:
            groups[-1] = (groups[-1][0], at + 1)
    return groups


def without(items: Items, first: int, boundary: int) -> Items:
    """The items without those between two positions; the newest user message is never lost."""
    if boundary <= first:
        return items
    newest = newest_user(items)
    kept = (items[newest],) if first <= newest < boundary else ()
    return items[:first] + kept + items[boundary:]


@dataclass(frozen=True, slots=True)
class Notes:
    """What the goal carries beside itself: the user's standing rules and pinned texts from dropped messages, and what
    rules of the policy wrote (rule → text)."""

    rules: tuple[str, ...] = ()
    pinned: tuple[str, ...] = ()
    written: tuple[tuple[str, str], ...] = ()

    def with_written(self, rule: str, text: str) -> Notes:
        others = tuple(pair for pair in self.written if pair[0] != rule)
        return replace(self, written=(*others, (rule, text)) if text else others)

    def with_dropped(self, dropped: Iterable[Item], pin: Sequence[str], goal: str) -> Notes:
        """With what of dropped messages is pinned."""
        rules, pinned = dict.fromkeys(self.rules), dict.fromkeys(self.pinned)
        for item in dropped:
            if item.message.role == "user" and "constraints" in pin:
                rules |= dict.fromkeys(rule for rule in rules_in(item.text) if rule not in goal)
            if item.message.role != "tool" and "tags" in pin:
                pinned |= dict.fromkeys(tagged_in(item.text))
        return replace(self, rules=tuple(rules), pinned=tuple(pinned))

    @property
    def parts(self) -> tuple[str, ...]:
        rules = (RULES, *(f"- {rule}" for rule in self.rules)) if self.rules else ()
        pinned = (PINNED, *(f"- {text}" for text in self.pinned)) if self.pinned else ()
        return (*rules, *pinned, *(text for _, text in self.written))


def annotated(items: Items, transcript: Transcript, notes: Notes) -> Items:
    """The items with these notes on the goal."""
    at = head_length(items) - 1
    if at < 0 or items[at].message.role != "user":
        return items
    goal = transcript[items[at].index]
    text = (goal.content or "") + note(notes.parts)
    if text == items[at].text:
        return items
    message = goal if text == goal.content else replace(goal, content=text)
    return (*items[:at], replace(items[at], message=message), *items[at + 1 :])
