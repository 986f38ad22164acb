"""What a side achieved and what it cost."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenteval.outcome import (
    Finding,
    RecordedCall,
    RecordedExpectation,
    RecordedFact,
    RecordedReply,
    RecordedResult,
    StepRecord,
    Tokens,
)
from agenteval.summary import SideRow, sides_in
from agenteval.summary.measures import SURVIVAL_TOKENS
from tests.records import record
from tests.summary.arms import MASK, WRONG, fails_half, ranked, run, steps
from tests.summary.test_compare import run_of


def test_a_plan_without_policies_has_those_that_were_played() -> None:
    stored = run_of(*steps(("full_history", MASK), 2, fails_half))
    assert [side.name for side in sides_in(stored.manifest, stored.records, "policy")] == ["full_history", MASK]
    assert sides_in(stored.manifest, (), "policy") == ()


def measured(*records: StepRecord) -> SideRow:
    other = [record(cell="s.off.offload.0", policy="offload", simulated=False)]
    return ranked(run(*records, *other)).sides[0]


def called(text: str, *, call: str = "c", error: bool = False, **changes: Any) -> StepRecord:
    """A step that calls `read` with these arguments, and what came of it."""
    reply = RecordedReply("", None, "tool_calls", (RecordedCall(call, "read", text),))
    return record(reply=reply, tool_results=(RecordedResult(call, "read", "", error),), simulated=False, **changes)


def test_the_same_call_again_is_a_refetch_unless_it_had_failed() -> None:
    row = measured(
        called("{}", call="a", last_of_turn=False),
        called("{}", call="b", step=2),
        called("[]", call="c", error=True, turn=2, last_of_turn=False),
        called("[]", call="d", turn=2, step=2),
    )
    assert (row.refetches, row.errors, row.recovered) == (1, 1, 1)


@pytest.mark.parametrize(
    ("one", "other", "again"),
    [
        ('{"a": 1, "b": [2]}', '{"b":[2],"a":1}', 1),
        ('{"a": 1}', '{"a": 1.0}', 1),
        ('{"a": 1}', '{"a": 2}', 0),
        ('{"a": 1}', '{"a": true}', 0),
        ("{broken", "{broken", 1),
        ("{broken", "{ broken", 0),
    ],
)
def test_arguments_are_the_same_however_they_are_written(one: str, other: str, again: int) -> None:
    row = measured(called(one, call="a", last_of_turn=False), called(other, call="b", step=2))
    assert row.refetches == again


def test_a_call_that_the_turn_asks_for_is_no_refetch() -> None:
    """Another one of the same is; and what an earlier turn asked for excuses nothing."""
    wanted: dict[str, Any] = {"expected": (RecordedExpectation("read", {"path": {"$one_of": ["a", "b"]}}),)}
    asked_again = [called('{"path": "a"}', turn=turn, **wanted) for turn in (1, 2)]
    assert measured(*asked_again).refetches == 0
    twice = [called('{"path": "a"}', turn=2, step=step, last_of_turn=step == 2, **wanted) for step in (1, 2)]
    assert measured(asked_again[0], *twice).refetches == 1
    assert measured(*asked_again, called('{"path": "a"}', turn=3, expected=())).refetches == 1
    assert measured(*asked_again, called('{"path": "a"}', turn=3)).refetches == 1


def test_a_turn_that_names_a_call_without_its_arguments_asks_for_any() -> None:
    wanted = (RecordedExpectation("read"),)
    assert measured(called("{}"), called("{}", turn=2, expected=wanted)).refetches == 0
    assert measured(called("{broken"), called("{broken", turn=2, expected=wanted)).refetches == 0
    assert measured(called("{}"), called("{}", turn=2, expected=(RecordedExpectation("write"),))).refetches == 1


def test_violations_add_up_and_a_rule_and_its_forbidden_call_are_one() -> None:
    forbidden = (Finding("forbidden_call", "no"),)
    rules = tuple(RecordedFact(name, "rule", 4, "turns", "unused", in_view=True) for name in "ab")
    row = measured(
        record(turn=1, findings=forbidden, facts=rules, simulated=False),
        record(turn=2, findings=forbidden, simulated=False),
        record(turn=3, findings=forbidden, facts=rules[:1], simulated=False),
        record(cell="t.off.full_history.0", scenario="t", findings=forbidden * 2, simulated=False),
    )
    assert row.violations == 2 + 1 + 1 + 2


def test_facts_are_counted_by_age_and_what_became_of_them() -> None:
    facts = (
        RecordedFact("f", "id", 4, "turns", "lost", in_view=False),
        RecordedFact("f", "id", 1, "turns", "used", in_view=True),
        RecordedFact("r", "rule", 4, "turns", "unused", in_view=True),
        RecordedFact("x", "id", 2, "turns", "unstated", in_view=False),
        RecordedFact("y", "rule", 2, "turns", "unstated", in_view=False),
    )
    made_up = tuple(replace(facts[0], got="x", instead=instead) for instead in ("stale", "invented"))
    never = replace(facts[0], outcome="unstated")
    row = measured(record(facts=(*facts, *made_up, never), simulated=False))
    assert [(item.age, item.n, dict(item.outcomes), item.guessed, item.not_reached) for item in row.retention] == [
        (1, 1, {"used": 1}, 0, 0),
        (2, 0, {}, 0, 2),
        (4, 4, {"lost": 3, "unused": 1}, 2, 1),
    ]
    assert row.violations == 1


def test_costs_are_sums_and_unknown_where_any_part_is() -> None:
    counted = Tokens(context=100, messages=90, tools=10, cached=60, completion=7, reusable=64)
    asked = Tokens(context=50, cached=0, completion=20)
    row = measured(
        record(tokens=counted, simulated=False),
        record(tokens=asked, purpose="summary", simulated=False),
    )
    cost = row.cost
    assert (cost.sent, cost.prefilled, cost.output, cost.summaries) == (150, 90, 27, 70)
    assert (cost.cached_share, cost.reusable_share) == (0.4, 0.64)
    silent = measured(record(tokens=replace(counted, cached=None), simulated=False)).cost
    assert (silent.sent, silent.prefilled, silent.cached_share) == (100, None, None)


def test_breaks_of_the_prefix_are_charged() -> None:
    def at(turn: int, **tokens: Any) -> StepRecord:
        return record(turn=turn, tokens=Tokens(context=1000, **tokens), simulated=False)

    row = measured(
        at(1, cached=0, reusable=0),
        at(2, cached=896, reusable=950),
        at(3, cached=16, reusable=20, broken_by="policy"),
        at(4, cached=10, reusable=900),
    )
    assert row.cost.breaks == {"policy": 1, "eviction": 1}


@pytest.mark.parametrize("block", [16, 64, 128, 256])
def test_a_cache_that_keeps_whole_blocks_only_evicts_nothing(block: int) -> None:
    sizes = (90, 127, 255, 300, 511, 900)
    talk = (Tokens(context=size + 50, cached=size // block * block, reusable=size) for size in sizes)
    row = measured(*(record(turn=at, tokens=told, simulated=False) for at, told in enumerate(talk, start=1)))
    assert row.cost.breaks == {}


def test_a_server_without_a_prefix_cache_evicts_nothing() -> None:
    tokens = Tokens(context=100, cached=0, reusable=90)
    row = measured(*(record(turn=turn, tokens=tokens, simulated=False) for turn in (1, 2, 3)))
    assert row.cost.breaks == {}


def test_survival_counts_those_that_came_so_far() -> None:
    records = list(steps(("full_history", MASK), 4, lambda policy, number, _: policy == "full_history" and number < 1))
    row = ranked(run(*records)).sides[0]
    assert [(item.at, item.alive, item.at_risk) for item in row.by_turn] == [(1, 4, 4), (2, 4, 4), (3, 3, 4)]


def talk(cell: str, size: int, *, fails: bool = False) -> StepRecord:
    return record(
        cell=cell, scenario=cell, tokens=Tokens(context=size), findings=WRONG if fails else (), simulated=False
    )


def survival(row: SideRow) -> list[tuple[int, float, int, int]]:
    return [(item.at, round(item.share, 3), item.failed, item.larger) for item in row.by_tokens]


def test_conversations_that_end_well_leave_the_count_at_their_size() -> None:
    row = measured(talk("small", 600), talk("middle", 1_200), talk("large", 2_500))
    assert survival(row) == [(500, 1, 0, 3), (1_000, 1, 0, 2), (1_500, 1, 0, 1), (2_000, 1, 0, 1), (3_000, 1, 0, 0)]


def test_the_share_without_a_failure_is_kaplan_and_meiers_estimate() -> None:
    """Each failure takes its part of those that were still there: 1/4 of all, 1/2 of the two that grew beyond."""
    row = measured(
        talk("a", 600, fails=True), talk("b", 700), talk("c", 1_200, fails=True), talk("d", 1_300), talk("e", 400)
    )
    assert survival(row) == [(500, 1, 0, 4), (1_000, 0.75, 1, 2), (1_500, 0.375, 2, 0)]


def test_a_failure_at_a_size_that_is_not_known_counts_at_every_size() -> None:
    unknown = record(cell="u", scenario="u", tokens=Tokens(), findings=WRONG, simulated=False)
    assert survival(measured(unknown, talk("other", 700))) == [(500, 0.5, 1, 1), (1_000, 0.5, 1, 0)]


@given(st.lists(st.tuples(st.integers(100, 70_000), st.booleans()), min_size=1, max_size=8))
def test_every_failure_shows_in_the_last_column(sizes: list[tuple[int, bool]]) -> None:
    row = measured(*(talk(f"c{at}", size, fails=fails) for at, (size, fails) in enumerate(sizes)))
    seen = sum(fails for size, fails in sizes if size < SURVIVAL_TOKENS[-1])
    assert row.by_tokens[-1].failed == seen
    assert all(0 <= later.share <= earlier.share <= 1 for earlier, later in pairwise(row.by_tokens))


def test_survival_by_tokens_ends_at_the_prompt_of_the_first_failing_step() -> None:
    sizes = ((700, ()), (1_165, WRONG), (2_100, WRONG))
    row = measured(
        *(
            record(step=at, last_of_turn=at == 3, tokens=Tokens(context=size), findings=found, simulated=False)
            for at, (size, found) in enumerate(sizes, start=1)
        )
    )
    assert survival(row) == [(500, 1, 0, 1), (1_000, 1, 0, 1), (1_500, 0, 1, 0)]
