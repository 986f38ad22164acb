"""Rankings that a person can check in the head, and the reasons not to rank."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from agenteval.errors import UsageError
from agenteval.outcome import Finding, RecordedCall, RecordedFact, RecordedReply, RecordedResult, StepRecord, Tokens
from agenteval.store import StoredRun
from agenteval.summary import (
    SideRow,
    Versus,
    baseline,
    in_words,
    planned_otherwise,
    sides_in,
    sides_of_runs,
    story,
    versus,
)
from tests.records import record
from tests.summary.test_compare import run_of

WRONG = (Finding("wrong_argument", "not the value"),)
MASK = "observation_masking"
AGAIN = "full_history+again"


def steps(
    policies: tuple[str, ...], scenarios: int, wrong: Callable[[str, int, int], bool], **changes: Any
) -> Iterator[StepRecord]:
    """Three turns per conversation; `wrong(policy, scenario, trial)`: whether the last one fails."""
    trials = changes.pop("trials", 1)
    for policy in policies:
        for number in range(scenarios):
            for trial in range(trials):
                for turn in (1, 2, 3):
                    yield record(
                        cell=f"s{number}.off.{policy}.{trial}",
                        scenario=f"s{number}",
                        policy=policy,
                        trial=trial,
                        turn=turn,
                        findings=WRONG if turn == 3 and wrong(policy, number, trial) else (),
                        policy_report={"acted": policy != "full_history"},
                        simulated=False,
                        **changes,
                    )


def run(*records: StepRecord, **changes: Any) -> StoredRun:
    """A run that planned what these records played."""
    policies = tuple(dict.fromkeys(item.policy for item in records))
    plan = {"policies": policies, "thinking": ("off",), "trials": 1 + max(item.trial for item in records)}
    return run_of(*records, plan={**plan, **changes.pop("plan", {})}, **changes)


def ranked(stored: StoredRun, **options: Any) -> Versus:
    sides = sides_in(stored.manifest, stored.records, "policy")
    return versus(sides, baseline(sides, None), "policy", **options)


def only(found: Versus) -> Any:
    (contrast,) = found.contrasts
    return contrast


def only_side(found: Versus, name: str) -> Any:
    return next(contrast for contrast in found.contrasts if contrast.name == name)


def fails_half(policy: str, number: int, _: int) -> bool:
    return policy == "full_history" and number % 2 == 0


def test_what_repairs_half_of_the_scenarios_is_better() -> None:
    found = ranked(run(*steps(("full_history", MASK), 24, fails_half)))
    contrast = only(found)
    assert (contrast.repaired, contrast.broke, contrast.fixed, contrast.failing) == (12, 0, 12, 12)
    assert contrast.p == contrast.p_holm == pytest.approx(2 / 2**12)
    assert contrast.difference.estimate == 0.5
    assert (contrast.decision, found.decided, found.worse) == ("better", True, False)
    assert any("fixes 12 of 12 failing turns" in line and "better than full_history" in line for line in story(found))


def test_what_breaks_half_of_the_scenarios_is_worse() -> None:
    found = ranked(run(*steps(("full_history", MASK), 24, lambda p, n, _: p == MASK and n % 2 == 0)))
    assert (only(found).decision, found.worse) == ("worse", True)


def test_what_is_never_different_is_as_good_only_within_what_so_many_scenarios_show() -> None:
    few = only(ranked(run(*steps(("full_history", MASK), 40, lambda *_: False))))
    many = only(ranked(run(*steps(("full_history", MASK), 60, lambda *_: False))))
    assert (few.decision, many.decision) == ("undecided", "as good")
    generous = only(ranked(run(*steps(("full_history", MASK), 24, lambda *_: False)), margin=0.2))
    assert generous.decision == "as good"


def test_several_sides_are_adjusted_for() -> None:
    """Six conversations repaired, none broken: enough for one side, not for two."""
    wrong = lambda policy, number, _: policy == "full_history" and number < 6  # noqa: E731
    alone = only(ranked(run(*steps(("full_history", MASK), 24, wrong))))
    both = ranked(run(*steps(("full_history", MASK, "sliding_window"), 24, wrong)))
    assert (alone.p_holm, alone.decision) == (2 / 2**6, "better")
    assert [(c.p_holm, c.decision) for c in both.contrasts] == [(4 / 2**6, "as good")] * 2


def test_what_so_few_pairs_could_hardly_show_is_not_ranked() -> None:
    """Two of 24 differ: neither is anything shown, nor could much have been. Trials of the same scenarios help here."""
    wrong = lambda policy, number, _: number == (policy == MASK)  # noqa: E731
    found = ranked(run(*steps(("full_history", MASK), 24, wrong)))
    assert (only(found).detectable, only(found).decision, found.decided) == (0.31, "not ranked", False)
    assert "24 such pairs find only one from 31 points on, where 30 are asked for" in only(found).why
    assert "24 pairs find a difference of 31 points (four times out of five, at 5 %, if as many" in found.power
    more = ranked(run(*steps(("full_history", MASK), 24, wrong, trials=3)))
    assert (only(more).decision, round(only(more).detectable, 2)) == ("undecided", 0.23)


def test_noise_and_further_sides_take_power_away() -> None:
    sides = ("full_history", MASK, "sliding_window")
    one, two = (ranked(run(*steps(names, 60, lambda *_: False))).contrasts[0] for names in (sides[:2], sides))
    again = steps((*sides[:2], "full_history+again"), 60, lambda p, n, _: n // 9 == p.endswith("+again"))
    loud = only_side(ranked(run(*again)), MASK)
    assert (one.detectable, two.detectable, loud.detectable) == (0.13, 0.15, 0.21)
    assert "(four times out of five, at 5 % over all 2 sides" in ranked(run(*steps(sides, 60, lambda *_: False))).power


def test_what_is_shown_is_said_although_another_side_finds_no_place() -> None:
    records = steps(("full_history", MASK, "sliding_window"), 40, lambda p, n, _: p == MASK and n % 2 == 0)
    found = ranked(run(*records))
    assert {item.name: item.decision for item in found.contrasts} == {MASK: "worse", "sliding_window": "undecided"}
    assert not found.decided
    assert in_words(found) == (
        "Not all sides found their place: sliding_window.",
        f"What is shown all the same, beside full_history: {MASK} is worse.",
    )


def test_nothing_is_refused_or_tested_where_no_ranking_is_asked_for() -> None:
    found = ranked(run(*steps(("full_history", MASK, "full_history+again"), 3, fails_half)), ranked=False)
    assert (found.refusals, found.power, only_side(found, MASK).p) == ((), "", None)


def test_where_all_found_their_place_nothing_is_said_before() -> None:
    assert in_words(ranked(run(*steps(("full_history", MASK), 24, fails_half)))) == ()


# --- two whole runs --------------------------------------------------------------------------------------------


def two(base: StoredRun, new: StoredRun) -> Versus:
    sides = sides_of_runs({"BASE": base, "NEW": new})
    return versus(sides, sides[0], "run")


def test_what_only_one_run_planned_is_not_lacking() -> None:
    """30 scenarios once, beside 24 of them and 2 others, three times."""
    other = [
        replace(item, scenario=f"other {item.scenario}", cell=f"other {item.cell}")
        for item in steps((MASK,), 2, lambda *_: False, trials=3)
    ]
    base = run(*steps((MASK,), 30, fails_half))
    found = two(base, run(*steps((MASK,), 24, fails_half, trials=3), *other))
    contrast = only(found)
    assert (contrast.pairs, contrast.missing, contrast.only_base, contrast.only_here) == (24, 0, 6, 54)
    assert not found.refusals
    assert any("Planned in BASE only: 6 conversations; in NEW only: 54." in note for note in found.notes)


def test_what_both_planned_and_one_lost_is_lacking() -> None:
    played = tuple(steps((MASK,), 24, fails_half))
    lost = tuple(item for item in played if item.scenario != "s3")
    new = run(*lost, scenarios={"s3": "sha256:1"})
    found = two(run(*played), new)
    assert (only(found).pairs, only(found).missing) == (23, 1)
    assert any("NEW lacks 1" in reason for reason in found.refusals)


INVALID: dict[str, Any] = {"client": {"valid": False}}
OBSTACLES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "The latencies of NEW are invalid (a busy client): speeds are not compared.": ({}, INVALID),
    "The latencies of BASE and NEW are invalid (a busy client): speeds are not compared.": (INVALID, INVALID),
    "The client was another machine (x86_64 in BASE, aarch64 in NEW): speeds are not compared.": (
        {"versions": {"machine": "x86_64"}},
        {"versions": {"machine": "aarch64"}},
    ),
    "Only one of the runs is simulated: their speeds are not compared.": ({}, {"endpoint": {"simulated": True}}),
}


@pytest.mark.parametrize("why", OBSTACLES)
def test_speeds_that_cannot_be_compared_are_not(why: str) -> None:
    base, new = (run(*steps((MASK,), 24, fails_half), **changes) for changes in OBSTACLES[why])
    found = two(base, new)
    assert why in found.notes
    assert (only(found).ttft, only(found).decode) == (None, None)
    assert {(side.cost.ttft_ms, side.cost.decode_tok_s, bool(side.cost.ttft_by_turn)) for side in found.sides} == {
        (None, None, False)
    }


def test_speeds_of_a_busy_client_rank_no_policies_either() -> None:
    found = ranked(run(*steps(("full_history", MASK), 24, fails_half), **INVALID))
    assert (only(found).ttft, only(found).decision) == (None, "better")
    assert "The latencies of this run are invalid (a busy client): speeds are not compared." in found.notes


def test_speeds_are_compared_where_nothing_is_in_the_way() -> None:
    contrast = only(two(*(run(*steps((MASK,), 24, fails_half)) for _ in "ab")))
    assert contrast.ttft.estimate == 1.0


def test_what_else_differs_between_runs_is_told() -> None:
    base, new = run(*steps((MASK,), 2, fails_half)), run(*steps((MASK,), 2, fails_half), endpoint={"model": "n"})
    notes = planned_otherwise((base, new), "run", "BASE", 0.05)
    assert "What is not the same in both runs: model: m → n." in notes


def test_a_plan_without_policies_has_those_that_were_played() -> None:
    stored = run_of(*steps(("full_history", MASK), 2, fails_half))
    assert [side.name for side in sides_in(stored.manifest, stored.records, "policy")] == ["full_history", MASK]
    assert sides_in(stored.manifest, (), "policy") == ()


REFUSALS = {
    "not enough scenarios": run(*steps(("full_history", MASK), 12, fails_half, trials=5)),
    "simulated": run(*steps(("full_history", MASK), 24, fails_half), endpoint={"simulated": True}),
    f"{MASK} lacks 1": run(
        *(r for r in steps(("full_history", MASK), 24, fails_half) if r.id != f"s3.off.{MASK}.0.t03.s01.a1"),
        turns={f"s{n}.off.{p}.0": 3 for n in range(24) for p in ("full_history", MASK)},
    ),
    "differs from itself": run(
        *steps(
            ("full_history", MASK, "full_history+again"),
            24,
            lambda policy, number, _: policy == "full_history+again" and number % 2 == 0,
        )
    ),
}


@pytest.mark.parametrize("why", REFUSALS)
def test_nothing_is_ranked_on_sand(why: str) -> None:
    found = ranked(REFUSALS[why])
    assert any(why in reason for reason in found.refusals), found.refusals
    assert {contrast.decision for contrast in found.contrasts} <= {"not ranked", "noise"}
    assert not found.decided


@pytest.mark.parametrize("why", REFUSALS)
def test_where_nothing_may_be_ranked_stands_no_p(why: str) -> None:
    assert {(contrast.p, contrast.p_holm) for contrast in ranked(REFUSALS[why]).contrasts} == {(None, None)}


def test_sides_that_cannot_be_ranked_have_no_p_and_are_adjusted_for_all_the_same() -> None:
    wrong = lambda policy, number, _: policy == "full_history" and number < 6  # noqa: E731
    idle = [
        replace(item, policy_report={"acted": item.policy == MASK})
        for item in steps(("full_history", MASK, "sliding_window"), 24, wrong)
    ]
    found = ranked(run(*idle))
    assert [(c.p is None, c.p_holm) for c in found.contrasts] == [(False, 4 / 2**6), (True, None)]
    assert any("adjusted for all 2 sides, also for sliding_window" in note for note in found.notes)


def test_an_interval_that_excludes_zero_and_a_test_that_does_not_agree_are_told_apart() -> None:
    wrong = lambda policy, number, _: policy == "full_history" and number < 6  # noqa: E731
    both = ranked(run(*steps(("full_history", MASK, "sliding_window"), 24, wrong)))
    assert all(c.difference and c.difference.low > 0 for c in both.contrasts)
    assert all("the interval leaves 0 out, and the adjusted test does not agree" in c.why for c in both.contrasts)
    alone = only(ranked(run(*steps(("full_history", MASK), 24, wrong))))
    assert "agree" not in alone.why


def test_simulated_pairs_have_no_statistics() -> None:
    contrast = only(ranked(REFUSALS["simulated"]))
    told = (contrast.p, contrast.p_holm, contrast.difference, contrast.ttft, contrast.decode)
    assert told == (None,) * 5
    assert (contrast.fixed, contrast.failing) == (12, 12)


def test_a_policy_that_hardly_acts_is_not_ranked() -> None:
    records = [
        replace(item, policy_report={"acted": item.scenario == "s1"})
        for item in steps(("full_history", MASK), 24, fails_half)
    ]
    found = ranked(run(*records))
    assert (only(found).decision, only(found).engaged, found.decided) == ("not ranked", 1, False)


def test_a_baseline_that_hardly_acts_ranks_nothing_either() -> None:
    records = [replace(item, policy_report={"acted": False}) for item in steps((MASK, "offload"), 60, lambda *_: False)]
    stored = run(*records)
    sides = sides_in(stored.manifest, stored.records, "policy")
    found = versus(sides, sides[0], "policy")
    assert (only(found).engaged, only(found).decision, found.decided) == (0, "not ranked", False)


def test_where_nothing_is_paired_nothing_is_said_of_acting() -> None:
    played = tuple(steps((MASK,), 24, lambda *_: False))
    stored = run_of(*played, plan={"policies": ("full_history", MASK), "thinking": ("off",)})
    told = " ".join((*story(ranked(stored)), *ranked(stored).notes))
    assert "full_history: no conversation came to its end." in told
    assert "never acted" not in told.lower()


def test_the_baseline_once_more_is_noise_and_no_side() -> None:
    wrong = lambda policy, number, _: policy != MASK and number % 2 == 0 and (policy, number) != (AGAIN, 0)  # noqa: E731
    found = ranked(run(*steps(("full_history", AGAIN, MASK), 24, wrong)))
    noise, mask = found.contrasts
    assert (noise.decision, noise.p_holm) == ("noise", None)
    assert mask.p_holm == pytest.approx(2 / 2**12)
    assert any("Noise floor" in note and "1 of 24" in note for note in found.notes)


def test_a_baseline_that_was_not_played_is_refused() -> None:
    stored = run(*steps(("full_history", MASK), 3, fails_half))
    sides = sides_in(stored.manifest, stored.records, "policy")
    with pytest.raises(UsageError, match="--base 'offload' is none of what is compared: full_history, observation"):
        baseline(sides, "offload")


# --- what a side achieved and cost -----------------------------------------------------------------------------


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
    row = measured(record(facts=(*facts, *made_up), simulated=False))
    assert [(item.age, item.n, dict(item.outcomes), item.guessed) for item in row.retention] == [
        (1, 1, {"used": 1}, 0),
        (4, 4, {"lost": 3, "unused": 1}, 2),
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


def test_survival_by_tokens_counts_those_that_grew_so_large() -> None:
    def talk(cell: str, size: int, *, fails: int | None = None) -> StepRecord:
        return record(
            cell=cell, scenario=cell, tokens=Tokens(context=size), findings=WRONG if fails else (), simulated=False
        )

    records = [talk("small", 600, fails=1), talk("middle", 1_200), talk("large", 4_500)]
    row = measured(*records)
    assert [(item.at, item.alive, item.at_risk) for item in row.by_tokens] == [
        (500, 3, 3),
        (1_000, 2, 2),
        (1_500, 1, 1),
        (2_000, 1, 1),
        (3_000, 1, 1),
        (4_000, 1, 1),
    ]


def test_survival_by_tokens_ends_at_the_prompt_of_the_first_failing_step() -> None:
    sizes = ((700, ()), (1_165, WRONG), (2_100, WRONG))
    row = measured(
        *(
            record(step=at, last_of_turn=at == 3, tokens=Tokens(context=size), findings=found, simulated=False)
            for at, (size, found) in enumerate(sizes, start=1)
        )
    )
    assert [(item.at, item.alive) for item in row.by_tokens] == [(500, 1), (1_000, 1), (1_500, 0), (2_000, 0)]
