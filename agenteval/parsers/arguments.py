"""Arguments of formats that write bare values between tags: between that text and the JSON object's text.

Such a format does not say whether `00417` is a string or a number, or `true` a word; the tool's schema does.
Numbers are never converted: a value that is JSON goes through as it is written, `1e400` and 30 digits
included.

Not covered: what only a validator could decide (`if`, `not`, patterns, remote references). A schema that does
not plainly name its types counts as one that allows every type. An integer of more than 4300 digits counts as
a string.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from json.encoder import encode_basestring
from typing import Any, TypeAlias

from agenteval.canonical import JsonProblem, parse_json
from agenteval.messages import ToolSpec

Types: TypeAlias = frozenset[str] | None
"""The JSON Schema types that a parameter may have; None: any."""

STRING: Types = frozenset({"string"})

_TYPE_NAMES: dict[type, str] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
    type(None): "null",
}
_REFERENCES_FOLLOWED = 8
_MAPPING = (dict, Mapping)
"""`dict` first: asking the abstract class costs more than the rest of a look-up."""


def quoted(text: str) -> str:
    """A JSON string. Character by character, so that `escaped` pieces join to the same text."""
    return encode_basestring(text)


def escaped(text: str) -> str:
    """A piece of a JSON string's inside."""
    return encode_basestring(text)[1:-1]


def spelled(text: str, types: Types) -> str:
    """The JSON of a bare value: as it is written if it is JSON of an allowed type, else as a string.

    Where a string is not allowed and the text is no JSON, it still becomes a string: the schema's verdict is
    another room's work. Where a string is allowed beside other types, JSON of those wins over a string that
    looks like it.
    """
    if types == STRING:
        return quoted(text)
    try:
        value = parse_json(text)
    except JsonProblem:
        return quoted(text)
    if types is None or "string" not in types or _is_of(value, types - {"string"}):
        return text.strip()
    return quoted(text)


_PYTHON = {"True": ("true", "boolean"), "False": ("false", "boolean"), "None": ("null", "null")}
PYTHON_LITERALS = {json_text: python for python, (json_text, _) in _PYTHON.items()}
"""JSON literals as Python spells them."""


def python_literal(bare: str, types: Types) -> str:
    """The JSON literal that a Python one stands for, where the types name that literal's own; else the text."""
    literal, kind = _PYTHON.get(bare.strip(), (bare, ""))
    return literal if types is not None and kind in types else bare


def unwrapped(value: str, types: Types) -> str:
    """The JSON inside a JSON string, where the types allow no string and do allow what is inside; else the value."""
    if types is None or "string" in types or not value.startswith('"'):
        return value
    try:
        inner = parse_json(value)
        return inner.strip() if _is_of(parse_json(inner), types) else value
    except JsonProblem:
        return value


def _is_of(value: Any, types: frozenset[str]) -> bool:
    if isinstance(value, float) and value.is_integer():
        return bool(types & {"number", "integer"})
    name = _TYPE_NAMES[type(value)]
    return name in types or (name == "integer" and "number" in types)


def parameter_types(tool: ToolSpec | None, key: str) -> Types:
    """What the tool's schema says about one of its parameters; None for an undeclared tool or parameter."""
    if tool is None:
        return None
    schema = _properties(tool).get(key, tool.parameters.get("additionalProperties"))
    return _types(schema, tool.parameters, _REFERENCES_FOLLOWED)


def declares(tool: ToolSpec, key: str) -> bool:
    """Whether a tool's schema names this parameter."""
    return key in _properties(tool)


def _properties(tool: ToolSpec) -> Mapping[str, object]:
    properties = tool.parameters.get("properties")
    return properties if isinstance(properties, _MAPPING) else {}


def _types(schema: object, root: object, depth: int) -> Types:
    if not isinstance(schema, _MAPPING) or not depth:
        return None
    for word, read in _WORDS.items():
        if word in schema:
            return read(schema[word], root, depth - 1)
    return None


def _of_type(word: object, _root: object, _depth: int) -> Types:
    names = [word] if isinstance(word, str) else word
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return None
    return frozenset(names)


def _of_values(values: object, _root: object, _depth: int) -> Types:
    if not isinstance(values, list):
        return None
    return frozenset(_TYPE_NAMES.get(type(value), "object") for value in values)


def _of_reference(reference: object, root: object, depth: int) -> Types:
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return None
    target: object = root
    for step in reference.removeprefix("#/").split("/"):
        target = target.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(target, Mapping) else None
    return _types(target, root, depth)


def _of_any(options: object, root: object, depth: int) -> Types:
    read = [_types(option, root, depth) for option in options] if isinstance(options, list) else []
    known = [types for types in read if types is not None]
    return frozenset().union(*known) if read and len(known) == len(read) else None


def _of_all(parts: object, root: object, depth: int) -> Types:
    read = [_types(part, root, depth) for part in parts] if isinstance(parts, list) else []
    known = [types for types in read if types is not None]
    return frozenset.intersection(*known) if known else None


_WORDS: dict[str, Callable[[object, object, int], Types]] = {
    "type": _of_type,
    "const": lambda value, root, depth: _of_values([value], root, depth),
    "enum": _of_values,
    "$ref": _of_reference,
    "anyOf": _of_any,
    "oneOf": _of_any,
    "allOf": _of_all,
}

_BETWEEN_VALUES = re.compile(r"[ \t\n\r,:]*")
_DECODER = json.JSONDecoder()


def members(text: str) -> list[tuple[str, Any, str]]:
    """Key, value and value as written of each member of a JSON object's text, repeated keys included.

    Raises JsonProblem if the text is no JSON object.
    """
    if not isinstance(parse_json(text), dict):
        raise JsonProblem("not an object")
    found = []
    at = _next(text, text.index("{") + 1)
    while text[at] != "}":
        key, at = _DECODER.raw_decode(text, at)
        start = _next(text, at)
        value, at = _DECODER.raw_decode(text, start)
        found.append((key, value, text[start:at]))
        at = _next(text, at)
    return found


def _next(text: str, at: int) -> int:
    found = _BETWEEN_VALUES.match(text, at)
    return found.end() if found else at
