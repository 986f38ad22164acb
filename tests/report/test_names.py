"""Names in tables: short, and still each its own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenteval.report.names import legend, short_names

LONG = "observation_masking:keep_last=1,step=2,trigger=900"


@pytest.mark.parametrize(
    ("names", "short"),
    [
        (["full_history", LONG], ["full_history", "observation_masking"]),
        (
            [LONG, "observation_masking:keep_last=4,step=2,trigger=900"],
            ["observation_masking:keep_last=1", "observation_masking:keep_last=4"],
        ),
        (["offload", "offload:limit=99"], ["offload", "offload:limit=99"]),
        (["a:x=1+b:x=2,y=3", "a:x=1+b:x=4,y=3", "a"], ["a+b:x=2", "a+b:x=4", "a"]),
        (["mine:reduce", "mine:other", "a+again"], ["mine:reduce", "mine:other", "a+again"]),
    ],
)
def test_a_name_keeps_what_tells_it_apart(names: list[str], short: list[str]) -> None:
    assert list(short_names(names).values()) == short


def test_the_legend_gives_the_whole_names() -> None:
    assert legend(short_names(["full_history", LONG])) == f"In tables observation_masking is {LONG}."
    assert legend(short_names(["full_history", "offload"])) == ""


@given(st.lists(st.text("ab:=,+1", max_size=12), unique=True, max_size=5))
def test_no_two_share_a_name(names: list[str]) -> None:
    short = short_names(names)
    assert set(short) == set(names)
    assert len(set(short.values())) == len(names)
