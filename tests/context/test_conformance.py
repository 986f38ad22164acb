"""The kit finds what it is there to find: for each rule a reducer that breaks it; a good one is blamed for nothing."""

from __future__ import annotations

import copy
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from agenteval.conformance import INVARIANTS, Judged, Seen, check_reducer
from agenteval.context import Action, PolicyReport
from agenteval.messages import Message

Messages = list[dict[str, Any]]
NUMBERS = count()


def all_of_it(messages: Messages) -> Messages:
    return messages


def last_eight(messages: Messages) -> Messages:
    return messages[-8:]


def in_place(messages: Messages) -> Messages:
    messages[0]["content"] = "You are somebody else."
    return messages


def one_result_only(messages: Messages) -> Messages:
    seen: set[int] = set()
    kept = []
    for at, message in enumerate(messages):
        group = max((n for n in range(at) if messages[n].get("tool_calls")), default=-1)
        if message["role"] != "tool" or group not in seen:
            kept.append(message)
        if message["role"] == "tool":
            seen.add(group)
    return kept


def twice(messages: Messages) -> Messages:
    return messages + [copy.deepcopy(m) for m in messages[-1:] if m["role"] == "tool"]


def no_system(messages: Messages) -> Messages:
    return [m for m in messages if m["role"] != "system"]


def system_and_last_turn(messages: Messages) -> Messages:
    at = max(n for n, m in enumerate(messages) if m["role"] == "user")
    return [messages[0], *messages[at:]]


def ends_with_a_word(messages: Messages) -> Messages:
    return [*messages, {"role": "assistant", "content": "Now I will"}]


def null_content(messages: Messages) -> Messages:
    return [{**m, "content": None} if m.get("tool_calls") else m for m in messages]


def with_arguments(spell: Callable[[str], str]) -> Callable[[Messages], Messages]:
    def reduce(messages: Messages) -> Messages:
        for message in messages:
            for call in message.get("tool_calls", ()):
                call["function"]["arguments"] = spell(call["function"]["arguments"])
        return messages

    return reduce


def thoughtless(messages: Messages) -> Messages:
    return [{k: v for k, v in m.items() if k != "reasoning_content"} for m in messages]


def summary(text: str) -> Callable[[Messages], Messages]:
    def reduce(messages: Messages) -> Messages:
        if len(messages) < 8:
            return messages
        at = max(n for n, m in enumerate(messages) if m["role"] == "user")
        return [messages[0], {"role": "user", "content": f"{messages[1]['content']} {text}"}, *messages[at:]]

    return reduce


def stamped(messages: Messages) -> Messages:
    messages[1]["content"] += " [note by the harness: it is 2026-01-31T12:00]"
    return messages


def emptied(messages: Messages) -> Messages:
    return [{**m, "content": "…"} if m["role"] == "tool" else m for m in messages]


def padded(messages: Messages) -> Messages:
    return [messages[0], {"role": "user", "content": f"{messages[1]['content']} (summary: nothing)"}, *messages[2:]]


def every_other(messages: Messages) -> Messages:
    """What is gone at one step is back at the next."""
    return messages if len(messages) % 2 else [messages[0], messages[1], *messages[-1:]]


def random_note(messages: Messages) -> Messages:
    messages[1]["content"] += f" [removed by the harness {next(NUMBERS)}]"
    return messages


BREAKS: dict[str, Callable[[Messages], Messages]] = {
    "I1": random_note,
    "I2": last_eight,
    "I3": one_result_only,
    "I4": twice,
    "I5": no_system,
    "I6": system_and_last_turn,
    "I7": system_and_last_turn,
    "I8": ends_with_a_word,
    "I9": last_eight,
    "I10": null_content,
    "I11": with_arguments(lambda text: text[:-1]),
    "I12": with_arguments(lambda text: text + " "),
    "I13": thoughtless,
    "I14": summary("[summary: used <tool_call>read_file</tool_call>]"),
    "I15": summary("[summary by the harness: all was read]"),
    "I16": summary("And I have read all of it."),
    "I17": all_of_it,
    "I18": padded,
    "I19": last_eight,
    "I20": every_other,
    "I21": emptied,
    "I23": stamped,
}
"""A reducer that breaks the rule. What needs a report is broken by policies: see test_policies."""


def found(reduce: Callable[[Messages], Messages], target: int | None = None) -> dict[str, Judged]:
    judged = check_reducer(reduce, transcripts=8, seed=3, target=target)
    return {item.invariant.id: item for item in judged}


def test_every_rule_can_be_broken() -> None:
    assert [*BREAKS, "I22", "I24"] == [*[f"I{n}" for n in range(1, 22)], "I23", "I22", "I24"]
    assert [item.id for item in INVARIANTS] == [f"I{n}" for n in range(1, 25)]


@pytest.mark.parametrize("rule", BREAKS)
def test_a_reducer_that_breaks_a_rule_is_found(rule: str) -> None:
    judged = found(BREAKS[rule], target=200)[rule]
    assert judged.broken, judged.invariant.rule
    assert judged.complaint
    assert judged.history


def test_a_reducer_that_does_nothing_breaks_nothing() -> None:
    assert not [item.invariant.id for item in found(all_of_it).values() if item.broken]


def test_what_needs_a_report_is_not_judged_of_a_function() -> None:
    assert [name for name, item in found(all_of_it).items() if not item.tried] == ["I17", "I22", "I24"]


def test_changing_the_messages_in_place_is_found() -> None:
    assert found(in_place)["I1"].broken


def reported(*steps: tuple[tuple[int, int], ...]) -> Seen:
    """Steps at which a rule with the marks 400 and 200 acted, each from so many tokens to so many."""
    seen: Seen | None = None
    said = (Message("user", "Do it."),)
    for actions in steps:
        done = tuple(Action("some", "", "", before, after, 400, 200) for before, after in actions)
        after = actions[-1][1] if actions else None
        report = PolicyReport(acted=bool(actions), policy="some", tokens_after=after, actions=done)
        seen = Seen(said, said, said, untouched=True, tokens=(0, 0), report=report, before=seen)
    assert seen
    return seen


def complaint(rule: str, seen: Seen) -> str:
    return next(item.complaint(seen) for item in INVARIANTS if item.id == rule) or ""


QUIET: tuple[tuple[int, int], ...] = ()


def test_a_policy_that_misses_its_target_has_to_rest() -> None:
    assert not complaint("I19", reported(((600, 300),), QUIET, ((450, 300),)))
    assert "acted again for 30 tokens" in complaint("I19", reported(((600, 300),), QUIET, ((410, 380),)))
    assert not complaint("I19", reported(((600, 200),), QUIET, ((410, 380),))), "the target had been met"
    assert "below its mark" in complaint("I19", reported(((390, 100),)))


def test_a_policy_that_acts_for_little_at_most_steps_never_rests() -> None:
    small = ((420, 300),)
    assert complaint("I19", reported(*[small] * 8)) == ("at 8 of 8 steps it acted for less than lies between its marks")
    assert not complaint("I19", reported(*[small, QUIET] * 5))
    assert not complaint("I19", reported(*[((900, 300),)] * 8)), "each step adds more than that"


def test_a_target_is_judged_by_what_is_sent_in_the_end() -> None:
    assert "50 tokens over the target" in complaint("I17", reported(((600, 250),)))
    assert not complaint("I17", reported(((600, 250), (500, 190))))
