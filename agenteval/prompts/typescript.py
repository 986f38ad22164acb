"""Tools as the TypeScript namespace in which gpt-oss reads them, as openai-harmony writes it.

Not covered: `oneOf` (written `any`, as `anyOf` is there too), titles and examples.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agenteval.messages import ToolSpec

_INDENT = "    "
_LINE_END = re.compile(r"\r?\n")
_TYPES: Mapping[str, str] = {"string": "string", "number": "number", "integer": "number", "boolean": "boolean"}

Schema = Mapping[str, Any]


def namespace(name: str, tools: Sequence[ToolSpec]) -> str:
    """The declaration of all tools."""
    return "\n\n".join([f"namespace {name} {{", *map(_declared, tools), f"}} // namespace {name}"])


def _declared(tool: ToolSpec) -> str:
    *lines, last = _LINE_END.split(tool.description)
    described = "".join(f"// {line}\n" for line in ([*lines, last] if last else lines))
    return f"{described}type {tool.name} = (_: {_type(tool.parameters, '')}) => any;"


def _type(schema: object, indent: str) -> str:
    if not isinstance(schema, Mapping):
        return "any"
    kind = schema.get("type")
    if isinstance(kind, list):
        return " | ".join("number" if name == "integer" else str(name) for name in kind) or "any"
    if kind == "object":
        return _object(schema, indent)
    if kind == "array":
        return f"{_type(schema['items'], indent)}[]" if "items" in schema else "Array<any>"
    if kind == "string" and isinstance(schema.get("enum"), list):
        return " | ".join(f'"{value}"' for value in schema["enum"])
    return _TYPES.get(str(kind), "any")


def _object(schema: Schema, indent: str) -> str:
    required = schema.get("required")
    needed = required if isinstance(required, list) else []
    properties = schema.get("properties")
    members = properties if isinstance(properties, Mapping) else {}
    lines = (line for key, value in members.items() for line in _member(key, value, indent, needed=key in needed))
    return "\n".join([f"{_comment(schema, indent)}{{", *lines, f"{indent}}}"])


def _member(key: str, schema: object, indent: str, *, needed: bool) -> Iterator[str]:
    known: Schema = schema if isinstance(schema, Mapping) else {}
    kind = _type(known, indent + _INDENT)
    if known.get("nullable") is True and "null" not in kind:
        kind += " | null"
    yield f"{_comment(known, indent)}{indent}{key}{'' if needed else '?'}: {kind},{_default(known)}"


def _comment(schema: Schema, indent: str) -> str:
    text = schema.get("description")
    return f"{indent}// {text}\n" if isinstance(text, str) else ""


def _default(schema: Schema) -> str:
    if "default" not in schema:
        return ""
    default = schema["default"]
    if isinstance(default, str):
        return f" // default: {default}" if "enum" in schema else f' // default: "{default}"'
    return f" // default: {json.dumps(default, ensure_ascii=False, separators=(',', ':'))}"
