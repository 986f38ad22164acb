"""Hashes depend on values, not on their spelling; the reader of arguments is strict."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenteval.canonical import JsonProblem, canonical_json, parse_json, seed_of, tagged_hash

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def test_spelling_does_not_matter() -> None:
    assert tagged_hash({"b": 25.0, "a": [1]}) == tagged_hash({"a": [1], "b": 25})
    assert tagged_hash(True) != tagged_hash(1)
    assert tagged_hash("1") != tagged_hash(1)


@given(JSON)
def test_canonical_json_is_json_of_the_same_value(value: object) -> None:
    assert canonical_json(parse_json(canonical_json(value))) == canonical_json(value)


def test_seeds_are_stable_and_fit_into_31_bits() -> None:
    assert seed_of("cell", 0, "a", 0) == seed_of("cell", 0, "a", 0)
    assert seed_of("cell", 0, "a", 0) != seed_of("cell", 0, "a", 1)
    assert all(0 <= seed_of("x", number) < 2**31 for number in range(100))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"a": NaN}',
        "Infinity",
        "{'a': 1}",
        '{"a": 1,}',
        "[" * 100_000,
        "1" * 10_000,
        "1e999",
        "-1e999",
        '{"a":["x\\ud83d"]}',
        '{"\\udc00": 1}',
        '{"a":1}{"b":2}',
    ],
)
def test_what_is_not_json_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(JsonProblem):
        parse_json(text)


def test_of_a_repeated_key_the_last_wins() -> None:
    assert parse_json('{"path": 1, "path": 2}') == {"path": 2}


@given(st.text())
def test_the_reader_never_fails_otherwise(text: str) -> None:
    with suppress(JsonProblem):
        parse_json(text)
