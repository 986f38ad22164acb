"""What servers let a model decode once tools are given. Some hold calls to a grammar even under tool_choice auto: then
a malformed call is a property of server and flags, and its absence says nothing of the model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Constraint:
    """What calls are held to under tool_choice auto, when no tool asks for `strict`.

    `names`: to the family's markup and the offered tools; `arguments`: to the tool's schema. `program`, `version`:
    where this was measured, with the parsers of the family.
    """

    names: bool
    arguments: bool
    program: str
    version: str


_LLAMACPP = Constraint(names=True, arguments=True, program="llama.cpp", version="0c1e570")

CONSTRAINTS: Mapping[tuple[str, str], Constraint] = {
    ("llamacpp", "glm47"): _LLAMACPP,
    ("llamacpp", "harmony"): _LLAMACPP,
    ("vllm", "glm47"): Constraint(names=True, arguments=False, program="vLLM", version="0.32.0"),
    ("vllm", "harmony"): Constraint(names=False, arguments=False, program="vLLM", version="0.32.0"),
    ("sglang", "glm47"): Constraint(names=True, arguments=False, program="SGLang", version="0.5.23"),
    ("sglang", "harmony"): Constraint(names=False, arguments=False, program="SGLang", version="0.5.23"),
}
"""Dialect and family → what was measured (`make test-servers` measures it again; that Harmony's names are free is read
in the servers' sources). Others are not known."""

DECIDING_FIELDS = ("tool_choice", "tools", "response_format", "structured_outputs", "guided_json", "grammar")
"""Request fields that change what a grammar holds calls to."""


def constraint_of(dialect: str, family: str | None, extra: Mapping[str, Any]) -> Constraint | None:
    """What is known; None for other servers and families, or when the request's extra fields decide it."""
    if any(name in extra for name in DECIDING_FIELDS):
        return None
    return CONSTRAINTS.get((dialect, family or ""))
