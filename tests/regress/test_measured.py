"""The data of what engines do with our policies fits the policies."""

from __future__ import annotations

from agenteval.parsers import FAMILIES
from agenteval.regress.measured import Seen, seen, table


def test_only_what_there_is_was_measured() -> None:
    for family, policies in table().items():
        known = {policy.name: policy for policy in FAMILIES[family].policies}
        assert set(policies) <= set(known), family
        for name, engines in policies.items():
            assert {option for it in engines.values() for option in it.options} <= set(known[name].options)


def test_each_case_is_counted_once() -> None:
    for policies in table().values():
        for engines in policies.values():
            for it in engines.values():
                different = it.cases - it.ours - it.cuts - sum(it.options.values())
                assert different >= 0
                assert bool(different) == bool(it.otherwise)


def test_it_is_said_in_words() -> None:
    assert str(Seen(3, 3)) == "as we do (3 of 3 cases)"
    words = str(Seen(6, 1, {"drop": 2}, 1, {"calls lost": 2, "content added": 1}))
    assert words == (
        "as we do in 1 of 6 cases, drop in 2, by how the stream is cut in 1, otherwise in 2 (calls lost, content added)"
    )
    assert seen("glm47", "nothing") == {}
