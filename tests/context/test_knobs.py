"""What is no knob, or no value of one, is refused in a sentence that names the policy, the knob and what can be had."""

from __future__ import annotations

import re

import pytest

from agenteval.context import KNOBS as KNOBS_SAY
from agenteval.context import POLICIES, build_policy, knobs_of
from agenteval.errors import UsageError

TEXTS = ("placeholder", "exclude", "key")
"""Any text will do."""
NUMBERS = ("nan", "inf", "1.5", "", "ten", "1_000", "٣", "9" * 5_000)
REFUSED: dict[str, tuple[str, ...]] = {
    "trigger": ("0", "-1", "nan", "", "0turns", "7 turns", "7days", "on-error", "9" * 12, "3000//on_error"),
    "pin": ("goal", "system/goal", "nan", "x" * 500),
    "sticky": ("", "1", "true", "maybe"),
    "clear_inputs": ("", "1", "true"),
    "count": ("", "0", "nan", "tiktoken"),
    "shape": ("", "0", "middle"),
    "keep": ("", "1", "some"),
    "mode": ("", "online"),
    "style": ("", "loose", "x" * 500),
    "carry": ("", "everything"),
    "head": (*NUMBERS, "-1", "101"),
    "preview": (*NUMBERS, "-1", "300", "301"),
    "min_reclaim": (*NUMBERS, "-1"),
    "cooldown_turns": (*NUMBERS, "-1"),
    "keep_first": (*NUMBERS, "-1"),
    "larger_than": (*NUMBERS, "-1"),
    "target": (*NUMBERS, "0", "-1"),
    "keep_last": (*NUMBERS, "0", "-1"),
    "limit": (*NUMBERS, "0", "-1"),
    "step": (*NUMBERS, "0", "-1"),
    "every": (*NUMBERS, "0", "-1"),
}
KNOBS = [(name, knob) for name, kind in POLICIES.items() for knob, _ in knobs_of(kind)]


def refused(spec: str) -> str:
    with pytest.raises(UsageError) as caught:
        build_policy(spec)
    return str(caught.value)


@pytest.mark.parametrize(("policy", "knob"), KNOBS)
def test_absurd_values_are_refused(policy: str, knob: str) -> None:
    if knob in TEXTS:
        build_policy(f"{policy}:{knob}=anything at all")
        return
    for value in REFUSED[knob]:
        told = refused(f"{policy}:{knob}={value}")
        assert told.startswith(f"policy {policy}: ")
        assert knob in told
        assert "\n" not in told
        assert len(told) < 300, "a sentence, whatever was written"


@pytest.mark.parametrize("policy", POLICIES)
def test_what_is_no_knob_is_refused_with_those_there_are(policy: str) -> None:
    for part in ("colour=red", "trigger", "limit", "x" * 5_000):
        assert re.search(rf"^policy {policy}: .* is no knob=value of it; its knobs: \w+", refused(f"{policy}:{part}"))


@pytest.mark.parametrize("policy", [name for name, knob in KNOBS if knob == "target"])
def test_the_low_mark_lies_below_the_high_one(policy: str) -> None:
    for target in (3000, 3001):
        told = refused(f"{policy}:trigger=3000,target={target}")
        assert told == (
            f"policy {policy}: target ({target} tokens) must be below the trigger (3000); lower target or raise trigger"
        )
    build_policy(f"{policy}:trigger=3000,target=2999")
    build_policy(f"{policy}:trigger=7turns,target=5000")


@pytest.mark.parametrize("policy", [name for name, knob in KNOBS if knob == "placeholder"])
def test_an_empty_placeholder_is_refused(policy: str) -> None:
    for value in ("", " "):
        assert "placeholder takes a text" in refused(f"{policy}:placeholder={value}")


def test_knobs_that_may_break_a_rule_say_so() -> None:
    assert "breaks I7" in KNOBS_SAY["pin"]
    assert "breaks I21" in KNOBS_SAY["placeholder"]


def test_a_knob_is_given_once() -> None:
    assert refused("recite_state:every=1,every=2") == "policy recite_state: every is given twice; give it once"


def test_a_policy_that_is_none_is_refused_with_what_was_meant() -> None:
    assert refused("sliding_windw").startswith("no policy is called 'sliding_windw' (did you mean 'sliding_window'?)")
