"""What became of a fact: used, or lost, unused, stale, invented, or never said at all."""

from __future__ import annotations

from typing import Any

import pytest

from agenteval.messages import Message
from agenteval.outcome import Finding, RecordedFact
from agenteval.scoring.calls import ReadCall
from agenteval.scoring.facts import watched
from agenteval.script import Expectation, ExpectedAnswer, ExpectedCall, Fact

CODE = Fact("code", "correction", "A1234", 1, 5, stale=("A0000",))
EXPECT = Expectation(
    calls=(ExpectedCall("close", {"lots": [{"id": "B9999"}, {"id": "A1234"}]}),),
    answer=ExpectedAnswer(contains=(("A1234", "a 1234"),)),
)
SAID = "it is A0000, no, A1234; others are C5678"


def judged(
    *steps: tuple[str, Any],
    fact: Fact = CODE,
    expect: Expectation = EXPECT,
    said: str = SAID,
    answer: str = "Done.",
    findings: tuple[Finding, ...] = (),
) -> RecordedFact:
    """After steps, each the text of its view and the id that was closed (None: no call)."""
    (fact_,) = watched((fact,), 5, expect)
    for view, code in steps:
        arguments = {"lots": [{"id": "B9999"}, {"id": code}]}
        calls = [ReadCall("close", arguments), ReadCall("look", {"lots": "A1234"})] if code is not None else []
        fact_ = fact_.after(calls, findings, lambda view=view: view)  # type: ignore[misc]
    return fact_.judged(answer, (Message("tool", said), Message("assistant", "A1234")))


@pytest.mark.parametrize(
    ("steps", "outcome", "in_view", "got", "instead"),
    [
        ([(SAID, "A1234")], "used", True, None, None),
        ([("", "A7777"), (SAID, "A1234")], "used", True, "A7777", None),
        ([(SAID, "A1234"), ("", None)], "used", True, None, None),
        ([(SAID, "A0000"), ("", None)], "stale", True, "A0000", "stale"),
        ([("A0000", "A0000")], "lost", False, "A0000", "stale"),
        ([(SAID, "A7777")], "invented", True, "A7777", "invented"),
        ([("", "A7777")], "lost", False, "A7777", "invented"),
        ([(SAID, "C5678")], "unused", True, "C5678", None),
        ([("C5678", "C5678")], "lost", False, "C5678", None),
        ([(SAID, None)], "unused", True, None, None),
        ([("", None)], "lost", False, None, None),
        ([], "lost", False, None, None),
        ([(SAID, {"no": "text"})], "unused", True, None, None),
    ],
)
def test_a_fact_in_a_call(
    steps: list[tuple[str, Any]], outcome: str, in_view: bool, got: str | None, instead: str | None
) -> None:
    """What did not stand in the view is lost, whatever was said in its place."""
    fact = judged(*steps)
    assert (fact.outcome, fact.in_view, fact.got, fact.instead) == (outcome, in_view, got, instead)
    assert (fact.name, fact.kind, fact.age, fact.age_unit) == ("code", "correction", 4, "turns")


def test_what_never_came_up_was_not_lost() -> None:
    assert judged(("", "A7777"), said="no such lot").outcome == "unstated"


def test_a_fact_in_an_answer() -> None:
    assert judged((SAID, None), answer="It is A1234.").outcome == "used"
    assert judged((SAID, None), answer="It is A0000.").outcome == "stale"
    assert judged((SAID, None), answer="I do not know.").outcome == "unused"


@pytest.mark.parametrize(
    ("view", "broken", "outcome"),
    [
        ("Never close B1.", False, "used"),
        ("", False, "used"),
        ("Never close B1.", True, "unused"),
        ("", True, "lost"),
    ],
)
def test_a_rule_is_kept_by_not_calling(view: str, broken: bool, outcome: str) -> None:
    rule = Fact("rule", "rule", "Never close B1.", 1, 5)
    expect = Expectation(calls=(), forbid=(ExpectedCall("close"),))
    findings = (Finding("forbidden_call", "close"),) if broken else ()
    fact = judged((view, None), fact=rule, expect=expect, said="Never close B1.", findings=findings)
    assert fact.outcome == outcome


def test_only_what_this_turn_needs_is_watched() -> None:
    assert watched((CODE,), 4, EXPECT) == ()


def test_within_a_turn_age_counts_calls() -> None:
    fact = Fact("code", "id", "A1234", 2, 2, stated_call=1, needed_call=9)
    assert (fact.age, fact.age_unit) == (8, "calls")
