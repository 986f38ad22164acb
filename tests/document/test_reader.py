"""YAML with JSON's types and with places; everything else is refused, at its place."""

from __future__ import annotations

import contextlib
import json
import string
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from agenteval.document import reader
from agenteval.document.reader import MAX_BYTES, Document, Place, read
from agenteval.errors import FileError

LOADERS = [reader.LOADER, yaml.SafeLoader]


@pytest.fixture(params=LOADERS, ids=lambda loader: loader.__name__, autouse=True)
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both of PyYAML's parsers: the one in C, and the one that is there without it."""
    monkeypatch.setattr(reader, "LOADER", request.param)


def value_of(text: str) -> Any:
    return read(text.encode(), "f.yaml").value


def complaint(data: str | bytes) -> str:
    with pytest.raises(FileError) as caught:
        read(data if isinstance(data, bytes) else data.encode(), "f.yaml")
    return str(caught.value)


TYPES = [
    *(("true", True), ("false", False), ("null", None), ("~", None), ("", None)),
    *(("0", 0), ("-7", -7), ("25.0", 25.0), ("1e3", 1000.0), ("-1.5E-2", -0.015)),
    *(("NO", "NO"), ("no", "no"), ("Yes", "Yes"), ("on", "on"), ("True", "True"), ("NULL", "NULL"), ("y", "y")),
    *(
        ("12:30", "12:30"),
        ("1:2:3", "1:2:3"),
        ("00417", "00417"),
        ("0x10", "0x10"),
        ("0o17", "0o17"),
        ("1_000", "1_000"),
    ),
    *(
        (".5", ".5"),
        ("5.", "5."),
        ("+1", "+1"),
        (".inf", ".inf"),
        (".NaN", ".NaN"),
        ("1e", "1e"),
    ),
    *(("2026-05-04", "2026-05-04"), ("2026-05-04T10:00:00Z", "2026-05-04T10:00:00Z"), ("=", "=")),
    *(('"25"', "25"), ("'true'", "true"), ('""', ""), ('"null"', "null"), ('"\\u00e4"', "ä")),
]


@pytest.mark.parametrize(("text", "value"), TYPES)
def test_a_scalar_has_the_type_that_json_would_give_it(text: str, value: Any) -> None:
    document = value_of(f"k: {text}\n")
    assert document == {"k": value}
    assert type(document["k"]) is type(value)


def test_keys_stay_as_they_are_written() -> None:
    assert value_of("1: a\nNO: b\nnull: c\n12:30: d\n'q': e\n") == {
        "1": "a",
        "NO": "b",
        "null": "c",
        "12:30": "d",
        "q": "e",
    }


def test_block_texts_and_anchors() -> None:
    text = "a: &x |\n  one\n  two\nb: *x\nc: >-\n  three\n  four\nd: &m {k: [1]}\ne: *m\n"
    assert value_of(text) == {"a": "one\ntwo\n", "b": "one\ntwo\n", "c": "three four", "d": {"k": [1]}, "e": {"k": [1]}}


JSON_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Co", "Zl", "Zp")), max_size=40)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | JSON_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(JSON_TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
@example({"<<": 1, "": {"": ["#", "- a", "a: b", "NO", "\t"]}})
def test_a_json_document_reads_back_equal(value: Any) -> None:
    for text in (json.dumps(value, ensure_ascii=False), json.dumps(value, ensure_ascii=False, indent=2)):
        assert value_of(text) == value


@given(st.text() | st.text("[]{}:,-?&*!|>'\"%@`#~\n\t \\ab01.<=" + string.digits, max_size=40))
@example("? ")
@example("&a [*a]")
@example('"\\ud800"')
@example('"\\UFFFFFFFF"')
@example("%YAML 9.9\n---\n")
@example("\ufeff\ufeff")
def test_any_text_is_read_or_refused_at_a_place(text: str) -> None:
    try:
        document = read(text.encode("utf-8", "surrogatepass"), "f.yaml")
    except FileError as error:
        for problem in error.problems:
            assert problem.line >= 1, problem
            assert problem.column >= 1, problem
    else:
        json.dumps(document.value, allow_nan=False)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(FileError):
        read(data, "f.yaml")


PLACED = """\
name: x
turns:
  - user: hello
    expect:
      calls: [{name: a}, {name: b}]
  - user: |
      long
base: &b {k: v}
again: *b
"""


def placed() -> Document:
    return read(PLACED.encode(), "f.yaml")


@pytest.mark.parametrize(
    ("path", "value", "key"),
    [
        (("name",), (1, 7), (1, 1)),
        (("turns",), (3, 3), (2, 1)),
        (("turns", 0, "user"), (3, 11), (3, 5)),
        (("turns", 0, "expect", "calls", 1), (5, 26), (5, 26)),
        (("turns", 0, "expect", "calls", 1, "name"), (5, 33), (5, 27)),
        (("turns", 1, "user"), (6, 11), (6, 5)),
        (("again", "k"), (8, 14), (8, 11)),
        (("turns", 0, "nowhere", "x"), (3, 5), (3, 5)),
        ((), (1, 1), (1, 1)),
    ],
)
def test_every_value_and_key_knows_its_place(path: Any, value: tuple[int, int], key: tuple[int, int]) -> None:
    assert placed().place(path) == Place(*value)
    assert placed().place(path, key=True) == Place(*key)


REFUSED = [
    ("a: 1\nb: 2\na: 3\n", "f.yaml:3:1: the key 'a' stands twice; its first place is line 1"),
    ("x:\n  - {k: 1, k: 2}\n", "f.yaml:2:12: x[0]: the key 'k' stands twice"),
    (
        "a: !!python/object/apply:os.system [x]\n",
        "f.yaml:1:4: a: the tag tag:yaml.org,2002:python/object/apply:os.system",
    ),
    ("a: !!str 5\n", "f.yaml:1:4: a: the tag"),
    ("a: !x {}\n", "f.yaml:1:4: a: the tag !x is not allowed"),
    ("a: {<<: {b: 1}}\n", "f.yaml:1:5: a: merge keys (<<) are not supported"),
    ("? [a]\n: b\n", "f.yaml:1:3: a key has to be a text"),
    ("? {a: 1}\n: b\n", "a key has to be a text"),
    ("a: 1\n---\nb: 2\n", "f.yaml:2:1: a second document begins here"),
    ("a: *x\n", "f.yaml:1:4: a: there is no &x; a text that begins with * stands in quotes"),
    ("a: &x [1, *x]\n", "f.yaml:1:11: a[1]: *x stands inside itself"),
    ("a:\n\tb: 1\n", "f.yaml:2:1: a tab cannot indent; use spaces"),
    ("a: [1, 2\nb: 3\n", "f.yaml:2"),
    ("a: b: c\n", "f.yaml:1:5: not valid YAML: mapping values are not allowed"),
    ("a: 'x\n", "not valid YAML"),
    ("", "f.yaml:1:1: the file is empty"),
    ("# nothing\n", "the file is empty"),
    ("a: 1e999\n", "f.yaml:1:4: a: this number is too large"),
    (f"a: {'9' * 200}\n", "f.yaml:1:4: a: this number is too large"),
    (b"a: 1\nb: \xff\xfe\n", "f.yaml:2:4: byte 0xff is not UTF-8"),
    ("a: ä\n".encode("utf-16"), "f.yaml:1:1: byte 0xff is not UTF-8"),
    ("a: 1\nb: x\x07\n", "f.yaml:2:5: the character U+0007 cannot stand in YAML"),
    ("[" * 100 + "]" * 100, "nested deeper than 64 levels"),
    ("- " * 100 + "x", "nested deeper than 64 levels"),
    (b"x" * (MAX_BYTES + 1), "larger than 2,097,152 bytes"),
]


@pytest.mark.parametrize(("data", "sentence"), REFUSED, ids=range(len(REFUSED)))
def test_it_is_refused_with_its_place(data: str | bytes, sentence: str) -> None:
    assert sentence in complaint(data)


def test_all_problems_that_leave_the_structure_whole_are_told() -> None:
    said = complaint("a: 1\na: 2\nb: !x 1\nc: 1e999\n")
    assert [line.split(": ")[0] for line in said.splitlines()] == ["f.yaml:2:1", "f.yaml:3:4", "f.yaml:4:4"]


BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{level}: &a{level} [{','.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 12)
)
DEEP = "a0: &a0 [x]\n" + "".join(f"a{level}: &a{level} [*a{level - 1}]\n" for level in range(1, 80))
LONG = f"a: &a {'x' * 100_000}\nb: [{','.join(['*a'] * 1000)}]\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (BOMB, "more than 100,000 values"),
        (DEEP, "nested deeper"),
        (LONG, "more than"),
        ("[" * 1_900_000, "nested deeper"),
    ],
    ids=["values", "levels", "characters", "brackets"],
)
def test_a_bomb_is_refused_before_it_unfolds(text: str, sentence: str) -> None:
    assert sentence in complaint(text)
