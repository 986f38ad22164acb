"""Sentences on whether calls were held to a grammar: how rates of malformed calls are to be read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def constraint_notes(endpoint: Mapping[str, Any], findings: Mapping[str, int]) -> list[str]:
    """One sentence or two where something is known of the server; none where nothing is. `endpoint`: the manifest's
    facts, with `constraint` as `dialects.Constraint` has it."""
    known = endpoint.get("constraint")
    if not known:
        return []
    source = _source(known, endpoint.get("server_version"))
    if not known["names"]:
        return [f"Calls were not constrained: this server lets the model write any tool name and arguments ({source})."]
    held, absent = "offered tool names", "unknown tools"
    if known["arguments"]:
        held, absent = f"{held} and arguments that keep their schema", f"{absent} and broken arguments"
    free = "" if known["arguments"] else "; arguments may break their schema"
    notes = [
        f"Calls were constrained: with these tools the server's grammar lets only {held} be decoded{free} ({source}). "
        f"That there are no {absent} says nothing of the model."
    ]
    return notes + _contradictions(known, findings)


def _source(known: Mapping[str, Any], version: str | None) -> str:
    """How this is known of the server at hand."""
    measured = f"{known['program']} {known['version']}"
    if version is None:
        return f"likely: measured in {measured}, the version here is not known"
    same = known["version"] in version
    return f"measured in {measured}, as here" if same else f"likely: measured in {measured}, here it is {version}"


def _contradictions(known: Mapping[str, Any], findings: Mapping[str, int]) -> list[str]:
    """What came although the grammar should not have let it through."""
    kinds = ["unknown_tool"] + (["schema_violation"] if known["arguments"] else [])
    came = [f"{kind} {findings[kind]}" for kind in kinds if findings.get(kind)]
    return [f"Yet there were {', '.join(came)}: as it was started, this server constrains less."] if came else []
