"""The tools that the corpus offers (`fixtures/parsers/tools.yaml`, compared by a test), for programs without YAML."""

from __future__ import annotations

from agenteval.messages import ToolSpec


def tool(name: str, **properties: object) -> ToolSpec:
    return ToolSpec(name, f"Does {name}.", {"type": "object", "properties": properties})


TEXT = {"type": "string"}
TOOLS = (
    tool("get"),
    tool("get_time"),
    tool("get_time_zone", city=TEXT),
    tool("save", path=TEXT, text=TEXT, tags={"type": "array"}, meta={"type": "object"}),
    tool("calc", n={"type": "integer"}, x={"type": "number"}, flag={"type": "boolean"}, any={}),
    tool("limit", upto={"type": ["integer", "null"]}, unit={"anyOf": [TEXT, {"type": "null"}]}),
)
