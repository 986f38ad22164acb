"""Cases as a file of the corpus: the inverse of `corpus`. Every text comes back as it was."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

from agenteval.messages import ToolSpec
from agenteval.parsers import ParsedMessage
from agenteval.regress.case import Case


def corpus_text(family: str, about: str, cases: Sequence[Case]) -> str:
    """A YAML file with these cases of one family. Every case brings its tools, those of an earlier one by anchor."""
    lines = [f"family: {family}", f"about: {_quoted(about)}", "cases:"]
    anchors: dict[str, str] = {}
    for case in cases:
        lines += ["", *_case(case, anchors)]
    return "\n".join([*lines, ""])


def _case(case: Case, anchors: dict[str, str]) -> Iterator[str]:
    yield f"  - id: {case.name}"
    yield f"    why: {_quoted(case.why)}"
    if case.guards:
        yield f"    guards: [{', '.join(case.guards)}]"
    yield f"    tools: {_tools(case.tools, anchors)}"
    if case.thinking:
        yield "    thinking: true"
    if case.policy:
        yield f"    policy: {case.policy}"
    yield f"    raw: {_text(case.raw, 6)}"
    if case.expected is not None:
        yield from _said("expected", case.expected, 4)
    if case.otherwise:
        yield "    otherwise:"
        for option, said in case.otherwise.items():
            yield from _said(option, said, 6)


def _tools(tools: Sequence[ToolSpec], anchors: dict[str, str]) -> str:
    spelled = _flow([_tool(tool) for tool in tools])
    if spelled in anchors:
        return f"*{anchors[spelled]}"
    anchors[spelled] = f"tools{len(anchors) + 1}"
    return f"&{anchors[spelled]} {spelled}"


def _tool(tool: ToolSpec) -> dict[str, Any]:
    return {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}


def _said(key: str, said: ParsedMessage, indent: int) -> Iterator[str]:
    edge = " " * indent
    if not (said.reasoning or said.content or said.calls):
        yield f"{edge}{key}: {{}}"
        return
    yield f"{edge}{key}:"
    for name, text in (("reasoning", said.reasoning), ("content", said.content)):
        if text:
            yield f"{edge}  {name}: {_text(text, indent + 4)}"
    if said.calls:
        yield f"{edge}  calls:"
    for call in said.calls:
        yield f"{edge}    - name: {_quoted(call.name)}"
        yield f"{edge}      arguments: {_text(call.arguments_text, indent + 8)}"


def _text(text: str, indent: int) -> str:
    """As a block where that keeps it to the letter and is easier to read, else quoted."""
    lines = text.split("\n")
    plain = all(map(_plain, lines)) and lines[0][:1] not in ("", " ") and lines[-1] != ""
    if len(lines) == 1 or not plain:
        return _quoted(text)
    return "\n".join(["|-", *(f"{' ' * indent}{line}" if line else "" for line in lines)])


def _plain(line: str) -> bool:
    return line == line.rstrip() and not any(map(_unprintable, line))


def _quoted(text: str) -> str:
    """A JSON string that any YAML reader takes: what cannot be seen is spelled out."""
    return "".join(_spelled(char) if _unprintable(char) else char for char in json.dumps(text, ensure_ascii=False))


def _flow(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return "".join(_spelled(char) if _unprintable(char) else char for char in text)


def _unprintable(char: str) -> bool:
    return char != " " and unicodedata.category(char)[0] in "CZ"


def _spelled(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"
