"""The JSON Schema for editors, and the reference of the format: what they must know, and agree with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from jsonschema import Draft7Validator

from agenteval import match
from agenteval.document.reader import read
from agenteval.match import check_matcher
from agenteval.messages import ToolCall
from agenteval.scenario import bind, bundled_names, bundled_root, draw, lint, load_suite
from agenteval.scenario.locate import locate
from agenteval.scenario.model import RuleFile
from agenteval.scenario.projections import PROJECTION_PATHS
from agenteval.script import Change
from agenteval.tools import World, execute
from tests import format_page
from tests.scenario.files import SMALL, spoilt, write

SCHEMA = json.loads((bundled_root() / "schema.json").read_text(encoding="utf-8"))
STARTER = Path(__file__).parent.parent.parent / "agenteval" / "data" / "starter.yaml"


def bundled_files() -> list[Path]:
    places = [locate(name) for name in bundled_names()]
    return [file for place in places for file in (*place.scenarios, place.suite) if file]


def value_of(text: str) -> Any:
    return read(text.encode(), "f.yaml").value


def holds(value: Any) -> bool:
    return Draft7Validator(SCHEMA).is_valid(value)


def test_the_schema_is_one() -> None:
    Draft7Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("file", [*bundled_files(), STARTER], ids=lambda file: file.name)
def test_bundled_files_keep_the_schema(file: Path) -> None:
    errors = Draft7Validator(SCHEMA).iter_errors(read(file.read_bytes(), str(file)).value)
    assert [f"{error.json_path}: {error.message}" for error in errors] == []


def test_the_readmes_scenario_keeps_the_schema() -> None:
    block = (bundled_root() / "README.md").read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    assert holds(value_of(block))


PAST = "history:\n  - {{user: Hi., calls: [{{name: x, {}}}], answer: Hm.}}\n"
KEPT = [
    ("user: Read a.py.", "user: {$file: ask.txt}"),
    ("returns: {status: closed}", "returns: null"),
    ('answer: {contains: ["${ticket}"]}', 'answer: {contains: ["${ticket}", [closed, "no longer open"]]}'),
    ("name: small\n", "name: small\ndefaults: {temperature: null, max_steps: 3}\n"),
    ("calls: [{name: read_file, arguments: {path: a.py}}]", "calls: null"),
    ("turns:\n", PAST.format("arguments: '{', error: no") + "turns:\n"),
]
BROKEN = [
    ("schema: 1\n", ""),
    ("schema: 1\n", "schema: 2\n"),
    ("name: small\n", "name: Small One\n"),
    ("turns:\n", "turn:\n"),
    ("answer: {contains:", "answer: {contain:"),
    ("user: Read a.py.", "user: 7"),
    ('answer: {contains: ["${ticket}"]}', "answer: {contains: [closed, []]}"),
    ('answer: {contains: ["${ticket}"]}', "answer: {contains: [closed, [417]]}"),
    ('answer: {contains: ["${ticket}"]}', "answer: {contains: [[[closed]]]}"),
    ('answer: {contains: ["${ticket}"]}', "answer: {excludes: [[closed]]}"),
    ("user: Read a.py.", "user: {$file: ask.txt, more: 1}"),
    ("calls: [{name: read_file, ", "calls: [{"),
    ('answer: {contains: ["${ticket}"]}', "order: sorted"),
    ('answer: {contains: ["${ticket}"]}', "extra: maybe"),
    ('{nonce: "BUG-####"}', "{}"),
    ('{nonce: "BUG-####"}', '{nonce: "BUG-####", choice: [a, b]}'),
    ("        returns: {status: closed}\n", ""),
    ("returns: {status: closed}", "error: x\n        returns: y"),
    ("    parameters: {type: object, properties: {id: {type: string}}, required: [id]}\n", ""),
    ("name: small\n", "name: small\ndefaults: {max_steps: 0}\n"),
    ("turns:\n", PAST.format("arguments: '{}', error: no, result: maybe") + "turns:\n"),
    ("turns:\n", PAST.format("arguments: {}, error: no") + "turns:\n"),
    ("turns:\n", PAST.format("error: no") + "turns:\n"),
]


@pytest.mark.parametrize(("old", "new"), KEPT, ids=range(len(KEPT)))
def test_the_schema_lets_pass_what_the_reader_takes(old: str, new: str, tmp_path: Path) -> None:
    text = spoilt(old, new)
    assert lint(write(tmp_path, {"a.yaml": text, "ask.txt": "Read a.py."})) == []
    assert holds(value_of(text))


@pytest.mark.parametrize(("old", "new"), BROKEN, ids=range(len(BROKEN)))
def test_the_schema_refuses_what_the_reader_refuses(old: str, new: str, tmp_path: Path) -> None:
    text = spoilt(old, new)
    assert lint(write(tmp_path, {"a.yaml": text}))
    assert not holds(value_of(text))


def test_a_suite_file_keeps_the_schema() -> None:
    assert holds({"name": "letters", "order": ["a"], "defaults": {"max_steps": 3}})
    assert not holds({"name": "letters", "orders": ["a"]})


def test_every_key_is_described() -> None:
    parts = SCHEMA["$defs"].values()
    assert all(part["description"] for part in parts)
    bare = [key for part in parts for key, field in part["properties"].items() if not field.get("description")]
    assert bare == []


def test_the_reference_has_every_part_of_the_format() -> None:
    assert {part.__name__ for part in format_page.SECTIONS} == set(SCHEMA["$defs"])
    page = format_page.page()
    for part in SCHEMA["$defs"].values():
        assert all(f"| `{key}` |" in page for key in part["properties"])


def test_the_reference_has_every_matcher_projection_and_verb() -> None:
    page = format_page.page()
    (known,) = check_matcher({"$nothing": 1})
    matchers = known.partition("; there are ")[2].split(", ")
    assert len(matchers) >= 8
    for word in (*matchers, *PROJECTION_PATHS):
        assert f"| `{{{word}: " in page, word
    verbs = get_args(get_type_hints(Change)["verb"])
    assert set(verbs) <= set(RuleFile.model_fields)


def test_examples_in_the_reference_are_right() -> None:
    for written, _ in format_page.words(match.__doc__):
        assert check_matcher(value_of(written), needs_example=False) == [], written


def test_the_chain_and_the_list_in_the_reference_work(tmp_path: Path) -> None:
    block = format_page.PLACEHOLDERS.split("```yaml\n")[1].split("```")[0]
    text = f"schema: 1\nname: chain\n{block}turns: [{{user: Go on.}}]\n"
    path = write(tmp_path, {"a.yaml": text})
    assert lint(path) == []
    scenario = bind(load_suite(path).scenarios[0], 3)
    numbers, world = draw(load_suite(path).scenarios[0], 3), World(scenario.world)

    def said(tool: str, **arguments: Any) -> Any:
        return execute(scenario, world, ToolCall("c", tool, json.dumps(arguments))).content

    assert [json.loads(said("place_order", item=item)) for item in ("tea", "jam")] == [
        {"order": numbers["first"]},
        {"order": numbers["second"]},
    ]
    assert said("place_order", item="rye") == "no more orders today"
    assert world.state["orders"] == {numbers["first"]: "tea", numbers["second"]: "jam"}
    assert json.loads(said("read_both", paths=["b.md", "a.md"])) == ["two", "one"]
    assert said("read_both", paths=["b.md"]) == 'not two files: ["b.md"]'


def test_a_first_sentence_is_what_an_error_says(tmp_path: Path) -> None:
    (problem,) = lint(write(tmp_path, {"a.yaml": spoilt('contains: ["${ticket}"]', "contains: 7")}))
    assert problem.message == "expected a list of texts, or of lists of spellings, found 7 (a number)"
    assert "| `contains` | a list of texts, or of lists of spellings | `[]` | " in format_page.page()
    assert SMALL.count("contains") == 1
