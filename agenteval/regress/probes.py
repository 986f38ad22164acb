"""What an audit asks for: calls with values on which parsers break. As a scenario, so that the embedded endpoint knows
them, too; every turn is asked for itself.
"""

from __future__ import annotations

import json
from typing import Any

from agenteval.messages import ToolSpec
from agenteval.script import Defaults, Expectation, ExpectedCall, MockTool, Rule, Scenario, Turn


def _tool(name: str, description: str, needed: tuple[str, ...] = (), **properties: dict[str, Any]) -> MockTool:
    schema = {
        "type": "object",
        "properties": properties,
        "required": list(needed),
        "additionalProperties": False,
    }
    return MockTool(ToolSpec(name, description, schema), (Rule(returns={"ok": True}),))


TEXT: dict[str, Any] = {"type": "string"}

TOOLS = (
    _tool("now", "Tell the time."),
    _tool("read_file", "Read one file.", ("path",), path=TEXT),
    _tool("write_file", "Write one file.", ("path", "text"), path=TEXT, text=TEXT),
    _tool(
        "search",
        "Search the files.",
        ("query",),
        query=TEXT,
        limit={"type": "integer"},
        exact={"type": "boolean"},
        tags={"type": "array", "items": TEXT},
    ),
    _tool("set", "Set a value.", ("key", "value"), key=TEXT, value={"type": "object"}),
)

Call = tuple[str, dict[str, Any]]

CALLS: dict[str, tuple[Call, ...]] = {
    "no arguments": (("now", {}),),
    "one argument": (("read_file", {"path": "src/app.py"}),),
    "a number as text": (("read_file", {"path": "00417"}),),
    "a word of JSON as text": (("read_file", {"path": "null"}),),
    "an empty text": (("write_file", {"path": "a.txt", "text": ""}),),
    "blanks and line ends": (("write_file", {"path": "a.txt", "text": "\n  two\n\tlines \n"}),),
    "quotes and escapes": (("write_file", {"path": "C:\\new", "text": 'say "no\\n"'}),),
    "letters of many bytes": (("write_file", {"path": "çé.md", "text": "日本語 🚀 e\u0301"}),),
    "JSON in a text": (("write_file", {"path": "a.json", "text": '{"name": "x", "arguments": {}}'}),),
    "markup in a text": (("write_file", {"path": "a.xml", "text": "<a>1 < 2</a> </s> <|x|> {{y}}"}),),
    "beginnings of closers": (("write_file", {"path": "a.md", "text": "</arg_val </tool_ </thin <|ca <|en"}),),
    "all types": (("search", {"query": "true", "limit": 10, "exact": False, "tags": ["a", "1", ""]}),),
    "a nested object": (("set", {"key": "k", "value": {"a": [1, {"b": None}], "c": "}"}}),),
    "two calls": (("read_file", {"path": "a.py"}), ("read_file", {"path": "b.py"})),
    "three calls, one empty": (("read_file", {"path": "a.py"}), ("now", {}), ("search", {"query": "x"})),
}
"""Probe → the calls that are asked for."""


def _wanted(calls: tuple[Call, ...]) -> str:
    spelled = [f"{name} with the arguments {json.dumps(given, ensure_ascii=False)}" for name, given in calls]
    many = "these calls, all of them in one reply" if len(calls) > 1 else "this call"
    return f"Make {many}, exactly so: {'; '.join(spelled)}."


PROBES = Scenario(
    name="parser-audit",
    description="Calls with values on which parsers break.",
    tags=(),
    system="You are an assistant with tools. Make exactly the calls that you are asked for.",
    tools=TOOLS,
    turns=tuple(
        Turn(_wanted(calls), Expectation(tuple(ExpectedCall(name, given) for name, given in calls), parallel=True))
        for calls in CALLS.values()
    ),
    world={},
    values={},
    defaults=Defaults(max_tokens=1024),
    source="parser-audit",
    hash="parser-audit",
)
