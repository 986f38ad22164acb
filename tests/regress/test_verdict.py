"""Baselines, differences, and what is said of them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from agenteval.errors import FileError, UsageError
from agenteval.parsers import FAMILIES
from agenteval.regress.baseline import Known, judge, load_baseline, strangers
from agenteval.regress.check import Options, Paper, check
from agenteval.regress.corpus import bundled_corpus, load_corpus
from agenteval.regress.diff import diff
from agenteval.regress.failure import Failure, Result
from agenteval.regress.own import Own
from agenteval.report.parserdiff import render_differences
from agenteval.report.parserdiff import render_json as differences_json
from agenteval.report.parsers import FORMATS, again
from tests.regress import broken
from tests.regress.broken import Broken

CASES = {case.name: case for case in load_corpus(bundled_corpus(), ["glm47"])}
SOME = [CASES[name] for name in ("content-only", "zero-arguments", "text-after-call-content")]
PAPER = check(Broken(broken.loses_whole_calls), SOME, Options())


def reproduce(paper: Paper, result: Result, failure: Failure) -> str:
    return again(["--python", "/opt/x y/python"], None, paper, result, failure)


def test_a_failure_of_a_given_text_is_shown_again_with_that_text() -> None:
    (result, failure), *_ = PAPER.failures
    line = again([], "Hi <b>", PAPER, result, replace(failure, shrunk=None))
    assert "--raw '\"Hi <b>\"'" in line


def test_a_parser_that_died_is_shown_again_with_the_cut_that_killed_it() -> None:
    (result, failure), *_ = PAPER.failures
    died = replace(failure, kind="crashed", at="cut", pieces=("Hi", " there"), shrunk=None)
    assert again([], None, PAPER, result, died).endswith("--cut 2")
    assert "--cut" not in again([], None, PAPER, result, replace(died, at="prefix"))


def test_what_a_baseline_knows_in_vain_is_told() -> None:
    baseline = [
        Known("broken:glm47", "glm47/renamed", "cuts", "once"),
        Known("broken:glm47", "glm47/zero-arguments", "cuts", "still"),
        Known("vllm:glm99", "glm47/zero-arguments", "cuts", "a slip"),
    ]
    assert strangers(baseline, ["broken:glm47"], [case.full_name for case in SOME]) == [
        "The baseline is also of vllm:glm99: not examined here.",
        "The baseline knows cases that the corpus does not have: glm47/renamed.",
    ]


def test_known_failures_are_apart_and_repaired_ones_are_named() -> None:
    baseline = [
        Known("broken:glm47", "glm47/zero-arguments", "cuts", "vllm#48020"),
        Known("broken:glm47", "glm47/content-only", "cuts", "was bad"),
        Known("broken:glm47", "glm47/not-examined", "cuts", "elsewhere"),
    ]
    verdict = judge([PAPER], baseline)
    assert [(result.case.name, reason) for _, result, _, reason in verdict.known] == [("zero-arguments", "vllm#48020")]
    assert [known.reason for known in verdict.repaired] == ["was bad"]
    assert judge([PAPER], baseline, "one").repaired == (), "one cut shows nothing of the others"
    assert "Not seen with --cuts quick" in FORMATS["terminal"](judge([PAPER], baseline, "quick"), reproduce)
    assert {result.case.name for _, result, _ in verdict.new} == {"text-after-call-content"}
    assert not verdict.passed
    everything = [Known("broken:glm47", result.case.full_name, it.kind, "all") for result, it in PAPER.failures]
    assert judge([PAPER], everything).passed


def test_a_baseline_needs_reasons(tmp_path: Path) -> None:
    file = tmp_path / "known.yaml"
    file.write_text(FORMATS["baseline"](judge([PAPER]), reproduce))
    with pytest.raises(FileError, match="expected a text: why this failure is accepted"):
        load_baseline(file)
    file.write_text(file.read_text().replace('reason: ""', "reason: vllm#48020 is not repaired"))
    assert judge([PAPER], load_baseline(file)).passed
    file.write_text(file.read_text().replace("cuts", "cats"))
    with pytest.raises(FileError, match=r"kinds\[0\]"):
        load_baseline(file)
    file.write_text("- 7\n")
    with pytest.raises(FileError, match="expected a map with `known`"):
        load_baseline(file)
    with pytest.raises(UsageError, match="cannot read"):
        load_baseline(tmp_path / "nothing.yaml")
    file.write_text(FORMATS["baseline"](judge([check(Own(FAMILIES["glm47"]), SOME, Options("quick"))]), reproduce))
    assert load_baseline(file) == ()


def test_a_terminal_shows_the_readings_the_smallest_input_and_a_command() -> None:
    text = FORMATS["terminal"](judge([PAPER]), reproduce)
    assert (
        "broken:glm47 · zero-arguments · cuts: fed as a stream, even in one piece, the text is read otherwise" in text
    )
    assert "vllm#44326" in text
    assert 'input     "<tool_call>get_time</tool_call>"  (' in text
    assert "expected  call get_time({})" in text
    assert "got       nothing" in text
    assert (
        "again     agenteval parsers check broken:glm47 --python '/opt/x y/python' --case glm47/zero-arguments" in text
    )
    assert re.search(r"broken:glm47 +2 +2 +1 +1 +0 +0 +0 +2\n", text)


def test_machines_get_everything() -> None:
    baseline = [Known("broken:glm47", "glm47/zero-arguments", "cuts", "vllm#48020")]
    values = json.loads(FORMATS["json"](judge([PAPER], baseline), reproduce))
    assert values["passed"] is False
    assert values["parsers"][0]["well_formed"] == {"all": 2, "whole": 2, "clean": 1, "other_option": 0, "passed": 1}
    assert [known["reason"] for known in values["known"]] == ["vllm#48020"]
    assert values["new"][0]["again"].startswith("agenteval parsers check")
    page = FORMATS["md"](judge([PAPER], baseline), reproduce)
    assert "| broken:glm47 |" in page
    assert "| broken:glm47 | glm47/zero-arguments | cuts   | vllm\\#48020 |" in page
    suites = ElementTree.fromstring(FORMATS["junit"](judge([PAPER], baseline), reproduce))
    (suite,) = suites
    assert (suite.get("tests"), suite.get("failures")) == ("3", "1")
    tests = {test.get("name"): [child.tag for child in test] for test in suite}
    assert tests == {"content-only": [], "zero-arguments": ["skipped"], "text-after-call-content": ["failure"]}


def test_what_a_parser_says_harms_no_report() -> None:
    bad = Failure("raised", "whole", "\x1b[2J ``` \ufffe <b>", ("\x00",))
    paper = replace(PAPER, results=(Result(SOME[0], None, (bad,), 1),))
    for form, render in FORMATS.items():
        text = render(judge([paper]), reproduce)
        assert "\x1b" not in text, form
        assert "\x00" not in text, form
    ElementTree.fromstring(FORMATS["junit"](judge([paper]), reproduce))


def test_a_diff_names_case_cut_field_and_both_outputs() -> None:
    ours, theirs = Own(FAMILIES["glm47"]), Broken(broken.loses_whole_calls)
    assert diff(ours, Broken(), SOME, "quick") == []
    found = diff(ours, theirs, SOME[:2], "all")
    assert [(difference.case.name, difference.pieces) for difference in found] == [
        ("zero-arguments", ("<tool_call>get_time</tool_call>",))
    ]
    assert found[0].fields == (("calls[0]", "get_time({})", "none"),)
    text = render_differences(found, "agenteval:glm47", "broken:glm47")
    assert "glm47/zero-arguments" in text
    assert "agenteval:glm47  get_time({})" in text
    assert json.loads(differences_json(found, "a", "b"))["differences"][0]["fields"][0]["b"] == "none"
    assert "No difference" in render_differences([], "a", "b")
    dead = diff(ours, Broken(in_whole=broken.dies_on_a_call), SOME[:2], "quick")
    assert dead[0].fields[0][0] == "answer"
    with pytest.raises(UsageError, match="different families"):
        diff(ours, Own(FAMILIES["harmony"]), SOME, "quick")
