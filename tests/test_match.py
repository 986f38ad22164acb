"""Every matcher with values that it accepts and values that it does not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenteval.errors import UsageError
from agenteval.match import ABSENT, MAX_MISMATCHES, check_matcher, example_of, explain, matches

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
    max_leaves=8,
)

HOLDS = [
    (25, 25.0),
    (25.0, 25),
    (None, None),
    (True, True),
    ("a", "a"),
    ([1, [2]], [1.0, [2]]),
    ({"a": 1, "b": {}}, {"b": {}, "a": 1}),
    ({"$any": True}, 0),
    ({"$any": True}, None),
    ({"$regex": "b+"}, "abbc"),
    ({"$regex": "^BUG-[0-9]{4}$"}, "BUG-0417"),
    ({"$one_of": ["a", {"$regex": "^b"}]}, "bc"),
    ({"$approx": 3.14, "tolerance": 0.01}, 3.15),
    ({"$approx": 10**400, "tolerance": 1}, 10**400 + 1),
    ({"$contains": "ell"}, "hello"),
    ({"$contains": {"id": 7}}, [{"id": 8}, {"id": 7}]),
    ({"$subset": {"id": 7, "name": {"$any": True}}}, {"id": 7, "name": "x", "more": 1}),
    ({"$in": [1, "a", {"x": [1]}]}, {"x": [1.0]}),
    ({"$in": {"a.py": 1}}, "a.py"),
    ({"$absent": True}, ABSENT),
    ({"path": "a", "deep": {"$one_of": [{"$absent": True}, False]}}, {"path": "a"}),
    ({"path": "a", "deep": {"$one_of": [{"$absent": True}, False]}}, {"path": "a", "deep": False}),
    ({"a": [{"$any": True}, {"$subset": {}}]}, {"a": [0, {"x": 1}]}),
]

FAILS = [
    (25, 25.5),
    (1, True),
    (True, 1),
    (0, False),
    (0, None),
    ("1", 1),
    ("a", "A"),
    ([1, 2], [2, 1]),
    ([1], [1, 1]),
    ({"a": 1}, {"a": 1, "b": 2}),
    ({"a": 1, "b": 2}, {"a": 1}),
    ({"a": 1}, [1]),
    ({"$any": True}, ABSENT),
    ({"$regex": "^b"}, "ab"),
    ({"$regex": "1"}, 1),
    ({"$regex": "("}, "("),
    ({"$one_of": ["a", "b"]}, "c"),
    ({"$approx": 3.14, "tolerance": 0.01}, 3.16),
    ({"$approx": 1, "tolerance": 0}, True),
    ({"$approx": 1, "tolerance": 1}, "1"),
    ({"$approx": 1, "tolerance": 1}, float("inf")),
    ({"$contains": "ell"}, "HELLO"),
    ({"$contains": 7}, [True, "7"]),
    ({"$contains": "a"}, {"a": 1}),
    ({"$subset": {"id": 7}}, {"id": 8}),
    ({"$subset": {"id": 7}}, {}),
    ({"$subset": {"a": {"b": 1}}}, {"a": {"b": 1, "c": 2}}),
    ({"$subset": {}}, []),
    ({"$in": [1, 2]}, True),
    ({"$in": {"a": 1}}, "b"),
    ({"$in": {"a": 1}}, 1),
    ({"$in": "abc"}, "a"),
    ({"$absent": True}, None),
    ({"path": "a", "x": {"$absent": True}}, {"path": "a", "x": None}),
    ({"$unknown": 1}, {"$unknown": 1}),
]


@pytest.mark.parametrize(("matcher", "value"), HOLDS)
def test_it_holds(matcher: Any, value: Any) -> None:
    assert matches(matcher, value)
    assert explain(matcher, value) == ()


@pytest.mark.parametrize(("matcher", "value"), FAILS)
def test_it_does_not_hold_and_says_where(matcher: Any, value: Any) -> None:
    assert not matches(matcher, value)
    assert all(difference.path.startswith("$") for difference in explain(matcher, value))


def test_differences_name_their_places() -> None:
    matcher = {"id": "BUG-1", "days": [1, {"$regex": "^x"}], "odd key": 1, "gone": {"$any": True}}
    value = {"id": "BUG-2", "days": [1, "y"], "odd key": 2, "extra": 5}
    assert [str(difference) for difference in explain(matcher, value)] == [
        '$.id: expected "BUG-1", got "BUG-2"',
        '$.days[1]: expected {"$regex": "^x"}, got "y"',
        '$["odd key"]: expected 1, got 2',
        '$.gone: expected {"$any": true}, got nothing',
        "$.extra: expected nothing, got 5",
    ]


def test_differences_are_bounded() -> None:
    differences = explain(["a" * 10_000] * 1000, ["b" * 10_000] * 1000)
    assert len(differences) == MAX_MISMATCHES
    assert all(len(str(difference)) < 300 for difference in differences)


@pytest.mark.parametrize("subject", ["a" * 60 + "b", "a" * 1_000_000])
def test_a_pattern_that_takes_too_long_does_not_hold(subject: str) -> None:
    (difference,) = explain({"$regex": "^(a|aa)+$"}, subject)
    assert difference.undecided
    assert "takes too long" in str(difference)


@given(JSON)
def test_a_plain_value_matches_itself_and_is_its_own_example(value: Any) -> None:
    assert matches(value, value)
    assert example_of(value) == value
    assert check_matcher(value) == []


@given(JSON, JSON)
def test_matching_and_explaining_agree(matcher: Any, value: Any) -> None:
    assert matches(matcher, value) == (explain(matcher, value) == ())


@given(
    JSON,
    st.sampled_from(["$any", "$regex", "$one_of", "$approx", "$contains", "$subset", "$in", "$absent", "$x"]),
    JSON,
)
def test_a_malformed_matcher_never_raises(inside: Any, word: str, value: Any) -> None:
    matcher = {word: inside}
    matches(matcher, value)
    if not check_matcher(matcher):
        example_of(matcher)


@given(st.text(max_size=20), st.text(max_size=20))
def test_any_pattern_is_searched_or_refused(pattern: str, text: str) -> None:
    assert matches({"$regex": pattern}, text) in (True, False)


EXAMPLES = [
    ({"$regex": "^b", "example": "bc"}, "bc"),
    ({"$any": True, "example": None}, None),
    ({"$one_of": [{"$regex": "x", "example": "xx"}, 1]}, "xx"),
    ({"$approx": 2.5, "tolerance": 1}, 2.5),
    ({"$subset": {"a": {"$any": True, "example": 1}}}, {"a": 1}),
    ({"$in": ["p", "q"]}, "p"),
    ({"$in": {"k": 1}}, "k"),
    ({"a": {"$one_of": [{"$absent": True}, 1]}, "b": 2}, {"b": 2}),
    ([{"$any": True, "example": [1]}], [[1]]),
]


@pytest.mark.parametrize(("matcher", "example"), EXAMPLES)
def test_examples(matcher: Any, example: Any) -> None:
    assert example_of(matcher) == example
    assert check_matcher(matcher) == []
    assert matches(matcher, example)


@pytest.mark.parametrize(
    "matcher", [{"$any": True}, {"a": [{"$regex": "x"}]}, {"$contains": "x"}, {"$in": []}, {"$one_of": 5}]
)
def test_an_open_matcher_without_an_example_is_the_users_mistake(matcher: Any) -> None:
    with pytest.raises(UsageError, match="example"):
        example_of(matcher)
    assert check_matcher(matcher)


PROBLEMS = [
    ({"$anny": True}, "`$anny` is no matcher"),
    ({"$any": False}, "write `$any: true`"),
    ({"$regex": "(", "example": "("}, "not a valid pattern"),
    ({"$regex": "(" * 1500, "example": "("}, "not a valid pattern"),
    ({"$regex": "a" * 5000, "example": "a"}, "at most 2000 characters"),
    ({"$regex": 5, "example": "5"}, "needs a pattern"),
    ({"$one_of": "ab"}, "needs a list"),
    ({"$one_of": []}, "needs a list"),
    ({"$approx": "3", "tolerance": 1}, "needs a number"),
    ({"$approx": 3}, "`tolerance:`"),
    ({"$subset": [1]}, "needs a map"),
    ({"$in": 5}, "needs a list or a map"),
    ({"$absent": 1}, "write `$absent: true`"),
    ({"$any": True, "exmaple": 1}, "`exmaple` cannot stand beside `$any`"),
    ({"$any": True, "$regex": "x", "example": "x"}, "`$regex` cannot stand beside `$any`"),
    ({"$regex": "^a", "example": "b"}, 'its example "b" does not match'),
    ({"a": [{"$regex": "x"}]}, "$.a[0]: `$regex` needs an `example:`"),
    ({"$one_of": [{"$nope": 1}]}, "$[0]: `$nope` is no matcher"),
]


@pytest.mark.parametrize(("matcher", "sentence"), PROBLEMS)
def test_lint_sentences(matcher: Any, sentence: str) -> None:
    assert any(sentence in problem for problem in check_matcher(matcher))


@pytest.mark.parametrize(
    "matcher", [{"$in": "${world.files}"}, {"$regex": "^${args.x}$"}, {"$approx": "${args.n}", "tolerance": 1}]
)
def test_what_a_rule_fills_in_later_is_taken_to_be_right(matcher: Any) -> None:
    assert check_matcher(matcher, needs_example=False) == []
