"""The exam finds what is planted, and shows it with the smallest cut and input."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from agenteval.parsers import FAMILIES, ParsedCall, ParsedMessage
from agenteval.regress.case import Case
from agenteval.regress.check import Options, check, rewritten, tally
from agenteval.regress.corpus import bundled_corpus, load_corpus
from agenteval.regress.exam import Exam
from agenteval.regress.failure import Failure, Kind, Result
from agenteval.regress.oddness import oddness
from agenteval.regress.own import Own
from agenteval.regress.subject import Question, Stream
from tests.regress import broken
from tests.regress.broken import Broken

CASES = {case.name: case for case in load_corpus(bundled_corpus(), ["glm47"])}
ZONES = CASES["zero-arguments-between-others"]


def sat(subject: Broken, case: Case) -> Result:
    (result,) = Exam(subject, "all", Own(subject.family)).sit(case, {})
    return result


def failure(result: Result, kind: Kind) -> Failure:
    return next(failure for failure in result.failures if failure.kind == kind)


@pytest.mark.parametrize(
    ("defect", "kind"),
    [
        (broken.loses_whole_calls, "cuts"),
        (broken.names_twice, "protocol"),
        (broken.leaks_a_closer, "markers"),
        (broken.closes_cut_arguments, "truncation"),
        (broken.keeps_all_to_the_end, "hold_back"),
        (broken.wrong_finish, "finish"),
        (broken.raises_on_one_letter, "raised"),
    ],
)
def test_a_defect_of_a_stream_is_found(defect: Callable[[Sequence[str], Stream], Stream], kind: Kind) -> None:
    words = CASES["text-before-a-call"]
    long = rewritten(words, f"Long words, and more of them. {words.raw}")
    assert kind in [failure.kind for failure in sat(Broken(defect), long).failures]
    assert sat(Broken(), long).failures == ()


def test_a_cut_fault_comes_with_its_smallest_cut_and_input() -> None:
    found = failure(sat(Broken(broken.loses_whole_calls), ZONES), "cuts")
    assert found.pieces == (ZONES.raw,), "it shows without any cut"
    assert found.times > 10
    assert found.got == ParsedMessage()
    assert found.shrunk
    assert len("".join(found.shrunk)) < len(ZONES.raw) / 2
    leak = failure(sat(Broken(broken.leaks_a_closer), ZONES), "cuts")
    assert len(leak.pieces) == 2
    assert leak.pieces[1].startswith("</tool_call>")


def test_a_misread_text_is_made_small_without_becoming_another_fault() -> None:
    empty = CASES["empty-strings"]
    case = rewritten(empty, f"Some words. {empty.raw}{ZONES.raw}")
    result = sat(Broken(in_whole=broken.drops_blank_values), case)
    assert not result.whole
    found = failure(result, "whole")
    assert found.got
    assert found.got.calls[0] == ParsedCall("get_time_zone", "{}")
    assert found.shrunk == (empty.raw,), "the call that shows it, whole and of a declared tool, and nothing else"


def test_what_is_made_small_stays_as_well_formed_as_it_was() -> None:
    glm47 = FAMILIES["glm47"]
    question = Question(ZONES.tools)
    for text in ("<tool_call>g</tool_call>", "<tool_call>calc<arg_key>n<arg_value>1</arg_value></tool_call>"):
        assert not oddness(glm47, question, text).within(oddness(glm47, question, ZONES.raw)), text
    one = "<tool_call>get</tool_call>"
    assert oddness(glm47, question, one).within(oddness(glm47, question, ZONES.raw))
    for text in ('[TOOL_CALLS]get_time_zone[ARGS]{"city": ""}', "[TOOL_CALLS]get_time_zone[ARGS]{}"):
        assert _within("mistral", text), text
    for text in (
        "[TOOL_CALLS]get_time_zone[ARGS]",
        '[TOOL_CALLS]get_time_zone{"city": "Oslo"}',
        '[TOOL_CALLS]get_time_zone[ARGS]{"": "Oslo"}',
        '[TOOL_CALLS]get_time[ARGS]{"city": "Oslo"}',
        '[TOOL_CALLS]get_time_zone[ARGS]{"city" "Oslo"}',
        '[ARGS]{"city": "Oslo"}',
        "Oslo",
    ):
        assert not _within("mistral", text), text
    cut = oddness(glm47, question, CASES["truncated-call-dropped"].raw)
    assert not oddness(glm47, question, "<tool_call></tool_call>Hi<tool_call>calc</arg_value>").within(cut)
    odd = CASES["text-after-call-content"]
    assert oddness(glm47, question, odd.raw).within(oddness(glm47, question, odd.raw))


def _within(family: str, text: str) -> bool:
    """Whether it is no odder than a plain call."""
    plain = '[TOOL_CALLS]get_time_zone[ARGS]{"city": "Oslo"}'
    question, known = Question(ZONES.tools), FAMILIES[family]
    return oddness(known, question, text).within(oddness(known, question, plain))


def test_a_parser_that_dies_fails_this_case_and_no_other() -> None:
    subject = Broken(in_whole=broken.dies_on_a_call)
    paper = check(subject, [ZONES, CASES["content-only"]], Options())
    assert [failure.kind for _, failure in paper.failures] == ["crashed"]
    assert paper.failures[0][1].detail == "Segmentation fault"
    assert tally(paper.results).clean == 1


def test_a_parser_that_raises_under_some_cuts_reads_the_whole_text_and_is_not_proof_against_cuts() -> None:
    found = sat(Broken(broken.raises_at_a_value), ZONES)
    assert (found.whole, found.depends_on_the_cut, found.clean) == (True, True, False)
    raised = failure(found, "raised")
    assert (raised.at, len(raised.pieces)) == ("cut", 2)
    assert raised.pieces[1].startswith("<arg_value>")
    assert raised.shrunk
    assert len("".join(raised.shrunk)) < len(ZONES.raw) / 2


def test_a_parser_that_dies_under_a_cut_shows_that_cut() -> None:
    found = sat(Broken(broken.dies_at_a_value), ZONES)
    assert (found.whole, found.depends_on_the_cut, found.clean) == (True, True, False)
    crashed = failure(found, "crashed")
    assert crashed.at == "cut"
    assert any(piece.startswith("<arg_value>") for piece in crashed.pieces)


def test_calls_that_come_only_at_the_end_are_held_back() -> None:
    kept = Broken(broken.keeps_calls_to_the_end)
    assert "comes only at the end" in failure(sat(kept, ZONES), "hold_back").detail
    call = "<tool_call>save<arg_key>text</arg_key><arg_value>{}</arg_value></tool_call>"
    short, long = (rewritten(CASES["five-calls-at-once"], call.format("a" * size)) for size in (10, 300))
    assert [found.kind for found in sat(kept, short).failures] == [], "some give a short value as a whole"
    assert "characters of arguments" in failure(sat(kept, long), "hold_back").detail
    assert sat(Broken(), long).failures == ()


def test_a_reply_that_breaks_off_and_depends_on_the_cut_shows_how_it_was_cut() -> None:
    words = rewritten(CASES["text-before-a-call"], f"Long words. {CASES['text-before-a-call'].raw}")
    found = failure(sat(Broken(broken.forgets_what_came_before), words), "truncation")
    assert (found.at, len(found.pieces)) == ("prefix", 2)


def test_making_it_small_ends_with_the_first_death() -> None:
    """Each one costs a time-out and a start."""
    deadly = broken.Deadly(ZONES.raw)
    found = failure(sat(Broken(deadly), ZONES), "cuts")
    assert (found.shrunk, deadly.deaths) == (None, 1)


def test_malformed_text_may_be_read_under_any_option_of_its_policy() -> None:
    case = CASES["text-after-call-content"]
    assert case.expected
    drop = Broken(in_whole=lambda said: ParsedMessage("", "a", said.calls))
    assert sat(drop, case).option == "drop"
    other = sat(Broken(in_whole=lambda said: ParsedMessage("", "b", said.calls)), case)
    assert "policy" in [failure.kind for failure in other.failures]
    (narrowed,) = Exam(drop).sit(case, {"text_after_call": "content"})
    assert "policy" in [failure.kind for failure in narrowed.failures]


def test_our_parsers_are_asked_for_each_option() -> None:
    exam = Exam(Own(FAMILIES["glm47"]), "quick")
    assert [result.option for result in exam.sit(CASES["text-after-call-content"], {})] == [None, "drop"]
    assert [result.option for result in exam.sit(CASES["text-after-call-content"], {"text_after_call": "drop"})] == [
        "drop"
    ]


def test_one_cut_can_be_asked_for() -> None:
    exam = Exam(Broken(broken.loses_whole_calls), "all", Own(FAMILIES["glm47"]), (5,))
    (result,) = exam.sit(CASES["zero-arguments"], {})
    assert result.cuts == 1
    assert result.failures == (), "cut within its opener, a call is not whole"
