"""What servers hold calls to: known for what was measured, unknown for everything else."""

from __future__ import annotations

import pytest

from agenteval.dialects import CONSTRAINTS, DIALECTS, constraint_of
from agenteval.parsers import FAMILIES


def test_the_table_names_dialects_and_families_that_there_are() -> None:
    assert {dialect for dialect, _ in CONSTRAINTS} <= set(DIALECTS)
    assert {family for _, family in CONSTRAINTS} <= set(FAMILIES)


def test_arguments_are_never_held_where_names_are_free() -> None:
    assert all(item.names or not item.arguments for item in CONSTRAINTS.values())


@pytest.mark.parametrize(("dialect", "family"), [("openai", "glm47"), ("vllm", None), ("vllm", "hermes")])
def test_what_was_not_measured_is_unknown(dialect: str, family: str | None) -> None:
    assert constraint_of(dialect, family, {}) is None


def test_a_request_that_chooses_its_own_constraint_is_unknown() -> None:
    assert constraint_of("llamacpp", "glm47", {"top_p": 1}) is not None
    assert constraint_of("llamacpp", "glm47", {"tool_choice": "required"}) is None
