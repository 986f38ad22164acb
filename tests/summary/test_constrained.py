"""What a report says of constrained decoding."""

from __future__ import annotations

from dataclasses import asdict

from agenteval.dialects import CONSTRAINTS
from agenteval.summary.constrained import constraint_notes

NAMES_ONLY = asdict(CONSTRAINTS["sglang", "glm47"])
ALL = asdict(CONSTRAINTS["llamacpp", "glm47"])
NOTHING = asdict(CONSTRAINTS["vllm", "harmony"])


def said(constraint: object, version: str | None = None, **findings: int) -> str:
    return " ".join(constraint_notes({"constraint": constraint, "server_version": version}, findings))


def test_nothing_is_said_where_nothing_is_known() -> None:
    assert said(None) == ""
    assert constraint_notes({}, {}) == []


def test_names_only() -> None:
    told = said(NAMES_ONLY, "0.5.23")
    assert "Calls were constrained" in told
    assert "only offered tool names be decoded; arguments may break their schema" in told
    assert "measured in SGLang 0.5.23, as here" in told
    assert "there are no unknown tools says nothing of the model" in told


def test_names_and_arguments() -> None:
    told = said(ALL, "b1-0c1e570")
    assert "offered tool names and arguments that keep their schema" in told
    assert "as here" in told


def test_another_version_makes_it_likely() -> None:
    assert "likely: measured in SGLang 0.5.23, here it is 0.6.0" in said(NAMES_ONLY, "0.6.0")
    assert "likely: measured in SGLang 0.5.23, the version here is not known" in said(NAMES_ONLY)


def test_free_calls_are_said_to_be_free() -> None:
    assert said(NOTHING).startswith("Calls were not constrained")


def test_what_came_through_contradicts() -> None:
    assert "Yet there were unknown_tool 2:" in said(NAMES_ONLY, unknown_tool=2, schema_violation=5)
    assert "Yet there were unknown_tool 2, schema_violation 5:" in said(ALL, unknown_tool=2, schema_violation=5)
    assert "Yet" not in said(NAMES_ONLY, schema_violation=5)
    assert "Yet" not in said(NOTHING, unknown_tool=2)
