"""One exam for all policies: the rules that every view must keep, over generated conversations."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agenteval.conformance import check_policy, conversation
from agenteval.context import POLICIES, build_policy

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
    "tool_output_limit:limit=40,shape=tail",
    "sliding_window:trigger=4turns/on_error,target=200,min_reclaim=40",
    "sliding_window:trigger=400,target=200,min_reclaim=40,count=chars,cooldown_turns=2",
    "observation_masking:keep_last=1,step=1,exclude=search",
    "clear_tool_uses:trigger=4tool_uses,keep_last=1,min_reclaim=1",
    "clear_thinking:keep=last_n,keep_last=2",
    "dedupe_tool_results:key=path",
    "context_reset:trigger=400,target=200,min_reclaim=40,carry=ledger",
    "context_reset:trigger=400,target=200,min_reclaim=40,carry=nothing",
    "summarize:trigger=400,target=200,min_reclaim=40,keep_last=1,limit=60,mode=offline,style=free",
    "tool_output_limit:limit=60+prune_errors+dedupe_tool_results+sliding_window:trigger=400,target=200,min_reclaim=40",
    "clear_thinking+offload:limit=60,preview=20+extractive_ledger:trigger=400,target=200,min_reclaim=40+recite_state:every=2",
)
"""Other knobs, and compositions, that must keep the same rules."""


def test_every_policy_is_in_the_exam() -> None:
    assert list(SMALL) == list(POLICIES)


@pytest.mark.parametrize("spec", [*SMALL.values(), *OTHERS])
@settings(max_examples=5)
@given(rng=st.randoms(use_true_random=False))
def test_views_keep_all_rules(spec: str, rng: Random) -> None:
    for invariant, seen, complaint in check_policy(build_policy(spec), conversation(rng, turns=7, huge=1500)):
        raise AssertionError(f"{invariant.id} ({invariant.rule}): {complaint}\n{seen.view}")
