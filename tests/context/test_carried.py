"""What is carried from step to step is what would be found anew: reports, and rules that decide at every step."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agenteval.conformance import conversation
from agenteval.context import Budget, View, build_policy
from agenteval.messages import Transcript

SPECS = (
    "tool_output_limit:limit=40",
    "head_tail:trigger=400,target=200,min_reclaim=40,keep_last=2",
    "observation_masking:keep_last=1,step=1",
    "dedupe_tool_results+clear_thinking",
    "prune_errors",
    "offload:limit=60,preview=20+sliding_window:trigger=400,target=200,min_reclaim=40,sticky=no",
    "recite_state:every=2+extractive_ledger:trigger=400,target=200,min_reclaim=40,limit=60",
    "oracle_context",
)


def letters(messages: Transcript) -> int:
    return sum(10 + len(message.content or "") // 4 for message in messages)


@pytest.mark.parametrize("spec", SPECS)
@settings(max_examples=5)
@given(rng=st.randoms(use_true_random=False))
def test_reports_say_what_the_view_lacks_and_alters(spec: str, rng: Random) -> None:
    transcript = conversation(rng, turns=6)
    policy = build_policy(spec)
    state = policy.begin()
    for end in [at for at in range(2, len(transcript) + 1) if transcript[at - 1].role in ("user", "tool")]:
        seen = transcript[:end]
        view = policy.step(seen, state, Budget(needed=("a", "1")), letters)
        assert isinstance(view, View)
        state = view.state
        whole = {id(message) for message in seen}
        pairs = zip(view.messages, seen, strict=False)
        first = next((at for at, (one, other) in enumerate(pairs) if one is not other), len(view.messages))
        assert view.report.first_changed == (None if first == len(seen) else first)
        assert view.report.dropped_messages == len(seen) - len(view.messages)
        assert view.report.changed_messages == sum(id(message) not in whole for message in view.messages)


@given(rng=st.randoms(use_true_random=False))
@settings(max_examples=5)
def test_what_decides_anew_decides_as_if_it_had_never_acted(rng: Random) -> None:
    transcript = conversation(rng, turns=6)
    for spec in (
        "sliding_window:trigger=400,target=200,min_reclaim=40,sticky=no",
        "recite_state:every=2+oracle_context",
    ):
        policy = build_policy(spec)
        state = policy.begin()
        for end in [at for at in range(2, len(transcript) + 1) if transcript[at - 1].role in ("user", "tool")]:
            view = policy.step(transcript[:end], state, Budget(needed=("a",)), letters)
            anew = policy.step(transcript[:end], policy.begin(), Budget(needed=("a",)), letters)
            assert isinstance(view, View)
            assert isinstance(anew, View)
            assert view.messages == anew.messages
            state = view.state
