"""The scenario format as its models and tables have it: `scenarios/FORMAT.md` for people, `schema.json` for editors.

`tests.docs` writes both and compares them. The words of matchers and projections are those of the tables in the
docstrings of `agenteval.match` and `agenteval.tools.returns`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from inspect import getdoc
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from agenteval import match
from agenteval.scenario import model, padding
from agenteval.tools import returns

SECTIONS: dict[type[BaseModel], str] = {
    model.ScenarioFile: "A scenario",
    model.DefaultsFile: "Defaults",
    model.ValueFile: "A value",
    model.ToolFile: "A tool",
    model.RuleFile: "A rule",
    model.ReplaceFile: "A replacement",
    model.PastTurnFile: "A turn of the history",
    model.PastCallFile: "A call of the history",
    model.TurnFile: "A turn",
    model.ExpectFile: "An expectation",
    model.CallFile: "A call",
    model.AnswerFile: "An answer",
    model.FactFile: "A fact",
    model.SizesFile: "Sizes",
    model.SuiteFile: "A suite",
}

TABLE = "| key | value | default | meaning |\n| --- | --- | --- | --- |\n"
INTRODUCTION = """\
# Scenario files, key by key

Written by `make docs` from what checks the files. [README.md](README.md) shows the format on one page, with an example;
`agenteval scenario new NAME` writes a file to begin with. Keys that are not listed are mistakes.

Wherever a text is expected, `{$file: relative/path}` may stand for the text of a file, and `{$pad: {tokens: 400}}` for
neutral text of a length; see [padding](#padding). `${name}` in a text is filled in; see
[placeholders](#placeholders). A path below the world is written `tickets[${ticket}].status`.
"""
MATCHERS = """\
## Matchers

A plain value is exact: 25 is 25.0, true is not 1, a map has these keys and no others, a list these items. A map with
one of these words is a matcher; it may stand anywhere inside a plain value.

| matcher | what holds |
| --- | --- |
"""
AFTER_MATCHERS = """
Beside the word may stand `example:`, a value that it accepts. Where a call is expected, golden history and the built-in
endpoint have to write the arguments: a matcher that leaves them open needs one.
"""
PROJECTIONS = """\
## Projections

They may stand anywhere inside `returns`, and look at the world as it is after the rule's changes.

| projection | what it gives |
| --- | --- |
"""
AFTER_PROJECTIONS = """
An argument that is left out counts as no prefix, the first line, the last line.
"""
PADDING = """\
## Padding

`{$pad: {tokens: 400, holds: "The code is ${code}.", at: end}}` is neutral text: sentences without digits, names, rules
or commands, the same on every machine. Tokens are those of the o200k vocabulary.

| key | value |
| --- | --- |
"""
PLACEHOLDERS = """\
## Placeholders

| written | stands for | where |
| --- | --- | --- |
| `${name}` | a value of the scenario | everywhere |
| `${args.name}` | an argument of the call | in rules |
| `${world.path}` | what stands there in the world | in rules |
| `$${` | a literal `${` | everywhere |

A path goes on with `.name`, `[any name]` or `[0]`; inside brackets `args.…` and `world.…` are looked up first:
`${world.files[args.path]}`. A text that is nothing but one placeholder becomes what it stands for, list or map.

Brackets do not stand inside brackets: what is looked up there is written with dots only, places of a list too.
`${args.paths[0]}` is the first item of a list, `${world.files[args.paths.0]}` the file of that name.

Nothing is computed, but each change of a rule sees what the changes before it did. So the world may hold a chain of
values, from which each call draws a fresh one; `[world.last]` is then the one that was drawn just now:

```yaml
values: {first: {nonce: "A####"}, second: {nonce: "A####"}}
world:
  files: {a.md: one, b.md: two}
  orders: {}
  next: "${first}"
  after: {"${first}": "${second}", "${second}": none}
  last: none
tools:
  - name: place_order
    parameters: {type: object, properties: {item: {type: string}}, required: [item]}
    mock:
      - state: {next: none}
        error: no more orders today
      - set:
          last: "${world.next}"                    # draws a number,
          orders[world.last]: "${args.item}"       # uses it as a key,
          next: "${world.after[world.last]}"       # and lays out the one that follows
        returns: {order: "${world.last}"}
  - name: read_both
    parameters: {type: object, properties: {paths: {type: array, items: {type: string}}}, required: [paths]}
    mock:
      - when: {paths: [{$in: "${world.files}"}, {$in: "${world.files}"}]}
        returns: ["${world.files[args.paths.0]}", "${world.files[args.paths.1]}"]
      - error: "not two files: ${args.paths}"
```
"""


def page() -> str:
    """`scenarios/FORMAT.md`."""
    return (
        "\n".join(
            [
                INTRODUCTION,
                *map(_section, SECTIONS),
                MATCHERS + "".join(_word_row(row) for row in words(match.__doc__)) + AFTER_MATCHERS,
                PROJECTIONS + "".join(_word_row(row) for row in words(returns.__doc__)) + AFTER_PROJECTIONS,
                PADDING + "".join(f"| `{key}` | {meaning} |\n" for key, meaning in padding.KEYS.items()),
                PLACEHOLDERS,
            ]
        ).rstrip("\n")
        + "\n"
    )


def words(docstring: str | None) -> list[tuple[str, str]]:
    """The rows of the table in a docstring: as it is written, and what it does."""
    return re.findall(r"^ {4}(\{.+?\}) {2,}(.+)$", docstring or "", re.MULTILINE)


def _word_row(row: tuple[str, str]) -> str:
    return f"| `{row[0]}` | {row[1]} |\n"


def _section(part: type[BaseModel]) -> str:
    rows = "".join(_row(field.alias or name, field) for name, field in part.model_fields.items())
    return f"## {SECTIONS[part]}\n\n{getdoc(part)}\n\n{TABLE}{rows}"


def _row(key: str, field: FieldInfo) -> str:
    expected, _, meaning = str(field.description).partition(". ")
    cells = (f"`{key}`", expected + _link(field), _default(field), meaning)
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |\n"


def _link(field: FieldInfo) -> str:
    """Where the keys of what stands in a field are listed."""
    parts = [SECTIONS[part] for part in _parts_in(field.annotation)]
    return "".join(f"; see [{title.lower()}](#{title.lower().replace(' ', '-')})" for title in parts)


def _parts_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if annotation in SECTIONS:
        yield annotation
    elif get_origin(annotation) is not None:
        for inner in get_args(annotation):
            yield from _parts_in(inner)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default is None or isinstance(field.default, BaseModel):
        return ""
    return f"`{json.dumps(field.default)}`"


# --- for editors --------------------------------------------------------------------------------------------


TEXT_OR_FILE = {
    "type": ["string", "object"],
    "properties": {
        "$file": {"description": "the text of a file, relative to this one", "type": "string"},
        "$pad": {
            "description": "neutral text",
            "type": "object",
            "properties": {key: {"description": meaning} for key, meaning in padding.KEYS.items()},
            "additionalProperties": False,
        },
    },
    "minProperties": 1,
    "maxProperties": 1,
    "additionalProperties": False,
}
"""A text, or what stands for one (the last four speak of objects only)."""


class _EditorSchema(GenerateJsonSchema):
    """pydantic's JSON Schema, in which a text may also be that of a file, or padding."""

    def str_schema(self, schema: core_schema.StringSchema) -> JsonSchemaValue:
        text = super().str_schema(schema)
        return text if "pattern" in text else {**text, **TEXT_OR_FILE}

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def editor_schema() -> dict[str, Any]:
    """The JSON Schema of a file: a scenario, or a suite's `suite.yaml`. Draft 7 is what every editor knows."""
    kinds: tuple[type[BaseModel], ...] = (model.ScenarioFile, model.SuiteFile)
    _, made = models_json_schema([(kind, "validation") for kind in kinds], schema_generator=_EditorSchema)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "agenteval scenario or suite file",
        "anyOf": [{"$ref": f"#/$defs/{kind.__name__}"} for kind in kinds],
        "$defs": made["$defs"],
    }


def schema_text() -> str:
    """`scenarios/schema.json`."""
    return json.dumps(editor_schema(), ensure_ascii=False, indent=1) + "\n"
