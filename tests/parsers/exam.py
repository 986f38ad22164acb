"""The one exam for parsers of every family: what must hold for any reply, however its text is cut.

`test_exam` puts every family through it. A family hands in nothing but itself: values that its format cannot
express are those that its `render` refuses.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from random import Random
from typing import Any

from agenteval.messages import Message, ToolSpec
from agenteval.parsers import (
    CallDelta,
    ContentDelta,
    Delta,
    Family,
    ParsedMessage,
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


def feeds(family: Family, pieces: Iterable[str], thinking: bool = False) -> list[list[Delta]]:
    """The deltas of each feed, those of the flush last."""
    parser = family.parser(TOOLS, thinking)
    return [*(parser.feed(piece) for piece in pieces), parser.flush()]


def outcome(family: Family, pieces: Iterable[str], thinking: bool = False) -> ParsedMessage:
    return fold(delta for feed in feeds(family, pieces, thinking) for delta in feed)


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


def check_cuts(family: Family, text: str, thinking: bool = False, groupings: int = 5) -> ParsedMessage:
    """The same message whole, under every two-way cut, character by character and in random groups."""
    whole = outcome(family, [text], thinking)
    for pieces in two_way_cuts(text):
        assert outcome(family, pieces, thinking) == whole, pieces
    for pieces in (list(text), *(grouping(text, seed) for seed in range(groupings))):
        deltas = [delta for feed in feeds(family, pieces, thinking) for delta in feed]
        check_protocol(deltas)
        assert fold(deltas) == whole, pieces
    check_no_markers(family, whole)
    return whole


def check_truncation(family: Family, text: str, thinking: bool = False) -> None:
    """Cut at every place: no call but those of the whole text, and no arguments that only look complete."""
    whole = outcome(family, [text], thinking)
    for end in range(len(text)):
        part = check_prefix(family, text[:end], thinking)
        assert len(part.calls) <= len(whole.calls)
        for cut, call in zip(part.calls, whole.calls, strict=False):
            assert cut.name == call.name
            assert cut.arguments_text == call.arguments_text or not is_json(cut.arguments_text)
        assert whole.content.startswith(without_open_end(family, part.content).rstrip())
        assert whole.reasoning.startswith(without_open_end(family, part.reasoning))


def check_prefix(family: Family, text: str, thinking: bool) -> ParsedMessage:
    """What a cut text says: the same in one piece and in many, with no more than a marker's beginning
    withheld."""
    given = feeds(family, [text], thinking)
    said, all_of_it = fold(given[0]), fold([*given[0], *given[1]])
    assert outcome(family, grouping(text, seed=len(text)), thinking) == all_of_it
    if not open_end(family, text):
        assert said.reasoning == all_of_it.reasoning
        assert said.content == all_of_it.content or all_of_it.content.isspace()
    for now, then in ((said.reasoning, all_of_it.reasoning), (said.content, all_of_it.content)):
        assert then.startswith(now)
        withheld = then[len(now) :] if now else then.lstrip()  # blank text may wait until something is said
        assert len(withheld) < max(map(len, family.markers))
    return all_of_it


def check_flush(family: Family, text: str, thinking: bool = False) -> None:
    """After the first flush nothing comes any more."""
    parser = family.parser(TOOLS, thinking)
    parser.feed(text)
    parser.flush()
    assert parser.flush() == []
    assert parser.feed(text) == []
    assert parser.flush() == []


def work(family: Family, text: str, thinking: bool = False) -> int:
    """Characters that the parser looks at when the text comes one by one."""
    parser = family.parser(TOOLS, thinking)
    for character in text:
        parser.feed(character)
    parser.flush()
    return parser.work


def open_end(family: Family, text: str) -> int:
    """How many characters at the end of a text are the beginning of a marker."""
    lengths = (size for marker in family.markers for size in range(1, len(marker)) if text.endswith(marker[:size]))
    return max(lengths, default=0)


def without_open_end(family: Family, text: str) -> str:
    return text[: len(text) - open_end(family, text)]


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
