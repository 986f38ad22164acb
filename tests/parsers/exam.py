"""The one exam for parsers of every family: what must hold for any reply, however its text is cut.

`test_exam` puts every family through it. A family hands in nothing but itself: values that its format cannot
express are those that its `render` refuses.
"""

from __future__ import annotations

import json
import re
from codecs import getincrementaldecoder
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from agenteval.messages import Message, ToolSpec
from agenteval.parsers import (
    CallDelta,
    Choices,
    ContentDelta,
    Delta,
    Family,
    ParsedMessage,
    Parser,
    ReasoningDelta,
    fold,
)


def tool(name: str, **properties: object) -> ToolSpec:
    return ToolSpec(name, f"Does {name}.", {"type": "object", "properties": properties})


TEXT = {"type": "string"}
TOOLS = (
    tool("get"),
    tool("get_time"),
    tool("get_time_zone", city=TEXT),
    tool("save", path=TEXT, text=TEXT, tags={"type": "array"}, meta={"type": "object"}),
    tool("calc", n={"type": "integer"}, x={"type": "number"}, flag={"type": "boolean"}, any={}),
    tool("limit", upto={"type": ["integer", "null"]}, unit={"anyOf": [TEXT, {"type": "null"}]}),
)


# --- feeding --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reading:
    """A family, how its prompt ended, and the choices of a run."""

    family: Family
    thinking: bool = False
    choices: Choices = field(default_factory=dict)

    def parser(self) -> Parser:
        return self.family.parser(TOOLS, self.thinking, self.choices)

    def feeds(self, pieces: Iterable[str]) -> list[list[Delta]]:
        """The deltas of each feed, those of the flush last."""
        parser = self.parser()
        return [*(parser.feed(piece) for piece in pieces), parser.flush()]

    def outcome(self, pieces: Iterable[str]) -> ParsedMessage:
        return fold(delta for feed in self.feeds(pieces) for delta in feed)


def two_way_cuts(text: str) -> Iterator[list[str]]:
    return ([text[:at], text[at:]] for at in range(len(text) + 1))


def grouping(text: str, seed: int, longest: int = 12) -> list[str]:
    """A seeded random cut into pieces of up to `longest` characters, empty ones among them."""
    random, pieces, at = Random(seed), [], 0
    while at < len(text):
        size = random.randint(0, longest)
        pieces.append(text[at : at + size])
        at += size
    return pieces


def token_true(family: Family, text: str, seed: int, burst: int) -> list[str]:
    """A cut as an engine makes it: special strings are one token each, other tokens have a few bytes, and a step
    accepts up to `burst` of them. A character comes with the token that brings its last byte."""
    random, tokens = Random(seed), list[bytes]()
    for part in re.split("(" + "|".join(map(re.escape, family.special)) + ")", text):
        rest = part.encode("utf-8", "surrogatepass")
        while rest:
            size = len(rest) if part in family.special else random.randint(1, 5)
            tokens.append(rest[:size])
            rest = rest[size:]
    decoder, pieces = getincrementaldecoder("utf-8")("surrogatepass"), []
    while tokens:
        size = random.randint(1, burst)
        pieces.append(decoder.decode(b"".join(tokens[:size])))
        del tokens[:size]
    return pieces


def many_cuts(family: Family, text: str, seeds: int) -> Iterator[list[str]]:
    """One character each, and seeded groupings of every kind."""
    yield list(text)
    for seed in range(seeds):
        yield grouping(text, seed)
        yield token_true(family, text, seed, burst=1)
        yield token_true(family, text, seed, burst=5)


# --- what must hold -------------------------------------------------------------------------------------------


def check_protocol(deltas: Sequence[Delta]) -> None:
    """Name once and first, indices in order, calls one after the other, nothing empty."""
    latest = -1
    for delta in deltas:
        if not isinstance(delta, CallDelta):
            assert delta.text
        elif delta.name is not None:
            assert delta.name
            assert delta.index == latest + 1
            latest = delta.index
        else:
            assert delta.arguments
            assert delta.index == latest


def check_no_markers(family: Family, message: ParsedMessage) -> None:
    for text in (message.content, message.reasoning, *(call.name for call in message.calls)):
        assert not [marker for marker in family.markers if marker in text], text


def check_cuts(reading: Reading, text: str, groupings: int = 3) -> ParsedMessage:
    """The same message whole, under every two-way cut, character by character, in random groups and as tokens."""
    whole = reading.outcome([text])
    for pieces in two_way_cuts(text):
        assert reading.outcome(pieces) == whole, pieces
    for pieces in many_cuts(reading.family, text, groupings):
        deltas = [delta for feed in reading.feeds(pieces) for delta in feed]
        check_protocol(deltas)
        assert fold(deltas) == whole, pieces
    check_no_markers(reading.family, whole)
    return whole


def check_truncation(reading: Reading, text: str) -> None:
    """Cut at every place: no call but those of the whole text, and no arguments that only look complete."""
    whole, family = reading.outcome([text]), reading.family
    for end in range(len(text)):
        part = check_prefix(reading, text[:end])
        assert len(part.calls) <= len(whole.calls)
        for cut, call in zip(part.calls, whole.calls, strict=False):
            assert cut.name == call.name
            assert cut.arguments_text == call.arguments_text or not is_json(cut.arguments_text)
        assert whole.content.startswith(without_open_end(family, part.content).rstrip())
        assert whole.reasoning.startswith(without_open_end(family, part.reasoning))


def check_prefix(reading: Reading, text: str) -> ParsedMessage:
    """What a cut text says: the same in one piece and in many, with no more than a marker's beginning and the
    newlines that frame it withheld."""
    given, family = reading.feeds([text]), reading.family
    said, all_of_it = fold(given[0]), fold([*given[0], *given[1]])
    assert reading.outcome(grouping(text, seed=len(text))) == all_of_it
    if not open_end(family, text):
        assert said.reasoning == all_of_it.reasoning
        assert said.content == all_of_it.content or all_of_it.content.isspace()
    for now, then in ((said.reasoning, all_of_it.reasoning), (said.content, all_of_it.content)):
        assert then.startswith(now)
        assert len(then[len(now) :].lstrip()) < longest_marker(family)
    return all_of_it


def check_flush(reading: Reading, text: str) -> None:
    """After the first flush nothing comes any more."""
    parser = reading.parser()
    parser.feed(text)
    parser.flush()
    assert parser.flush() == []
    assert parser.feed(text) == []
    assert parser.flush() == []


def work(reading: Reading, text: str) -> int:
    """Characters that the parser looks at when the text comes one by one."""
    parser = reading.parser()
    for character in text:
        parser.feed(character)
    parser.flush()
    return parser.work


def open_end(family: Family, text: str) -> int:
    """How many characters at the end of a text are the beginning of a marker, with the newlines that frame it."""
    strings = (*family.markers, *family.tags)
    lengths = (size for marker in strings for size in range(1, len(marker)) if text.endswith(marker[:size]))
    marker = max(lengths, default=0)
    ahead = text[: len(text) - marker]
    newlines = len(ahead) - len(ahead.rstrip("\n"))
    return marker + min(newlines, max(family.framing.thought, family.framing.call))


def without_open_end(family: Family, text: str) -> str:
    return text[: len(text) - open_end(family, text)]


def longest_marker(family: Family) -> int:
    """With the newlines that frame it."""
    strings = (*family.markers, *family.tags)
    return max(map(len, strings)) + max(family.framing.thought, family.framing.call)


# --- comparing ------------------------------------------------------------------------------------------------


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def as_written(text: str) -> Any:
    """A JSON value in which order, repeated keys, and the spelling of numbers count."""
    return json.loads(
        text,
        object_pairs_hook=lambda pairs: ("object", pairs),
        parse_int=lambda digits: ("number", digits),
        parse_float=lambda digits: ("number", digits),
    )


def check_same(parsed: ParsedMessage, message: Message) -> None:
    """What was parsed is what was rendered."""
    assert parsed.reasoning == (message.reasoning or "")
    assert parsed.content == (message.content or "")
    assert [call.name for call in parsed.calls] == [call.name for call in message.tool_calls]
    for ours, theirs in zip(parsed.calls, message.tool_calls, strict=True):
        assert repr(as_written(ours.arguments_text)) == repr(as_written(theirs.arguments_text))


def spoken(deltas: Iterable[Delta]) -> str:
    """All visible text in the order in which it came, for looking at what is out by when."""
    return "".join(
        delta.text if isinstance(delta, ContentDelta | ReasoningDelta) else delta.arguments for delta in deltas
    )
