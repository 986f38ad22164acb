"""pydantic's errors → problems with a place, saying what was expected and what is there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from agenteval.document.reader import Document, Path
from agenteval.errors import Problem
from agenteval.script import Json

_EXPECTED = {
    "bool_type": "true or false",
    "dict_type": "a map",
    "float_type": "a number",
    "int_type": "a whole number",
    "list_type": "a list",
    "model_type": "a map",
    "string_type": "a text",
}

_NO_STEPS = ("[key]", "[text]", "[spellings]")
"""What pydantic's paths hold beside the steps of the file: that it is a key, and which member of a union it is."""


def complaints(document: Document, error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """Everything that pydantic found, in the order of the file."""
    details = error.errors(include_url=False)
    problems = [_problem(document, detail, model) for detail in details]
    return sorted(problems, key=lambda problem: (problem.line, problem.column))


def _problem(document: Document, detail: ErrorDetails, model: type[BaseModel]) -> Problem:
    is_key = "[key]" in detail["loc"]
    path = tuple(step for step in detail["loc"] if step not in _NO_STEPS)
    if detail["type"] == "missing":
        expected = _description(model, path)
        return document.problem(path, f"`{path[-1]}` is missing; expected {expected}")
    if detail["type"] == "extra_forbidden":
        return document.problem(path, _unknown_key(str(path[-1]), _keys(model, path[:-1])), key=True)
    if detail["type"] == "value_error":
        return document.problem(path, str(detail["ctx"]["error"]), key=is_key)
    expected = _description(model, path) or _EXPECTED.get(detail["type"]) or _one_of(detail) or detail["msg"]
    quotes = "; put it in quotes" if detail["type"] == "string_type" and _is_bare(detail["input"]) else ""
    return document.problem(path, f"expected {expected}, found {found(detail['input'])}{quotes}", key=is_key)


def _one_of(detail: ErrorDetails) -> str | None:
    return str(detail["ctx"]["expected"]) if detail["type"] == "literal_error" else None


def _is_bare(value: Json) -> bool:
    return isinstance(value, bool | int | float)


def _unknown_key(key: str, known: list[str]) -> str:
    return f"unknown key `{key}`{did_you_mean(key, known)}; there are {', '.join(known)}"


def did_you_mean(word: str, known: list[str]) -> str:
    """`, did you mean …?` if one of the known words is near."""
    near = get_close_matches(word, known, n=1)
    return f", did you mean `{near[0]}`?" if near else ""


def found(value: Json) -> str:
    """A value of a file as people would name it."""
    if isinstance(value, dict):
        return "a map" if value else "an empty map"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    text = json.dumps(value, ensure_ascii=False)
    kind = {bool: "true or false", int: "a number", float: "a number", str: "a text"}.get(type(value), "nothing")
    return f"{text if len(text) <= 60 else text[:59] + '…'} ({kind})"


# --- walking the models along a path ------------------------------------------------------------------------


def _description(model: type[BaseModel], path: Path) -> str | None:
    """What a field says is expected: the first sentence of its description; None for what stands in a list or map."""
    holder = _model_at(model, path[:-1])
    field = _fields(holder).get(str(path[-1])) if holder and path else None
    return str(field.description).split(". ")[0].removesuffix(".") if field else None


def _keys(model: type[BaseModel], path: Path) -> list[str]:
    holder = _model_at(model, path)
    return list(_fields(holder)) if holder else []


def _fields(model: type[BaseModel]) -> Mapping[str, Any]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _model_at(model: type[BaseModel], path: Path) -> type[BaseModel] | None:
    """The model of the map at a path, if that map has one."""
    annotation: Any = model
    for step in path:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            field = _fields(annotation).get(str(step))
            annotation = _plain(field.annotation) if field else None
        else:
            annotation = _plain(get_args(annotation)[-1]) if get_origin(annotation) in (list, dict) else None
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _plain(annotation: Any) -> Any:
    """Without `| None` and without Annotated."""
    inner = next(_alternatives(annotation), None)
    return _plain(inner) if inner is not None else annotation


def _alternatives(annotation: Any) -> Iterator[Any]:
    if get_origin(annotation) not in (list, dict):
        yield from (item for item in get_args(annotation) if item is not type(None) and not isinstance(item, str))
