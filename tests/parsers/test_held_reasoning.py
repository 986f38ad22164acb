"""Reasoning that is held until it is known to be reasoning."""

from __future__ import annotations

import pytest

from agenteval.parsers import FAMILIES
from tests.parsers.sitting import examined

HOLDING = [name for name, family in FAMILIES.items() if "unclosed_thinking" in {p.name for p in family.policies}]


@pytest.mark.parametrize("name", HOLDING)
def test_no_marker_arises_from_halves_when_it_is_let_out(name: str) -> None:
    family = FAMILIES[name]
    opener, closer = next(
        pair
        for pair in (("<think>", "</think>"), ("[THINK]", "[/THINK]"), ("<|channel>", "<channel|>"))
        if set(pair) <= set(family.markers)
    )
    chosen = {"unclosed_thinking": "content"}
    for marker in family.markers:
        if marker != opener:
            examined(family, f"{marker[:2]}{opener}{marker[2:]}{closer}Hi", True, choices=chosen)
