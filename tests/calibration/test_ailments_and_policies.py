"""Which policy fixes which ailment: predicted from what both are defined to be, then played.

Every turn of these scenarios says what it needs (but for the stale value), so a turn fails only if the ailment strikes.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from agenteval.calibration import played
from agenteval.context import POLICIES
from agenteval.scenario import lint, load_suite
from agenteval.script import Scenario
from agenteval.simulator import PROFILES
from agenteval.simulator.ailments import KINDS, Ailment

HERE = Path(__file__).parent
MARKS = "trigger=2000,target=1200,min_reclaim=60,keep_last=1"

ARMS = {
    "full_history": "full_history",
    "oracle_context": "oracle_context",
    "tool_output_limit": "tool_output_limit:limit=40",
    "sliding_window": f"sliding_window:{MARKS}",
    "head_tail": f"head_tail:{MARKS}",
    "observation_masking": "observation_masking:keep_last=1,step=1",
    "clear_tool_uses": f"clear_tool_uses:{MARKS}",
    "clear_tool_uses, inputs too": f"clear_tool_uses:{MARKS},clear_inputs=yes",
    "clear_thinking": "clear_thinking",
    "dedupe_tool_results": "dedupe_tool_results",
    "prune_errors": "prune_errors",
    "recite_state": "recite_state:every=2",
    "offload": "offload:limit=60,preview=20",
    "extractive_ledger": f"extractive_ledger:{MARKS}",
    "summarize": f"summarize:{MARKS}",
    "mask_then_summarize": f"mask_then_summarize:{MARKS}",
    "context_reset": f"context_reset:{MARKS},carry=nothing",
}

DROP = frozenset({"sliding_window", "head_tail", "extractive_ledger", "summarize", "context_reset"})
"""They take whole messages away: calls, results and all."""
EMPTY = frozenset({"observation_masking", "clear_tool_uses", "clear_tool_uses, inputs too", "mask_then_summarize"})
"""They put a few words in the place of old results; calls and their number stay."""
SHORTEN = frozenset({"tool_output_limit", "offload"})
"""They cut a long result as it enters."""
ORACLE = frozenset({"oracle_context"})

FIXED: dict[str, tuple[str, Ailment, str, frozenset[str]]] = {
    "breaks_above_tokens": (
        "sick",
        Ailment("breaks_above_tokens", 3000),
        "what takes tokens away, wherever: the results are the most of them",
        ORACLE | DROP | EMPTY | SHORTEN,
    ),
    "breaks_above_tool_messages": (
        "sick",
        Ailment("breaks_above_tool_messages", 10),
        "an emptied result is still a message, and solved failures are too few",
        ORACLE | DROP,
    ),
    "null_content": (
        "sick",
        Ailment("null_content", 9),
        "the messages that call have to go: of solved failures, too, which call one by one",
        ORACLE | DROP | {"prune_errors"},
    ),
    "string_arguments": (
        "sick",
        Ailment("string_arguments", 10),
        "the calls have to go, or their arguments",
        ORACLE | DROP | {"clear_tool_uses, inputs too"},
    ),
    "reasoning_lost": (
        "loop",
        Ailment("reasoning_lost", 8),
        "only fewer messages of the present loop help; the oracle keeps the present turn whole",
        DROP,
    ),
    "own_bad_calls": (
        "sick",
        Ailment("own_bad_calls", 2),
        "a failure is out of sight when its words are: a cut leaves the beginning, where it says that it is one",
        ORACLE | DROP | EMPTY | {"prune_errors"},
    ),
    "stale_value": (
        "stale",
        Ailment("stale_value", 0, "stale"),
        "the old value has to go and the new one to stay; a ledger, a summary and a cut keep the beginning of a result",
        ORACLE | EMPTY | {"sliding_window", "head_tail", "dedupe_tool_results", "context_reset"},
    ),
    "large_result": (
        "sick",
        Ailment("large_result", 3000),
        "it strikes with the newest result, which only a cut at its entry reaches",
        SHORTEN,
    ),
}
"""By ailment: the scenario, how it strikes, why, and who fixes it."""

DIALECTS = {"null_content": "openai", "reasoning_lost": "vllm"}
"""Where the client is at fault: this spelling sends null, and reasoning in a field that the engine does not read."""


@cache
def scenario(name: str) -> Scenario:
    (found,) = load_suite(str(HERE / f"{name}.yaml")).scenarios
    return found


def fixed(name: str, ailment: Ailment | None, dialect: str, policy: str) -> bool:
    """Whether all turns are right with this policy where this ails the deployment."""
    healthy = PROFILES["healthy"]
    sick = replace(healthy, ailments=(ailment,) if ailment else (), dialect=dialect)
    return played(scenario(name), policy, sick).ok == 1.0


def test_every_ailment_and_every_policy_is_in_the_table() -> None:
    assert list(FIXED) == list(KINDS)
    assert list(dict.fromkeys(arm.partition(",")[0] for arm in ARMS)) == [name for name in POLICIES if name != "again"]
    assert len({fixed for _, _, _, fixed in FIXED.values()}) == len(FIXED)


def test_every_ailment_can_be_had_as_a_profile() -> None:
    spelled = {profile.ailments[0].kind: profile.dialect for profile in PROFILES.values() if profile.ailments}
    assert spelled == {kind: DIALECTS.get(kind, "sglang") for kind in KINDS}


@pytest.mark.parametrize("name", ["sick", "loop", "stale"])
def test_the_scenarios_of_the_table_are_sound(name: str) -> None:
    assert lint(str(HERE / f"{name}.yaml")) == []
    assert fixed(name, None, "sglang", "full_history")


@pytest.mark.parametrize("kind", FIXED)
def test_a_policy_fixes_what_it_should_and_nothing_else(kind: str) -> None:
    name, ailment, why, predicted = FIXED[kind]
    dialect = DIALECTS.get(kind, "sglang")
    found = {arm for arm, policy in ARMS.items() if fixed(name, ailment, dialect, policy)}
    assert found == predicted, why


def struck(bad: int, policy: str, limit: int) -> set[int]:
    """Turns without a call, behind a history with so many malformed ones, where `limit` of its own are borne."""
    (found,) = load_suite(f"own-bad-calls-{bad}").scenarios
    steps = played(found, policy, replace(PROFILES["healthy"], ailments=(Ailment("own_bad_calls", limit),))).steps
    return {step.turn for step in steps if any(finding.kind == "no_tool_call" for finding in step.findings)}


@pytest.mark.parametrize(("limit", "ailing"), [(0, [1, 2, 4]), (1, [2, 4]), (2, [4]), (4, [])])
def test_bad_calls_of_a_history_strike_by_their_number(limit: int, ailing: list[int]) -> None:
    """From the first turn to the last, since nothing of the task itself fails."""
    found = {bad: struck(bad, "full_history", limit) for bad in (0, 1, 2, 4)}
    assert found == {bad: set(range(1, 8)) if bad in ailing else set() for bad in found}


def test_who_takes_the_bad_calls_of_a_history_away_heals_what_they_did() -> None:
    """As the table has it for failures of the run itself, with the suite's own policies (which lose facts beside)."""
    specs = ("full_history", "oracle_context", *load_suite("context").policies)
    arms = {spec.partition(":")[0]: spec for spec in specs}
    healed = {name for name, spec in arms.items() if not struck(4, spec, 2)}
    assert healed == FIXED["own_bad_calls"][3] & arms.keys()


def test_no_two_policies_of_the_suite_send_the_same() -> None:
    """Played until all have differed: a policy under two names would be counted, and tested, twice."""
    suite = load_suite("context")
    sent: dict[str, list[str]] = {policy: [] for policy in ("full_history", *suite.policies)}
    for found in suite.scenarios:
        for policy, views in sent.items():
            views += [step.view_hash for step in played(found, policy, PROFILES["healthy"]).steps]
        if len(set(map(tuple, sent.values()))) == len(sent):
            return
    same = [policy for policy, views in sent.items() if list(sent.values()).count(views) > 1]
    pytest.fail(f"the same views throughout: {', '.join(same)}")


def test_a_policy_can_bring_an_ailment_on() -> None:
    """Thoughts arrive with this spelling; the policy drops them inside the loop that needs them."""
    lost = Ailment("reasoning_lost", 8)
    assert fixed("loop", lost, "sglang", "full_history")
    assert not fixed("loop", lost, "sglang", "clear_thinking:keep=none")
