"""What is odd about a text: so that making a failure's input small makes no other fault of it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from agenteval.canonical import JsonProblem, parse_json
from agenteval.errors import UnrenderableError
from agenteval.messages import Message, ToolCall
from agenteval.parsers import Family, ParsedCall, ParsedMessage
from agenteval.parsers.arguments import declares
from agenteval.regress.subject import Question

_WORD = re.compile(r"\w+")
_JSON = json.JSONDecoder(strict=False)


@dataclass(frozen=True, slots=True)
class Oddness:
    """`asked`: the policies under some option of which a text means something else than by default; `flaws`: what is
    missing, left over, broken or undeclared in it → how often; `known`: its words, and the keys of its JSON → how
    often."""

    asked: frozenset[str]
    flaws: Mapping[str, int]
    known: Mapping[str, int]

    def within(self, other: Oddness) -> bool:
        """Whether this asks of policies what the other one asks, and has no flaw, word or key more often."""
        return self.asked == other.asked and _of(self.flaws, other.flaws) and _of(self.known, other.known)


def oddness(family: Family, question: Question, text: str) -> Oddness:
    """Of a text, as our own parser reads it."""

    def read(choices: dict[str, str]) -> ParsedMessage:
        return family.parse(text, question.tools, question.thinking, choices)

    meaning = read({})
    asked = frozenset(
        policy.name
        for policy in family.policies
        if any(read({policy.name: option}) != meaning for option in policy.options if option != policy.default)
    )
    flaws = [*_undeclared(question, meaning.calls), *_beside_markers(family, question, text, meaning)]
    flaws += [] if meaning.calls else ["no call"]
    values = list(_json_in(family, text))
    flaws += ["broken JSON" for value in values if value is None]
    known = [*_WORD.findall(text), *(f"key {key!r}" for value in values for key in _keys(value))]
    return Oddness(asked, Counter(flaws), Counter(known))


def _of(some: Mapping[str, int], others: Mapping[str, int]) -> bool:
    return all(number <= others.get(name, 0) for name, number in some.items())


def _json_in(family: Family, text: str) -> Iterator[Any]:
    """The objects and lists that begin behind markers and tags, or with the text; None for what is broken."""
    between, end = "|".join(re.escape(marker) for marker in (*family.markers, *family.tags)), 0
    for found in re.finditer(rf"(?:^|{between})\s*(?=[{{\[])", text):
        if found.end() < end:
            continue  # quoted in a value
        try:
            value, end = _JSON.raw_decode(text, found.end())
        except (ValueError, RecursionError):
            value = None
        yield value


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _keys(part)


def _undeclared(question: Question, calls: tuple[ParsedCall, ...]) -> Iterator[str]:
    tools = {tool.name: tool for tool in question.tools}
    for call in calls:
        try:
            arguments = parse_json(call.arguments_text)
        except JsonProblem:
            arguments = None
        if not isinstance(arguments, dict):
            yield "no JSON object"
        elif call.name not in tools:
            yield "an undeclared tool"
        else:
            yield from ("an undeclared argument" for key in arguments if not declares(tools[call.name], key))


def _unpaired(family: Family, text: str) -> Iterator[str]:
    known = {*family.markers, *family.tags}
    for closer in known:
        opener = closer.replace("</", "<", 1)
        if closer.startswith("</") and opener in known:
            yield from [f"{opener} without its closer, or the reverse"] * abs(text.count(opener) - text.count(closer))


def _beside_markers(family: Family, question: Question, text: str, meaning: ParsedMessage) -> Iterator[str]:
    """The markers and tags that the text has beyond those that its meaning is written with, and those that it lacks."""
    calls = tuple(ToolCall("", call.name, call.arguments_text) for call in meaning.calls)
    message = Message("assistant", meaning.content, meaning.reasoning or None, calls)
    try:
        written = family.render(message, question.tools, question.thinking)
    except UnrenderableError:
        yield from ("not to be written", *_unpaired(family, text))
        return
    for marker in (*family.markers, *family.tags):
        over = text.count(marker) - written.count(marker)
        yield from [f"{marker} {'left over' if over > 0 else 'missing'}"] * abs(over)
