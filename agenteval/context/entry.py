"""Rules that act on a message as it enters the view, and never again: the prompt only grows, no prefix cache breaks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from agenteval.canonical import JsonProblem, parse_json
from agenteval.context.items import Item
from agenteval.context.ledger import Ledger
from agenteval.context.rule import Rule, at_least
from agenteval.context.words import (
    NARROWER,
    arguments_of,
    end_of,
    longer_than,
    note,
    plain,
    rules_in,
    start_of,
    text_tokens,
)
from agenteval.errors import UsageError
from agenteval.messages import ToolCall, ToolSpec, Transcript

CUT = "\n[… {gone} of {all} characters removed here by the harness{how} …]\n"
STORED = "[the harness keeps the whole result, {all} characters; get it with {recall} and handle {handle}]"
LEVELS = ((12, 200), (6, 100), (3, 60), (1, 40), (1, 16))
"""Items of a list and characters of a text that stay, level by level, until it fits."""
READ_TO = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolOutputLimit(Rule):
    """A tool's result longer than `limit` tokens is shortened before it enters: start and end stay (`head_tail`), one
    of them, or of JSON its fields with long values cut (`json_fields`, still JSON; other texts as head_tail, which is
    told)."""

    name: ClassVar[str] = "tool_output_limit"
    limit: int = 300
    shape: str = "head_tail"
    head: int = 70
    exclude: str = ""

    def __post_init__(self) -> None:
        at_least(self.name, 1, limit=self.limit)
        if not 0 <= self.head <= 100:
            raise UsageError(f"{self.name}: head ({self.head}) must be from 0 to 100 percent")
        if self.shape not in ("head", "tail", "head_tail", "json_fields"):
            raise UsageError(f"{self.name}: shape is head, tail, head_tail or json_fields, not {self.shape[:40]!r}")

    def enter(self, item: Item, memory: Any, turn: int, goal: str) -> tuple[Item, Any]:
        if item.message.role != "tool" or (item.call and item.call.name in self.exclude.split("/")):
            return item, memory
        if not longer_than(item.text, self.limit):
            return item, memory
        short, otherwise = self._shortened(item, NARROWER if item.tool and item.tool.narrows else "")
        if len(short) >= len(item.text):
            return item, memory
        return item.altered(replace(item.message, content=short), self.name, otherwise), memory

    def _shortened(self, item: Item, how: str) -> tuple[str, str]:
        """The short text, and what was done otherwise than asked. `how`: in words, what brings the rest; empty where
        nothing is known to, since the same call is cut again."""
        if self.shape != "json_fields":
            return self._cut(item.text, how), ""
        fields = json_fields(item.text, self.limit, how)
        if isinstance(fields, str):
            return fields, ""
        whose = f"a result of {item.call.name}" if item.call else "a result"
        told = f"{self.name}: {whose} {fields.why}, so that it was cut as head_tail and not as json_fields"
        return self._cut(item.text, how), told

    def _cut(self, text: str, how: str) -> str:
        percent = {"head": 100, "tail": 0}.get(self.shape, self.head)
        start, end = start_of(text, self.limit * percent // 100), end_of(text, self.limit * (100 - percent) // 100)
        gone = len(text) - len(start) - len(end)
        told = CUT.replace("{gone}", f"{gone:,}").replace("{all}", f"{len(text):,}").replace("{how}", how)
        return (start + told + end).strip("\n")


@dataclass(frozen=True, slots=True)
class NoFields:
    """Why no fields of a text can be kept, in words that follow on its name."""

    why: str


def json_fields(text: str, limit: int, how: str = "") -> str | NoFields:
    """A JSON object or list in so many tokens, long values cut, if it is one and fits."""
    if len(text) > READ_TO:
        return NoFields(f"is longer than {READ_TO:,} characters")
    try:
        value = parse_json(text)
    except JsonProblem:
        value = None
    if not isinstance(value, dict | list):
        return NoFields("is no JSON object or list")
    for items, characters in LEVELS:
        short = json.dumps(_pruned(value, items, characters, how), ensure_ascii=False)
        if text_tokens(short) <= limit:
            return short
    return NoFields(f"does not fit into {limit} tokens as JSON")


def _pruned(value: Any, items: int, characters: int, how: str) -> Any:
    if isinstance(value, str) and len(value) > characters:
        return f"{value[:characters]}… [cut by the harness{how}]"
    if isinstance(value, list):
        kept = [_pruned(item, items, characters, how) for item in value[:items]]
        more = len(value) - items
        return [*kept, f"[{more} more removed by the harness{how}]"] if more > 0 else kept
    if isinstance(value, dict):
        return {key: _pruned(item, items, characters, how) for key, item in value.items()}
    return value


RECALL = ToolSpec(
    "recall_result",
    "Get back a tool's result that was shortened, whole or only the lines that hold a text.",
    {
        "type": "object",
        "properties": {
            "handle": {"type": "string", "description": "the handle that stands under the shortened result"},
            "find": {"type": "string", "description": "only lines that hold this text"},
        },
        "required": ["handle"],
        "additionalProperties": False,
    },
    read_only=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offload(Rule):
    """A result longer than `limit` tokens is put away as it enters: a preview and a handle stay, and the model gets a
    tool that brings it back."""

    name: ClassVar[str] = "offload"
    tools: ClassVar[tuple[ToolSpec, ...]] = (RECALL,)
    limit: int = 300
    preview: int = 100
    exclude: str = ""

    def __post_init__(self) -> None:
        at_least(self.name, 1, limit=self.limit)
        at_least(self.name, 0, preview=self.preview)
        if self.preview >= self.limit:
            raise UsageError(f"{self.name}: preview ({self.preview}) must be below limit ({self.limit})")

    def enter(self, item: Item, memory: Any, turn: int, goal: str) -> tuple[Item, Any]:
        if item.message.role != "tool" or (item.call and item.call.name in (RECALL.name, *self.exclude.split("/"))):
            return item, memory
        if not longer_than(item.text, self.limit):
            return item, memory
        told = STORED.replace("{all}", f"{len(item.text):,}").replace("{recall}", RECALL.name)
        short = f"{start_of(item.text, self.preview)}\n{told.replace('{handle}', _handle(item.index))}"
        if len(short) >= len(item.text):
            return item, memory
        return item.altered(replace(item.message, content=short), self.name), memory

    def recall(self, call: ToolCall, transcript: Transcript, memory: Any) -> str:
        """The whole result from the transcript, or its lines with a text."""
        arguments = arguments_of(call.arguments_text)
        handle, find = str(arguments.get("handle", "")), str(arguments.get("find", ""))
        stored = {_handle(at): message for at, message in enumerate(transcript) if message.role == "tool"}
        if handle not in stored:
            return f"Error: no result has the handle {handle!r}; the handle stands under the shortened result."
        text = stored[handle].content or ""
        if not find:
            return text
        lines = [line for line in text.splitlines() if find in line]
        return "\n".join(lines) or f"No line of this result holds {find!r}."


def _handle(index: int) -> str:
    return f"result-{index}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReciteState(Rule):
    """In every `every`th turn the user's message is followed by a note: the goal, the user's standing rules, and a
    ledger of the latest calls. Added once at the end and never changed, so no prefix cache breaks."""

    name: ClassVar[str] = "recite_state"
    adds: ClassVar[bool] = True
    every: int = 3
    limit: int = 200

    def __post_init__(self) -> None:
        at_least(self.name, 1, every=self.every, limit=self.limit)

    def start(self) -> tuple[tuple[str, ...], tuple[Item, ...]]:
        return (), ()

    def enter(self, item: Item, memory: Any, turn: int, goal: str) -> tuple[Item, Any]:
        """Memory: the user's rules, and the newest results."""
        rules, results = memory
        if item.message.role == "tool":
            return item, (rules, (*results, item)[-REMEMBERED:])
        if item.message.role != "user":
            return item, memory
        if turn > 1 and turn % self.every == 0:
            text = item.text + note(tuple(self._recited(goal, rules, results)))
            item = item.altered(replace(item.message, content=text), self.name)
        return item, (tuple(dict.fromkeys((*rules, *rules_in(item.text)))), results)

    def _recited(self, goal: str, rules: tuple[str, ...], results: tuple[Item, ...]) -> Iterator[str]:
        yield f"The first request was: {plain(goal, 4 * self.limit)}"
        if rules:
            yield "Rules that the user gave, in the user's own words:"
            yield from (f"- {rule}" for rule in rules)
        if results:
            yield Ledger().grown(results, self.limit, LATEST).text(LATEST)


LATEST = "The latest results:"
REMEMBERED = 12
"""So many of the newest results are recited at most."""
