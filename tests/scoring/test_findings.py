"""Every finding of the closed list, with an example that has it and one that has not."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from agenteval.messages import Message, Transcript
from agenteval.outcome import FINDING_KINDS, Finding
from agenteval.scoring import Progress, StepContext, judge_end, judge_step
from agenteval.scoring.judge import give_up
from agenteval.scoring.placing import right_values
from agenteval.script import Expectation, ExpectedAnswer, ExpectedCall
from agenteval.stream import CallReply, Defect, Reply
from agenteval.thinking import Thinking
from tests.transcripts import CLOSE, READ

VIEW: Transcript = (Message("system", "You are a coding agent."), Message("user", "Read a.py and b.py, close T-7."))
READ_A = ExpectedCall("read_file", {"path": "a.py"})
ONE = Expectation(calls=(READ_A,))
READ_B = ExpectedCall("read_file", {"path": "b.py"})
CLOSE_7 = ExpectedCall("close_ticket", {"id": "T-7"})


def calls(*pairs: tuple[str, Any], ids: tuple[str | None, ...] = ()) -> tuple[CallReply, ...]:
    """Call replies from (name, arguments or text) pairs."""
    found = []
    for index, (name, arguments) in enumerate(pairs):
        text = arguments if isinstance(arguments, str) else json.dumps(arguments)
        call_id = ids[index] if ids else f"id{index}"
        found.append(CallReply(call_id, name, text, index))
    return tuple(found)


def made(*pairs: tuple[str, Any], **kwargs: Any) -> Reply:
    ids = kwargs.pop("ids", ())
    return reply(tool_calls=calls(*pairs, ids=ids), **{"finish_reason": "tool_calls", **kwargs})


def reply(**kwargs: Any) -> Reply:
    return Reply(**{"finish_reason": "stop", **kwargs})


def said(text: str, **kwargs: Any) -> Reply:
    return reply(content=text, **kwargs)


@dataclass(frozen=True)
class Case:
    """A reply, what was expected, and what else the verdict depends on."""

    reply: Reply
    expect: Expectation = ONE
    thinking: Thinking = "off"
    view: Transcript = VIEW
    progress: Progress | None = None
    once_right: dict[tuple[str, str], tuple[Any, ...]] = field(default_factory=dict)
    known_ids: frozenset[str] = frozenset()


def found(case: Case) -> tuple[Finding, ...]:
    context = StepContext(
        expect=case.expect,
        offered=(READ, CLOSE),
        view=case.view,
        thinking=case.thinking,
        thinking_switched=True,
        once_right=case.once_right,
        known_ids=case.known_ids,
    )
    return judge_step(case.reply, context, case.progress or Progress.begin(case.expect)).findings


RIGHT = Case(made(("read_file", {"path": "a.py"})))
NO_CALLS = Expectation(calls=())
BOTH = Expectation(calls=(READ_A, READ_B))
ANY = Expectation(calls=(READ_A, CLOSE_7), order="any")

STEP_CASES: dict[str, tuple[Case, Case]] = {
    "no_tool_call": (Case(said("I have read it.")), RIGHT),
    "call_as_text": (
        Case(said('I will call read_file(path="a.py") now.')),
        Case(said("You could call read_file yourself."), NO_CALLS),
    ),
    "call_in_reasoning": (
        Case(said("Done.", reasoning="<tool_call>read_file</tool_call>"), thinking="on"),
        Case(made(("read_file", {"path": "a.py"}), reasoning="I read a.py."), thinking="on"),
    ),
    "truncated": (
        Case(made(("read_file", '{"path": "a.p'), finish_reason="length")),
        Case(made(("read_file", {"path": "a.py"}))),
    ),
    "missing_tool_call": (
        Case(said("Done."), BOTH, progress=Progress(open=(READ_B,), calls_made=1)),
        Case(said("Done."), BOTH, progress=Progress(open=(), calls_made=2)),
    ),
    "extra_tool_call": (
        Case(made(("read_file", {"path": "a.py"}), ("read_file", {"path": "a.py"}))),
        Case(
            made(("read_file", {"path": "a.py"}), ("read_file", {"path": "b.py"})),
            Expectation(calls=(READ_A,), extra=True),
        ),
    ),
    "unexpected_tool_call": (
        Case(made(("read_file", {"path": "a.py"})), NO_CALLS),
        Case(said("No need to look."), NO_CALLS),
    ),
    "wrong_tool": (
        Case(made(("close_ticket", {"id": "T-7"}))),
        Case(made(("close_ticket", {"id": "T-7"})), ANY),
    ),
    "unknown_tool": (Case(made(("delete_all", {}))), RIGHT),
    "invalid_json": (Case(made(("read_file", '{"path": "a.py"'))), RIGHT),
    "arguments_not_object": (Case(made(("read_file", '["a.py"]'))), RIGHT),
    "schema_violation": (
        Case(made(("read_file", {"path": "a.py", "limit": "ten"}))),
        Case(made(("read_file", {"path": "a.py", "limit": 10})), Expectation()),
    ),
    "wrong_argument": (Case(made(("read_file", {"path": "b.py"}))), RIGHT),
    "stale_argument": (
        Case(made(("read_file", {"path": "b.py"})), once_right={("read_file", "path"): ("b.py",)}),
        Case(made(("read_file", {"path": "a.py"})), once_right={("read_file", "path"): ("a.py",)}),
    ),
    "invented_argument": (Case(made(("read_file", {"path": "zz.py"}))), Case(made(("read_file", {"path": "b.py"})))),
    "forbidden_call": (
        Case(made(("close_ticket", {"id": "T-7"})), Expectation(forbid=(CLOSE_7,))),
        Case(made(("close_ticket", {"id": "T-8"})), Expectation(forbid=(CLOSE_7,))),
    ),
    "leaked_markup": (
        Case(said("All done.</think>"), NO_CALLS),
        Case(said("The file says </think>."), NO_CALLS, view=(*VIEW, Message("tool", "</think>", tool_call_id="x"))),
    ),
    "empty_reply": (Case(reply(content=""), NO_CALLS), Case(said("Yes."), NO_CALLS)),
    "finish_reason_mismatch": (Case(made(("read_file", {"path": "a.py"}), finish_reason="stop")), RIGHT),
    "bad_call_id": (
        Case(made(("read_file", {"path": "a.py"})), known_ids=frozenset({"id0"})),
        Case(made(("read_file", {"path": "a.py"})), known_ids=frozenset({"id1"})),
    ),
    "stream_protocol": (Case(said("Hi.", defects=(Defect("bad_json", "event 3"),)), NO_CALLS), RIGHT),
    "reasoning_missing": (Case(made(("read_file", {"path": "a.py"})), thinking="on"), RIGHT),
    "reasoning_unexpected": (
        Case(made(("read_file", {"path": "a.py"}), reasoning="Hm.")),
        Case(made(("read_file", {"path": "a.py"}), reasoning="Hm."), thinking="preserved"),
    ),
}

AT_THE_END = {"wrong_answer", "state_mismatch"}
BY_THE_RUN = {"endpoint_error"}


def test_every_finding_has_its_examples() -> None:
    assert set(STEP_CASES) | AT_THE_END | BY_THE_RUN == set(FINDING_KINDS)


@pytest.mark.parametrize("kind", STEP_CASES)
def test_a_reply_with_the_defect_is_found(kind: str) -> None:
    assert kind in [finding.kind for finding in found(STEP_CASES[kind][0])]


@pytest.mark.parametrize("kind", STEP_CASES)
def test_a_reply_without_the_defect_is_left_alone(kind: str) -> None:
    assert kind not in [finding.kind for finding in found(STEP_CASES[kind][1])]


@pytest.mark.parametrize("kind", ["no_tool_call", "call_as_text", "call_in_reasoning", "truncated"])
def test_one_explanation_replaces_no_tool_call(kind: str) -> None:
    kinds = [finding.kind for finding in found(STEP_CASES[kind][0])]
    assert len({"no_tool_call", "call_as_text", "call_in_reasoning", "truncated"} & set(kinds)) == 1


def test_a_right_call_has_no_finding_at_all() -> None:
    assert found(RIGHT) == ()


def test_a_schema_violation_names_its_path() -> None:
    (finding,) = [f for f in found(STEP_CASES["schema_violation"][0]) if f.kind == "schema_violation"]
    assert finding.path == "$.limit"


def test_a_wrong_argument_names_path_expectation_and_value() -> None:
    (finding,) = found(STEP_CASES["wrong_argument"][0])
    assert finding.path == "$.path"
    assert "a.py" in finding.detail
    assert "b.py" in finding.detail


def test_a_broken_call_is_not_blamed_twice() -> None:
    kinds = [finding.kind for finding in found(STEP_CASES["schema_violation"][0])]
    assert kinds == ["schema_violation"]


def test_a_right_call_after_a_wrong_one_is_not_extra() -> None:
    context = StepContext(Expectation(calls=(READ_A,)), (READ, CLOSE), VIEW, "off", True, {})
    first = judge_step(made(("read_file", {"path": "b.py"})), context, Progress.begin(context.expect))
    second = judge_step(made(("read_file", {"path": "a.py"})), context, first.progress)
    third = judge_step(said("Done."), context, second.progress)
    assert [f.kind for f in first.findings] == ["wrong_argument"]
    assert second.findings == third.findings == ()


def test_calls_may_come_one_by_one_or_together() -> None:
    both = (("read_file", {"path": "a.py"}), ("read_file", {"path": "b.py"}))
    assert found(Case(made(*both), BOTH)) == ()
    assert [f.kind for f in found(Case(made(*reversed(both)), BOTH))] == ["wrong_tool"], "b before a"
    assert found(Case(made(*reversed(both)), Expectation(calls=(READ_A, READ_B), order="any"))) == ()


def test_no_expectation_means_no_finding_on_calls() -> None:
    assert found(Case(said("Hello."), Expectation())) == ()
    assert found(Case(made(("read_file", {"path": "q"})), Expectation())) == ()


def test_calls_that_never_end_are_given_up() -> None:
    kinds = [finding.kind for finding in give_up(Progress(open=(READ_B,), calls_made=9), 4)]
    assert kinds == ["extra_tool_call", "missing_tool_call"]


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        ("Ticket T-7 is closed.", False),
        ("ticket t-7  is\nclosed", False),
        ("All closed.", True),
        ("T-7 is open.", True),
    ],
)
def test_wrong_answer(answer: str, wrong: bool) -> None:
    expect = Expectation(answer=ExpectedAnswer(contains=(("T-7",),), excludes=("is open",)))
    assert [f.kind for f in judge_end(answer, {}, expect)] == (["wrong_answer"] if wrong else [])


def test_what_stands_only_within_another_word_is_told() -> None:
    expect = Expectation(answer=ExpectedAnswer(contains=(("refund",), ("12", "twelve"))))
    told = [finding.detail for finding in judge_end("It was refunded, all 1,128 euros.", {}, expect)]
    assert told == [
        "the answer lacks 'refund' (only 'refunded' is there)",
        "the answer lacks '12' or 'twelve' (only '1,128' is there)",
    ]


@pytest.mark.parametrize(
    ("answer", "lacks"),
    [
        ("At 12:30 in Berlin.", []),
        ("Berlin, at half  past\ntwelve", []),
        ("Berlin, 12.30 pm: that is half past twelve.", []),
        ("At 12:30.", ["the answer lacks 'Berlin'"]),
        ("Berlin, at one.", ["the answer lacks '12:30' or 'half past twelve' or '12.30 pm'"]),
        ("No idea.", ["the answer lacks 'Berlin'", "the answer lacks '12:30' or 'half past twelve' or '12.30 pm'"]),
    ],
)
def test_one_spelling_of_each_is_enough(answer: str, lacks: list[str]) -> None:
    wanted = ExpectedAnswer(contains=(("Berlin",), ("12:30", "half past twelve", "12.30 pm")))
    assert [finding.detail for finding in judge_end(answer, {}, Expectation(answer=wanted))] == lacks


@pytest.mark.parametrize(
    ("world", "path"),
    [({"tickets": {"T-7": "closed"}}, None), ({"tickets": {"T-7": "open"}}, "tickets[T-7]"), ({}, "tickets[T-7]")],
)
def test_state_mismatch(world: Any, path: str | None) -> None:
    findings = judge_end("", world, Expectation(state={"tickets[T-7]": "closed"}))
    assert [(f.kind, f.path) for f in findings] == ([("state_mismatch", path)] if path else [])


def test_a_missing_done_is_told_and_fails_nothing() -> None:
    late = made(("read_file", {"path": "a.py"}), defects=(Defect("done_missing", "no [DONE]"),))
    (finding,) = found(Case(late))
    assert (finding.kind, finding.harmless) == ("stream_protocol", True)
    (finding,) = found(Case(made(("read_file", {"path": "a.py"}), defects=(Defect("bad_json", "event 3"),))))
    assert not finding.harmless


def kinds_of(expect: Expectation, *replies: Reply) -> list[list[str]]:
    """Findings of several replies in one turn."""
    context = StepContext(expect, (READ, CLOSE), VIEW, "off", True, {})
    progress, found_kinds = Progress.begin(expect), []
    for one in replies:
        judgement = judge_step(one, context, progress)
        progress = judgement.progress
        found_kinds.append([str(finding.kind) for finding in judgement.findings])
    return found_kinds


A, B, C = ("read_file", {"path": "a.py"}), ("read_file", {"path": "b.py"}), ("close_ticket", {"id": "T-7"})
WRONG_A = ("read_file", {"path": "zz.py"})


@pytest.mark.parametrize(
    ("expected", "calls_made", "kinds"),
    [
        ((READ_A, READ_B, CLOSE_7), (B, C), [[], [], ["missing_tool_call"]]),
        ((READ_A, CLOSE_7), (C, A), [[], ["wrong_tool"], []]),
        ((READ_A, CLOSE_7), (WRONG_A, WRONG_A, A, C), [["invented_argument"], ["invented_argument"], [], [], []]),
        ((READ_A, CLOSE_7), (C,), [[], ["missing_tool_call"]]),
        ((READ_A,), (C, A), [["wrong_tool"], [], []]),
    ],
)
def test_exact_order_blames_only_what_happened(
    expected: tuple[ExpectedCall, ...], calls_made: tuple[tuple[str, Any], ...], kinds: list[list[str]]
) -> None:
    replies = [made(one, ids=(f"id{at}",)) for at, one in enumerate(calls_made)]
    assert kinds_of(Expectation(calls=expected), *replies, said("Done.")) == kinds


def test_further_calls_are_fine_in_any_place() -> None:
    free = Expectation(calls=(READ_A,), extra=True)
    assert kinds_of(free, made(B), made(A), said("Done.")) == [[], [], []]
    assert kinds_of(free, made(A), made(B), said("Done.")) == [[], [], []]
    assert kinds_of(free, made(C), said("Done.")) == [[], ["missing_tool_call"]]
    assert kinds_of(free, made(B), made(WRONG_A), said("Done.")) == [[], [], ["invented_argument"]], (
        "the nearest attempt"
    )


def test_where_any_way_will_do_the_calls_are_one_of_them() -> None:
    free = Expectation(calls=(READ_A, CLOSE_7), any_way=True, forbid=(ExpectedCall("read_file", {"path": "b.py"}),))
    assert kinds_of(free, made(C), said("Done.")) == [[], []]
    assert kinds_of(free, made(C), made(WRONG_A), made(C), said("Done.")) == [[], [], [], []]
    assert kinds_of(free, said("Done.")) == [["no_tool_call"]]
    assert kinds_of(free, made(B), said("Done.")) == [["forbidden_call"], []]
    assert kinds_of(free, made(("read_file", {})), said("Done.")) == [["schema_violation"], []]


def test_of_several_fitting_places_the_particular_one_is_taken() -> None:
    some_python = ExpectedCall("read_file", {"path": {"$regex": "py$", "example": "x.py"}})
    either = Expectation(calls=(some_python, READ_A), order="any")
    assert kinds_of(either, made(A), made(B), said("Done.")) == [[], [], []]


def test_a_broken_call_takes_no_place_that_accepts_anything() -> None:
    anything = Expectation(calls=(ExpectedCall("read_file"),))
    assert kinds_of(anything, made(("read_file", '{"path"')), made(A), said("Done.")) == [["invalid_json"], [], []]


def test_an_unknown_tool_is_unknown_even_with_broken_arguments() -> None:
    assert [f.kind for f in found(Case(made(("delete_all", "{"))))] == ["unknown_tool"]


def test_a_call_cut_inside_its_name_is_only_truncated() -> None:
    assert [f.kind for f in found(Case(made(("read_", ""), finish_reason="length")))] == ["truncated"]


def test_a_leak_is_found_every_time_it_happens() -> None:
    leaky = said("All done.</think>")
    again = Case(leaky, NO_CALLS, view=(*VIEW, Message("assistant", "All done.</think>"), Message("user", "Sure?")))
    assert [f.kind for f in found(again)] == ["leaked_markup"]


def test_a_value_inside_json_or_a_schema_is_not_invented() -> None:
    quoted = (*VIEW, Message("tool", json.dumps({"path": 'say "hi".py'}), tool_call_id="x"))
    assert [f.kind for f in found(Case(made(("read_file", {"path": 'say "hi".py'})), view=quoted))] == [
        "wrong_argument"
    ]


def test_numbers_and_absent_arguments_do_not_confuse_the_memory() -> None:
    without = ExpectedCall("read_file", {"path": "a.py", "limit": {"$absent": True}})
    assert dict(right_values([without])) == {("read_file", "path"): "a.py"}
    limited = Expectation(calls=(ExpectedCall("read_file", {"path": "a.py", "limit": 5}),))
    seven = made(("read_file", {"path": "a.py", "limit": 7}))
    assert [f.kind for f in found(Case(seven, limited, once_right={("read_file", "limit"): (7.0,)}))] == [
        "stale_argument"
    ]
    assert [f.kind for f in found(Case(made(("read_file", '{"path": "a.py", "limit": 1e999}')), limited))] == [
        "invalid_json"
    ]


def test_prose_in_brackets_is_no_call() -> None:
    assert [f.kind for f in found(Case(said("I used read_file (as you asked).")))] == ["no_tool_call"]


def test_a_state_that_must_be_gone() -> None:
    gone = Expectation(state={"tickets[T-7]": {"$absent": True}})
    assert judge_end("", {"tickets": {}}, gone) == ()
    assert [f.kind for f in judge_end("", {"tickets": {"T-7": "open"}}, gone)] == ["state_mismatch"]


@pytest.mark.parametrize("answer", ["It is T\u20117.", "It\u2019s \u201cT\u20137\u201d"])
def test_how_hyphens_and_quotes_are_drawn_does_not_matter(answer: str) -> None:
    assert judge_end(answer, {}, Expectation(answer=ExpectedAnswer(contains=(("T-7",),)))) == ()
