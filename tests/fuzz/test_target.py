"""The fuzzer's executions, on a few inputs that nobody chose; `make fuzz` does them by the million."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from importlib import import_module
from itertools import islice
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agenteval.parsers import FAMILIES, Delta, Family
from agenteval.parsers.kimi_k2 import KIMI_K2, MARKS, SHAPE
from agenteval.parsers.marked_reader import MarkedReader
from tests.fuzz.planted import BUGS, Planted
from tests.fuzz.target import HEAD, SAMPLE, Target
from tests.parsers.tools import TOOLS

NAMES = st.sampled_from(sorted(FAMILIES))


@settings(max_examples=150)
@given(NAMES, st.binary(max_size=64))
def test_no_input_breaks_an_invariant(name: str, data: bytes) -> None:
    Target(FAMILIES[name]).run(data)


@given(NAMES, st.binary(min_size=HEAD, max_size=64))
def test_an_input_is_a_text_and_all_of_its_pieces(name: str, data: bytes) -> None:
    execution = Target(FAMILIES[name]).read(data)
    assert "".join(execution.pieces) == execution.text
    assert len(execution.text) >= len(data) - HEAD


def test_every_option_of_every_policy_is_reached() -> None:
    for family in FAMILIES.values():
        target = Target(family)
        read = [target.read(bytes([0, *number.to_bytes(2, "little")])).choices for number in range(100)]
        reached = {item for choices in read for item in choices.items()}
        assert reached == {(policy.name, option) for policy in family.policies for option in policy.options}


@pytest.mark.parametrize("family", FAMILIES.values(), ids=list(FAMILIES))
def test_the_fuzzer_begins_with_what_a_family_writes(family: Family) -> None:
    target = Target(family)
    read = [target.read(data) for data in target.seeds()]
    calls = {len(family.parse(execution.text, TOOLS, execution.thinking).calls) for execution in read}
    assert {0, 1, 4} <= calls
    execute(target, target.seeds())


def test_every_way_to_cut_is_taken() -> None:
    target = Target(KIMI_K2)
    read = [target.read(bytes([0, 0, 0, *number.to_bytes(2, "little"), *b"Hello, world"])) for number in range(1000)]
    assert any(len(execution.pieces) == len(execution.text) for execution in read)
    assert any(len(execution.pieces) == 14 < len(execution.text) for execution in read)  # the strings that bytes are
    assert any(len(execution.pieces) == 3 for execution in read)
    assert {execution.sample for execution in read} == set(range(SAMPLE))


@pytest.mark.parametrize("bug", BUGS.values(), ids=list(BUGS))
def test_a_planted_bug_is_found(bug: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = getattr(import_module(f"agenteval.parsers.{bug.module}"), bug.method[0])
    monkeypatch.setattr(owner, bug.method[1], bug.instead(getattr(owner, bug.method[1])))
    target = Target(FAMILIES[bug.family])
    with pytest.raises((AssertionError, IndexError)):
        execute(target, islice(changed(target, Random(1)), 5_000))


def execute(target: Target, inputs: Iterable[bytes]) -> None:
    for data in inputs:
        target.run(data)


def changed(target: Target, random: Random) -> Iterator[bytes]:
    """What the fuzzer begins with, and a few bytes more or others: no more than a fuzzer that does not look."""
    seeds = list(target.seeds())
    while True:
        data = bytearray(random.choice(seeds))
        for _ in range(random.randint(1, 3)):
            at = random.randrange(len(data) + 1)
            data[at : at + random.randrange(2)] = random.randbytes(1)
        yield bytes(data)


class Short(MarkedReader):
    """Drops each feed's last character, if it has several."""

    def feed(self, text: str) -> list[Delta]:
        return super().feed(text[:-1] if len(text) > 1 else text)


def test_a_parser_that_depends_on_cuts_is_found() -> None:
    family = replace(KIMI_K2, reader=partial(Short, SHAPE, MARKS))
    with pytest.raises(AssertionError, match="Hello"):
        execute(Target(family), [bytes([*bytes(HEAD), number, *b"Hello"]) for number in range(20)])
