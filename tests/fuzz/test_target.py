"""The fuzzer's executions, on a few inputs that nobody chose; `make fuzz` does them by the million."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agenteval.parsers import FAMILIES, Delta
from agenteval.parsers.kimi_k2 import KIMI_K2, MARKS, SHAPE
from agenteval.parsers.marked_reader import MarkedReader
from tests.fuzz.target import HEAD, Target

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
        target, spread = Target(family), range(0, 2**32, 999_983)
        read = [target.read(number.to_bytes(8, "little")).question.choices for number in spread]
        reached = {item for choices in read for item in choices.items()}
        several = [policy for policy in family.policies if len(policy.options) > 1]
        assert reached == {(policy.name, option) for policy in several for option in policy.options}


class Short(MarkedReader):
    """Drops each feed's last character, if it has several."""

    def feed(self, text: str) -> list[Delta]:
        return super().feed(text[:-1] if len(text) > 1 else text)


def test_a_parser_that_depends_on_cuts_is_found() -> None:
    family = replace(KIMI_K2, reader=partial(Short, SHAPE, MARKS))
    with pytest.raises(AssertionError, match="Hello"):
        Target(family).run(bytes(HEAD) + b"Hello")
