"""The bundled scenarios hold what breaks agents elsewhere: each ingredient is counted from what the files really do."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher
from functools import cache
from itertools import combinations
from typing import Any

import pytest

from agenteval.canonical import parse_json
from agenteval.scenario import load_suite
from tests.behaviour import bound, unbound

LARGE = 3_000
"""Characters of one message that are a lot at once."""

LATER = 5
"""So many turns between saying a value and needing it are many."""


@cache
def ingredients(name: str) -> frozenset[str]:
    """What stands in a scenario, computed from its tools and its golden course."""
    return frozenset((*_of_tools(name), *_of_calls(name), *_of_turns(name), *_of_memory(name)))


def _of_tools(name: str) -> Iterator[str]:
    specs = bound(name)[0].tool_specs
    if any("enum" in part for spec in specs for part in maps_in(spec.parameters)):
        yield "enums"
    if any(SequenceMatcher(None, a.name, b.name).ratio() > 0.8 for a, b in combinations(specs, 2)):
        yield "near-equal names"


def _of_calls(name: str) -> Iterator[str]:
    for _, arguments in calls(name):
        texts = list(texts_in(arguments))
        kinds = {type(value) for value in arguments.values()}
        yield from (["zero-argument"] if not arguments else [])
        yield from (["nested objects"] if dict in kinds else [])
        yield from (["arrays"] if list in kinds else [])
        yield from (["numeric-looking strings"] if any(text.isdecimal() for text in texts) else [])
        yield from (["unicode"] if any(not text.isascii() for text in texts) else [])
        yield from (["multi-line strings"] if any("\n" in text for text in texts) else [])


def _of_turns(name: str) -> Iterator[str]:
    scenario, golden = bound(name)
    for turn, done in zip(scenario.turns, golden, strict=True):
        asks = turn.expect.answer is not None and any("?" in group for group in turn.expect.answer.contains)
        messages = (done.user, *done.messages)
        yield from (["no-call"] if turn.expect.calls == () else [])
        yield from (["ask"] if turn.expect.calls == () and asks else [])
        yield from (["parallel"] if any(len(message.tool_calls) > 1 for message in messages) else [])
        yield from (["recovery"] if any(result.is_error for result in done.results) else [])
        yield from (["large injections"] if any(len(message.content or "") > LARGE for message in messages) else [])


def _of_memory(name: str) -> Iterator[str]:
    """Whether a call needs a text that was last said many turns ago."""
    last: dict[str, int] = {}
    for number, done in enumerate(bound(name)[1]):
        needed = {
            text for m in done.messages for call in m.tool_calls for text in texts_in(parse_json(call.arguments_text))
        }
        told = {
            text for text in {*last, *needed} if any(text in (m.content or "") for m in (done.user, *done.messages))
        }
        if any(len(text) >= 4 and number - last.get(text, number) >= LATER for text in needed - told):
            yield "needed much later"
        last.update(dict.fromkeys(told | needed, number))


def calls(name: str) -> list[tuple[str, dict[str, Any]]]:
    messages = (message for done in bound(name)[1] for message in done.messages)
    return [(call.name, parse_json(call.arguments_text)) for message in messages for call in message.tool_calls]


def texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts_in(item)


def maps_in(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from maps_in(item)


@pytest.mark.parametrize(
    ("ingredient", "at_least"),
    [
        ("zero-argument", 8),
        ("nested objects", 5),
        ("arrays", 8),
        ("enums", 12),
        ("numeric-looking strings", 5),
        ("unicode", 6),
        ("multi-line strings", 3),
        ("parallel", 8),
        ("near-equal names", 3),
        ("no-call", 10),
        ("ask", 2),
        ("recovery", 4),
        ("large injections", 3),
        ("needed much later", 4),
    ],
)
def test_an_ingredient_is_there_more_than_once(ingredient: str, at_least: int) -> None:
    having = [name for name in unbound() if ingredient in ingredients(name)]
    assert len(having) >= at_least, having


@pytest.mark.parametrize("tag", ["zero-argument", "parallel", "no-call", "ask", "recovery", "unicode"])
def test_a_tag_is_no_empty_claim(tag: str) -> None:
    """Who selects by tag gets what it says; a scenario may have more in it than its tags tell."""
    tagged = [name for name, scenario in unbound().items() if tag in scenario.tags]
    assert tagged
    assert [name for name in tagged if tag not in ingredients(name)] == []


def test_most_scenarios_are_as_long_as_agents_talk() -> None:
    """3 to 16 turns, half of them 8 or more: other suites are nearly all single turns, and never reach what fails at
    turn 8. thinking-modes alone is shorter: it compares modes, and memory is not its point. Of the context suite some
    are one long tool loop, or a size of another."""
    tells_policies_apart = {item.name for item in load_suite("context").scenarios}
    turns = {name: len(item.turns) for name, item in unbound().items() if name not in tells_policies_apart}
    assert turns.pop("thinking-modes") == 2
    assert len(turns) >= 24
    assert (min(turns.values()), max(turns.values())) == (3, 16)
    assert sum(count >= 8 for count in turns.values()) * 2 >= len(turns)
