"""Paths and placeholders: what they lead to, what stays as it is, what cannot be followed."""

from __future__ import annotations

import contextlib
import copy
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenteval.template import (
    MissingPath,
    TemplateProblem,
    delete_path,
    get_path,
    malformed,
    parse_path,
    placeholders,
    quoted,
    set_path,
    substitute,
)

WORLD: dict[str, Any] = {
    "files": {"src/app.py": "print()", "a b": "x"},
    "orders": [{"id": 7, "lines": [1, 2]}, {"id": 8}],
    "flag": True,
}
SCOPES = {"world": WORLD, "args": {"path": "src/app.py", "n": 1, "flag": True}, "ticket": "BUG-1", "price": 2.5}

PATHS = [
    ("files[src/app.py]", "print()"),
    ("files[a b]", "x"),
    ("files[args.path]", "print()"),
    ("orders[0].id", 7),
    ("orders.1.id", 8),
    ("orders[args.n].id", 8),
    ("orders[0].lines[1]", 2),
    ("flag", True),
]


@pytest.mark.parametrize(("path", "value"), PATHS)
def test_a_path_leads_to_a_value(path: str, value: Any) -> None:
    assert get_path(WORLD, path, SCOPES) == value


@pytest.mark.parametrize(
    ("path", "missing"),
    [
        ("files[b.py]", "files[b.py]"),
        ("orders[2]", "orders.2"),
        ("orders[-1]", "orders.-1"),
        ("orders[1].lines[0]", "orders.1.lines"),
        ("flag.x", "flag.x"),
        ("files[args.nothing]", "args.nothing"),
    ],
)
def test_a_path_that_leads_nowhere_says_where_it_ends(path: str, missing: str) -> None:
    with pytest.raises(MissingPath, match=re.escape(f"there is no `{missing}`")):
        get_path(WORLD, path, SCOPES)


@pytest.mark.parametrize(
    "path", ["", ".a", "a.", "a..b", "a[", "a[]", "a]", "a b", "a+b", "f(x)", "a[x]b", "a" + ".b" * 40]
)
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(TemplateProblem, match="is not a path"):
        parse_path(path)


def test_a_reference_must_name_something() -> None:
    with pytest.raises(TemplateProblem, match="neither a text nor a whole number"):
        get_path(WORLD, "files[args.flag]", SCOPES)


def test_setting_and_deleting_leave_the_old_value_alone() -> None:
    before = copy.deepcopy(WORLD)
    changed = set_path(WORLD, "files[args.path]", "new", SCOPES)
    changed = set_path(changed, "orders[0].lines[1]", 5)
    changed = set_path(changed, "files[c.py]", "c")
    changed = delete_path(changed, "orders[1]")
    assert before == WORLD
    assert changed["files"] == {"src/app.py": "new", "a b": "x", "c.py": "c"}
    assert changed["orders"] == [{"id": 7, "lines": [1, 5]}]
    assert delete_path(changed, "files")["orders"] is changed["orders"]


@pytest.mark.parametrize("path", ["nowhere.x", "orders[5]", "flag.x", "orders[0].lines[2]"])
def test_setting_needs_a_place(path: str) -> None:
    with pytest.raises(MissingPath):
        set_path(WORLD, path, 1)


SUBSTITUTIONS = [
    ("${ticket}", "BUG-1"),
    ("${price}", 2.5),
    ("see ${ticket}!", "see BUG-1!"),
    ("costs ${price}", "costs 2.5"),
    ("${world.files[args.path]}", "print()"),
    ("${world.orders}", WORLD["orders"]),
    ("all: ${world.orders[0]}", 'all: {"id":7,"lines":[1,2]}'),
    ("$${ticket}", "${ticket}"),
    ("a $${ticket} ${ticket}", "a ${ticket} BUG-1"),
    ("$${HOME:-/root}", "${HOME:-/root}"),
    ("$ticket {ticket} $", "$ticket {ticket} $"),
    ({"${ticket}": ["${price}", {"x": "${ticket}-1"}]}, {"BUG-1": [2.5, {"x": "BUG-1-1"}]}),
    ({"${price}": 1}, {"2.5": 1}),
    ([1, None, True, "x"], [1, None, True, "x"]),
]


@pytest.mark.parametrize(("value", "filled"), SUBSTITUTIONS)
def test_substitution(value: Any, filled: Any) -> None:
    assert substitute(value, SCOPES) == filled


def test_a_placeholder_that_leads_nowhere_is_an_error() -> None:
    with pytest.raises(MissingPath, match=re.escape("there is no `tickt`")):
        substitute("${tickt}", SCOPES)


def test_what_is_for_later_stays_as_it_is_written() -> None:
    value = {"${ticket}": "${args.x} $${args.x} ${world.tickets[${ticket}]} $${HOME}"}
    bound = substitute(value, {"ticket": "BUG-1"}, later={"args", "world"})
    assert bound == {"BUG-1": "${args.x} $${args.x} ${world.tickets[BUG-1]} ${HOME}"}
    called = substitute(bound["BUG-1"], {"args": {"x": 1}, "world": {"tickets": {"BUG-1": "open"}}}, partial=True)
    assert called == "1 ${args.x} open ${HOME}"


def test_what_was_filled_in_is_not_filled_in_again() -> None:
    assert substitute("${a} ${b}", {"a": "${b}", "b": "${a}"}) == "${b} ${a}"
    assert substitute("${a}", {"a": {"$any": "${b}"}, "b": 1}) == {"$any": "${b}"}


@given(st.text(alphabet="$${}[].abx", max_size=30))
def test_a_quoted_text_survives_substitution(text: str) -> None:
    assert substitute(quoted(text, ()), {}) == text


@given(st.text(alphabet="${}[].ab -\n", max_size=60))
def test_any_text_is_filled_in_or_refused_in_words(text: str) -> None:
    assert substitute(text, {}, partial=True) == text
    placeholders(text)
    malformed(text)
    with contextlib.suppress(TemplateProblem):
        substitute(text, {"a": 1, "b": {"a": "x"}})


def test_only_names_in_scope_are_filled_in_a_quoted_text() -> None:
    text = "${a} ${b} $${b} $${HOME:-x} ${a.c}"
    assert substitute(quoted(text, {"a"}), {"a": {"c": 1}}) == '{"c":1} ${b} $${b} $${HOME:-x} 1'


def test_placeholders_are_found_everywhere_but_where_they_are_escaped() -> None:
    value = {"${a.b}": ["x ${c} $${d}", {"k": "${world.x[${e}]}"}]}
    assert [found.text for found in placeholders(value)] == ["${a.b}", "${c}", "${world.x[${e}]}", "${e}"]
    assert [found.head for found in placeholders(value)] == ["a", "c", "world", "e"]


def test_what_opens_no_placeholder_is_found() -> None:
    assert malformed(["${a b}", "${}", "x ${HOME:-y} z", "$${a b}", "${ok}", "${"]) == (
        "${a b}",
        "${}",
        "${HOME:-y}",
        "${",
    )


def test_results_are_bounded_in_size_and_depth() -> None:
    large = {"a": "x" * 1_000_000}
    with pytest.raises(TemplateProblem, match="larger than"):
        substitute("${a}" * 20, large)
    with pytest.raises(TemplateProblem, match="larger than"):
        substitute(["${a}"] * 20, large)
    deep: Any = "x"
    for _ in range(200):
        deep = [deep]
    with pytest.raises(TemplateProblem, match="nested deeper"):
        substitute(deep, {})
    with pytest.raises(TemplateProblem, match="nested deeper"):
        substitute({"k": "${deep}"}, {"deep": deep})


def test_a_value_that_doubles_comes_to_an_end() -> None:
    world: Any = {"log": ["x"]}
    for _ in range(14):
        world = {"log": [world["log"], substitute("${world.log}", {"world": world})]}
    with pytest.raises(TemplateProblem, match="larger than"):
        substitute(["${world.log}"] * 40, {"world": world})


def test_two_keys_may_not_become_one() -> None:
    with pytest.raises(TemplateProblem, match="become the same"):
        substitute({"${a}": 1, "${b}": 2}, {"a": "x", "b": "x"})


@pytest.mark.parametrize("text", ["${a[" * 50_000, "${" * 100_000, "$" * 200_000, "${a.a" * 50_000])
def test_hostile_texts_take_no_time(text: str) -> None:
    assert substitute(text, {"a": 1}, partial=True) == text
