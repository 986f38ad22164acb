"""One exam for all policies: the rules that every view must keep, over generated conversations."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agenteval.conformance import check_policy, conversation
from agenteval.context import POLICIES, build_policy
from agenteval.context.words import is_error

SMALL = {
    "full_history": "full_history",
    "oracle_context": "oracle_context",
    "again": "again",
    "tool_output_limit": "tool_output_limit:limit=40",
    "sliding_window": "sliding_window:trigger=400,target=200,min_reclaim=40",
    "head_tail": "head_tail:trigger=400,target=200,min_reclaim=40,keep_last=2",
    "observation_masking": "observation_masking:keep_last=2,step=3",
    "clear_tool_uses": "clear_tool_uses:trigger=400,target=200,min_reclaim=60,keep_last=1",
    "clear_thinking": "clear_thinking",
    "dedupe_tool_results": "dedupe_tool_results",
    "prune_errors": "prune_errors",
    "recite_state": "recite_state:every=2",
    "offload": "offload:limit=60,preview=20",
    "extractive_ledger": "extractive_ledger:trigger=400,target=200,min_reclaim=40,keep_last=1,limit=120",
    "summarize": "summarize:trigger=400,target=200,min_reclaim=40,keep_last=1,limit=60",
    "mask_then_summarize": "mask_then_summarize:trigger=400,target=200,min_reclaim=40,keep_last=1,limit=60",
    "context_reset": "context_reset:trigger=400,target=200,min_reclaim=40,limit=60",
}
"""Each policy with knobs that make it act on short conversations."""

OTHERS = (
    "tool_output_limit:limit=40,shape=json_fields",
    "tool_output_limit:limit=40,shape=head",
    "tool_output_limit:limit=40,shape=tail",
    "sliding_window:trigger=4turns/on_error,target=200,min_reclaim=40",
    "sliding_window:trigger=400,target=200,min_reclaim=40,count=chars,cooldown_turns=2",
    "observation_masking:keep_last=1,step=1,exclude=search",
    "clear_tool_uses:trigger=4tool_uses,keep_last=1,min_reclaim=1",
    "clear_thinking:keep=last_n,keep_last=2",
    "clear_thinking:keep=all",
    "dedupe_tool_results:key=path",
    "sliding_window:trigger=400,target=100,min_reclaim=1",
    "head_tail:trigger=400,target=100,min_reclaim=1",
    "summarize:trigger=400,target=100,min_reclaim=1,limit=60",
    "context_reset:trigger=400,target=200,min_reclaim=40,carry=ledger",
    "context_reset:trigger=400,target=200,min_reclaim=40,carry=nothing",
    "summarize:trigger=400,target=200,min_reclaim=40,keep_last=1,limit=60,mode=offline,style=free",
    "mask_then_summarize:trigger=400,target=200,min_reclaim=40,keep_last=1,limit=60,mode=offline,style=anchored",
    "tool_output_limit:limit=60+prune_errors+dedupe_tool_results+sliding_window:trigger=400,target=200,min_reclaim=40",
    "sliding_window:trigger=400,target=200,min_reclaim=40,keep_last=3+observation_masking:keep_last=1,step=1",
    "clear_thinking+offload:limit=60,preview=20+extractive_ledger:trigger=400,target=200,min_reclaim=40+recite_state:every=2",
)
"""Other knobs, and compositions, that must keep the same rules."""


def test_every_policy_is_in_the_exam() -> None:
    assert list(SMALL) == list(POLICIES)


@pytest.mark.parametrize("spec", [*SMALL.values(), *OTHERS])
@settings(max_examples=5)
@given(rng=st.randoms(use_true_random=False), huge=st.sampled_from((300, 1_500, 12_000)))
def test_views_keep_all_rules(spec: str, rng: Random, huge: int) -> None:
    for invariant, seen, complaint in check_policy(build_policy(spec), conversation(rng, turns=7, huge=huge)):
        raise AssertionError(f"{invariant.id} ({invariant.rule}): {complaint}\n{seen.view}")


@pytest.mark.parametrize(
    ("spec", "rule"),
    [
        ("clear_thinking:keep=none", "I13"),
        ("clear_tool_uses:trigger=400,target=200,min_reclaim=60,keep_last=1,clear_inputs=yes", "I12"),
    ],
)
def test_what_breaks_a_rule_by_its_definition_breaks_no_other(spec: str, rule: str) -> None:
    policy = build_policy(spec)
    broken = {
        found.id for seed in range(6) for found, _, _ in check_policy(policy, conversation(Random(seed), turns=8))
    }
    assert broken == {rule}


def test_generated_conversations_hold_what_has_broken_reducers() -> None:
    made = [conversation(Random(seed), turns=12, huge=40_000) for seed in range(20)]
    messages = [message for transcript in made for message in transcript]
    texts = [message.content or "" for message in messages]
    assert max(len(message.tool_calls) for message in messages) >= 4
    assert any(is_error(message.content or "") for message in messages if message.role == "tool")
    assert any(not text.isascii() for text in texts)
    assert max(map(len, texts)) > 20_000
    assert any(message.reasoning for message in messages)
    assert max(sum(message.role == "user" for message in transcript) for transcript in made) >= 10
