"""Bare values are typed by the tool's schema, as far as it speaks plainly; a broken schema breaks nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenteval.canonical import JsonProblem
from agenteval.messages import ToolSpec
from agenteval.parsers.arguments import STRING, declares, escaped, members, parameter_types, quoted, spelled

DEFS = {"word": {"type": "string"}, "loop": {"$ref": "#/$defs/loop"}, "a/b": {"type": "null"}}


def types_of(schema: object) -> frozenset[str] | None:
    return parameter_types(ToolSpec("t", "", {"properties": {"p": schema}, "$defs": DEFS}), "p")


@pytest.mark.parametrize(
    ("schema", "types"),
    [
        ({"type": "string"}, {"string"}),
        ({"type": ["string", "null"]}, {"string", "null"}),
        ({"enum": ["a", "b"]}, {"string"}),
        ({"enum": ["a", 1, 2.5, None, True]}, {"string", "integer", "number", "null", "boolean"}),
        ({"const": 3}, {"integer"}),
        ({"type": "string", "enum": [1]}, {"string"}),
        ({"$ref": "#/$defs/word"}, {"string"}),
        ({"$ref": "#/$defs/a~1b"}, {"null"}),
        ({"anyOf": [{"$ref": "#/$defs/word"}, {"type": "null"}]}, {"string", "null"}),
        ({"oneOf": [{"const": "a"}, {"const": "b"}]}, {"string"}),
        ({"allOf": [{"minLength": 1}, {"type": ["string", "null"]}, {"type": "string"}]}, {"string"}),
    ],
)
def test_a_schema_that_names_its_types_is_believed(schema: object, types: set[str]) -> None:
    assert types_of(schema) == frozenset(types)


@pytest.mark.parametrize(
    "schema",
    [
        *({}, True, None, 7, {"type": 7}, {"type": [7]}, {"enum": "ab"}, {"anyOf": []}, {"anyOf": {}}),
        *({"anyOf": [{"type": "string"}, {}]}, {"allOf": [{}]}, {"not": {"type": "string"}}),
        *({"$ref": "#/$defs/loop"}, {"$ref": "#/$defs/gone"}, {"$ref": "https://x.invalid/s"}, {"$ref": 7}),
    ],
)
def test_any_other_schema_allows_every_type(schema: object) -> None:
    assert types_of(schema) is None


def test_undeclared_parameters_fall_to_additional_properties() -> None:
    tool = ToolSpec("t", "", {"properties": {}, "additionalProperties": {"type": "string"}})
    assert parameter_types(tool, "any") == STRING
    assert parameter_types(ToolSpec("t", "", {"additionalProperties": False}), "any") is None
    assert parameter_types(ToolSpec("t", "", {"properties": 7}), "any") is None
    assert parameter_types(None, "any") is None
    assert not declares(ToolSpec("t", "", {"properties": 7}), "any")


@pytest.mark.parametrize(
    ("text", "types", "json_text"),
    [
        ("42", {"string"}, '"42"'),
        ("42", {"integer"}, "42"),
        (" 42\n", {"integer"}, "42"),
        ("4_2", {"integer"}, '"4_2"'),
        ("True", {"boolean"}, '"True"'),
        ("42", {"string", "null"}, '"42"'),
        ("null", {"string", "null"}, "null"),
        ("true", {"string", "integer"}, '"true"'),
        ("42", {"string", "number"}, "42"),
        ("42.0", {"string", "integer"}, "42.0"),
        ("42.5", {"string", "integer"}, '"42.5"'),
        ('"a"', {"string", "null"}, '"\\"a\\""'),
        ('"a"', None, '"a"'),
        ("a", None, '"a"'),
        ("", None, '""'),
        ("Infinity", None, '"Infinity"'),
        ("9" * 5000, None, f'"{"9" * 5000}"'),
    ],
)
def test_a_bare_value_is_json_if_it_may_be(text: str, types: set[str] | None, json_text: str) -> None:
    assert spelled(text, None if types is None else frozenset(types)) == json_text


@given(st.lists(st.text(max_size=4)))
def test_escaped_pieces_join_to_the_quoted_whole(pieces: list[str]) -> None:
    assert '"' + "".join(map(escaped, pieces)) + '"' == quoted("".join(pieces))


def test_members_keep_order_spelling_and_repeated_keys() -> None:
    assert members(' {"a" : 1.50 ,"b":{"c":[ ]},"a":"x,}:"}\n') == [
        ("a", 1.5, "1.50"),
        ("b", {"c": []}, '{"c":[ ]}'),
        ("a", "x,}:", '"x,}:"'),
    ]
    assert members("{}") == []


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a": NaN}', "7", '{"a": 1} x'])
def test_what_is_no_object_has_no_members(text: str) -> None:
    with pytest.raises(JsonProblem):
        members(text)


def test_a_schema_can_be_anything() -> None:
    odd: list[Any] = [[], "x", {"type": None}, {"enum": [[], {}]}, {"$ref": "#/"}]
    assert [types_of(schema) for schema in odd] == [None, None, None, {"array", "object"}, None]
