"""JSON Schema verdicts: both drafts, paths, and schemas or values that would take forever or leave the machine."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenteval.schema import MAX_MESSAGE, MAX_VIOLATIONS, check_schema, violations

DRAFT7 = "http://json-schema.org/draft-07/schema#"
CALENDAR: dict[str, Any] = {
    "type": "object",
    "properties": {
        "title": {"type": "string", "minLength": 1},
        "days": {"type": "array", "items": {"type": "integer", "minimum": 1}},
        "kind": {"enum": ["a", "b"]},
    },
    "required": ["title"],
    "additionalProperties": False,
}

BROKEN = [
    ({}, "$", "'title' is a required property"),
    ({"title": ""}, "$.title", "'' should be non-empty"),
    ({"title": "x", "days": ["1"]}, "$.days[0]", "'1' is not of type 'integer'"),
    ({"title": "x", "days": [1, 2, 0]}, "$.days[2]", "0 is less than the minimum of 1"),
    ({"title": "x", "days": [True]}, "$.days[0]", "True is not of type 'integer'"),
    ({"title": "x", "kind": "c"}, "$.kind", "'c' is not one of ['a', 'b']"),
    ({"title": "x", "more": 1}, "$", "'more' is not a known property"),
    ([], "$", "[] is not of type 'object'"),
]


@pytest.mark.parametrize(("value", "path", "message"), BROKEN)
def test_a_violation_has_its_path(value: Any, path: str, message: str) -> None:
    assert [(found.path, found.message) for found in violations(CALENDAR, value)] == [(path, message)]


def test_what_keeps_the_schema_has_no_violations() -> None:
    assert violations(CALENDAR, {"title": "x", "days": [1, 2.0], "kind": "a"}) == ()
    assert check_schema(CALENDAR) == []


def test_the_draft_decides() -> None:
    tuples = {"items": [{"type": "integer"}], "additionalItems": False}
    assert violations({"$schema": DRAFT7, **tuples}, [1, 2])
    assert check_schema(tuples)  # a list of schemas under `items` is no 2020-12
    assert violations({"prefixItems": [{"type": "integer"}], "items": False}, [1, 2])
    assert violations({"$schema": DRAFT7, "prefixItems": [{"type": "string"}]}, [1]) == ()


def test_all_violations_are_found_up_to_a_bound() -> None:
    assert len(violations(CALENDAR, {"days": ["x", "y"], "kind": 1})) == 4
    assert len(violations({"items": {"type": "string"}}, [1] * 1000)) == MAX_VIOLATIONS


def test_messages_are_short_and_keep_both_ends() -> None:
    (found,) = violations({"maxLength": 3}, "x" * 10_000)
    assert len(found.message) <= MAX_MESSAGE
    assert found.message.startswith("'xxx")
    assert found.message.endswith("is too long")


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"multipleOf": 0.1}, 0.3),
        ({"multipleOf": 0.5}, 10**400),
        ({"uniqueItems": True}, [1, True, "1", [1], [True]]),
        ({"pattern": "^\\d+$"}, 5),
        ({"patternProperties": {"^x": {"type": "integer"}}, "additionalProperties": False}, {"x1": 1}),
        ({"additionalProperties": {"type": "integer"}, "properties": {"a": {}}}, {"a": "x", "b": 1}),
        ({"properties": {"c": {"$ref": "#"}}, "type": "object"}, {"c": {"c": {}}}),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"type": "string"}}}, "x"),
        ({"properties": {"$ref": {"type": "string"}, "$schema": {"type": "string"}}}, {"$ref": "x"}),
        ({"const": {"$schema": "x"}}, {"$schema": "x"}),
    ],
)
def test_it_is_kept(schema: Any, value: Any) -> None:
    assert check_schema(schema) == []
    assert violations(schema, value) == ()


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"multipleOf": 0.1}, 0.35),
        ({"multipleOf": 2}, float("inf")),
        ({"uniqueItems": True}, [1, 1.0]),
        ({"uniqueItems": True}, [{"a": 1, "b": 2}, {"b": 2, "a": 1}]),
        ({"pattern": "^\\d+$"}, "5a"),
        ({"patternProperties": {"^x": {"type": "integer"}}, "additionalProperties": False}, {"y": 1}),
        ({"patternProperties": {"^x": {"type": "integer"}}}, {"x": "1"}),
        ({"additionalProperties": {"type": "integer"}}, {"b": "1"}),
        ({"unevaluatedProperties": False, "properties": {"a": {}}}, {"b": 1}),
        ({"properties": {"c": {"$ref": "#"}}, "type": "object"}, {"c": {"c": 5}}),
    ],
)
def test_it_is_broken(schema: Any, value: Any) -> None:
    assert check_schema(schema) == []
    assert violations(schema, value)


INVALID = [
    (5, "a schema is a map"),
    ({"type": "strin"}, "$.type"),
    ({"properties": {"a": {"minimum": "1"}}}, "$.properties.a.minimum"),
    ({"pattern": "("}, "is not valid"),
    ({"patternProperties": {"[": {}}}, "is not valid"),
    ({"$schema": "http://json-schema.org/draft-04/schema#"}, "2020-12 (the default) and draft-07"),
    ({"$ref": "#/$defs/nope"}, "is no part of the schema"),
    ({"$ref": "other.json"}, "other documents are never fetched"),
    ({"$ref": "https://json-schema.org/draft/2020-12/schema"}, "never fetched"),
    ({"properties": {"a": {"items": {"$dynamicRef": "http://127.0.0.1:9/x#y"}}}}, "never fetched"),
    ({"$ref": "#/x", "x": {"pattern": "("}}, "is no part of the schema"),
    ({"$ref": "#"}, "refers to itself without end"),
    ({"$id": "http://["}, "cannot be read"),
    ({"unevaluatedProperties": False, "patternProperties": {"a": {}}}, "cannot be used together"),
    ({"enum": [float("nan")]}, "not JSON"),
]


@pytest.mark.parametrize(("schema", "sentence"), INVALID)
def test_an_invalid_schema_is_named_and_nothing_is_valid_under_it(schema: Any, sentence: str) -> None:
    assert any(sentence in str(problem) for problem in check_schema(schema))
    assert violations(schema, {})[0].message.startswith("the schema is invalid")


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        ({"properties": {"a": {"type": ["string", 5]}}}, ("properties", "a", "type", 1)),
        ({"required": "a"}, ("required",)),
        ({"properties": {"a": {"items": {"pattern": "("}}}}, ("properties", "a", "items", "pattern")),
        ({"allOf": [{}, {"patternProperties": {"[": {}}}]}, ("allOf", 1, "patternProperties", "[")),
        ({"properties": {"a": {"$ref": "other.json"}}}, ("properties", "a", "$ref")),
        ({"$schema": 5}, ("$schema",)),
    ],
)
def test_a_fault_says_where_it_stands(schema: Any, place: tuple[str | int, ...]) -> None:
    assert place in [problem.place for problem in check_schema(schema)]


def test_a_remote_reference_opens_no_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/schema.json"
        for schema in ({"$ref": url}, {"$id": url, "$ref": "other.json"}, {"$schema": url}, {"items": {"$ref": url}}):
            check_schema(schema)
            violations(schema, ["x"])
            violations({**schema, "$schema": DRAFT7}, ["x"])
        with pytest.raises(TimeoutError):
            listener.accept()


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"pattern": "^(a|aa)+$"}, "a" * 60 + "b"),
        ({"items": {"pattern": "^(a|aa)+$"}}, ["a" * 60 + "b"] * 100),
        ({"patternProperties": {"^(a|aa)+$": {}}}, {"a" * 60 + "b": 1}),
        ({"patternProperties": {"^(a|aa)+$": {}}, "additionalProperties": False}, {"a" * 60 + "b": 1}),
        ({"propertyNames": {"pattern": "^(a|aa)+$"}}, {"a" * 60 + "b": 1}),
        ({"properties": {"x": {"$schema": DRAFT7, "pattern": "^(a|aa)+$"}}}, {"x": "a" * 60 + "b"}),
        ({"not": {"pattern": "^(a|aa)+$"}}, "a" * 60 + "b"),
    ],
)
def test_a_pattern_that_takes_too_long_is_a_violation_that_says_so(schema: Any, value: Any) -> None:
    found = violations(schema, value)
    assert any("takes too long" in violation.message for violation in found)


def test_checking_has_an_end() -> None:
    ladder = {str(step): {"allOf": [{"$ref": f"#/$defs/{step + 1}"}] * 2} for step in range(30)}
    schema = {"properties": {"a": {"$ref": "#/$defs/0"}}, "$defs": {**ladder, "30": {"type": "string"}}}
    assert check_schema(schema) == []
    assert "too many steps" in violations(schema, {"a": "x"})[-1].message


def test_deep_values_are_judged() -> None:
    value: Any = {}
    for _ in range(60):
        value = {"c": value}
    assert violations({"type": "object", "properties": {"c": {"$ref": "#"}}}, value) == ()


def test_a_changed_schema_is_another_schema() -> None:
    schema: dict[str, Any] = {"type": "string"}
    assert violations(schema, 1)
    schema["type"] = "integer"
    assert violations(schema, 1) == ()


KEYWORDS = [
    *("type", "properties", "items", "required", "enum", "$ref", "$id", "pattern", "allOf", "not", "minimum"),
    *("multipleOf", "uniqueItems", "additionalProperties", "patternProperties", "$defs", "$anchor", "$schema"),
]
SCHEMAS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from(["#", "#/$defs/a", "string", "object", "(", "a", "x://["]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYWORDS), inner, max_size=3),
    max_leaves=8,
)


@given(SCHEMAS, SCHEMAS)
def test_any_schema_and_any_value_end_in_a_verdict(schema: Any, value: Any) -> None:
    problems = check_schema(schema)
    found = violations(schema, value)
    assert found or not problems
