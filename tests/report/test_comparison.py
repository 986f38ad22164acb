"""A comparison in four formats: words first, the same rows, nothing that does harm."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from agenteval.outcome import Finding, StepError
from agenteval.report.comparison import COMPARISON_FORMATS, render_csv, render_json, render_markdown, render_terminal
from agenteval.summary import Comparison
from tests.records import record
from tests.summary.test_compare import NO_CALL, WRONG, compared, run_of, steps_of

SIMULATED: dict[str, Any] = {"endpoint": {"simulated": True, "profile": "p"}}


def mixed(**changes: Any) -> Comparison:
    """Two repaired, one broke, one changed, one unchanged."""
    base = run_of(*steps_of(NO_CALL, WRONG, (), NO_CALL, ()), run="before", **changes)
    return compared(base, run_of(*steps_of((), (), NO_CALL + WRONG, WRONG, ()), run="after", **changes))


def test_the_words_come_first() -> None:
    assert render_terminal(mixed()).split("\n")[:3] == [
        "2 turns repaired, 1 broke, 1 with another finding, 1 unchanged.",
        "A gate is missed:",
        "- 1 turn broke; at most 0 may.",
    ]


def test_what_one_run_lacks_stands_in_the_headline() -> None:
    extra = record(thinking="on", cell="s.on.full_history.0")
    text = render_terminal(compared(run_of(record(), extra), run_of(record())))
    assert text.startswith(
        "0 turns repaired, 0 broke, 1 unchanged, 1 judged in BASE only.\nNot enough was judged to say:"
    )


def missing() -> Comparison:
    extra = [record(thinking="on", trial=trial, cell=f"s.on.full_history.{trial}") for trial in (0, 1)]
    lost = record(turn=2, judged=False, ok=False, error=StepError("reset", "cut"), timing=None)
    return compared(run_of(*steps_of((), ()), *extra), run_of(record(), lost))


def test_cells_that_new_lacks_are_named() -> None:
    assert "\n".join(line.rstrip() for line in render_terminal(missing()).split("\n")).count(
        """
Missing in NEW
scenario  thinking  policy        cells        turns  why
--------  --------  ------------  -----------  -----  ----------
s         off       full_history  trial 0          1  not judged
s         on        full_history  trials 0, 1      2  not played
"""
    )
    assert "| s          | on         | full\\_history | trials 0, 1 |       2 | not played |" in render_markdown(
        missing()
    )
    assert json.loads(render_json(missing()))["missing"][1] == {
        **{"scenario": "s", "thinking": "on", "policy": "full_history"},
        **{"trials": [0, 1], "turns": 2, "played": False},
    }


def test_only_turns_that_changed_are_in_the_tables() -> None:
    lines = [line.split() for line in render_terminal(mixed()).split("\n")]
    rows = [line for line in lines if len(line) > 2 and line[2] in ("repaired", "broke", "changed", "unchanged")]
    assert rows == [
        ["1", "0", "repaired", "no_tool_call", "ok"],
        ["2", "0", "repaired", "wrong_tool", "ok"],
        ["3", "0", "broke", "ok", "no_tool_call", "+1"],
        ["4", "0", "changed", "no_tool_call", "wrong_tool"],
    ]
    assert "no_tool_call, wrong_tool" in render_markdown(mixed()).replace("\\", "")


def test_speeds_stand_with_their_ratio_and_sample_size() -> None:
    assert "off       TTFT ms              5    100    100  1.000" in render_terminal(mixed())


def test_the_terminal_fits_80_columns_with_the_longest_findings() -> None:
    long = tuple(Finding(kind, "") for kind in ("finish_reason_mismatch", "arguments_not_object", "wrong_answer"))
    found = compared(run_of(*steps_of(long), **SIMULATED), run_of(*steps_of(long[1:] + NO_CALL), **SIMULATED))
    assert "finish_reason_mismatch +2" in render_terminal(found)
    assert max(map(len, render_terminal(found).split("\n"))) <= 80


def test_csv_has_every_turn() -> None:
    rows = list(csv.DictReader(io.StringIO(render_csv(mixed()))))
    assert [(row["turn"], row["change"], row["base"], row["new"]) for row in rows] == [
        ("1", "repaired", "no_tool_call", "ok"),
        ("2", "repaired", "wrong_tool", "ok"),
        ("3", "broke", "ok", "no_tool_call wrong_tool"),
        ("4", "changed", "no_tool_call", "wrong_tool"),
        ("5", "unchanged", "ok", "ok"),
    ]


def test_csv_leaves_empty_what_was_not_judged() -> None:
    extra = record(thinking="on", cell="s.on.full_history.0")
    rows = list(csv.DictReader(io.StringIO(render_csv(compared(run_of(record()), run_of(record(), extra))))))
    assert [(row["change"], row["base"], row["new"]) for row in rows] == [
        ("unchanged", "ok", "ok"),
        ("only_new", "", "ok"),
    ]


def test_json_has_everything() -> None:
    values = json.loads(render_json(mixed()))
    assert values["headline"].startswith("2 turns repaired")
    assert (values["verdict"], values["counts"]["unchanged"], len(values["pairs"])) == ("missed", 1, 5)
    assert values["arms"][0]["ttft_ms"] == {"n": 5, "base": 100.0, "new": 100.0, "ratio": 1.0}
    assert (values["base"]["run"], values["new"]["run"]) == ("before", "after")


@pytest.mark.parametrize("kind", COMPARISON_FORMATS)
def test_every_format_marks_simulation_and_only_simulation(kind: str) -> None:
    real, simulated = (COMPARISON_FORMATS[kind](mixed(**changes)).lower() for changes in ({}, SIMULATED))
    mark = {"csv": ",true", "json": '"simulated": true'}.get(kind, "simulated: all numbers of base and new")
    assert (mark in simulated, mark in real) == (True, False)


@pytest.mark.parametrize("kind", ["terminal", "md", "csv"])
def test_text_of_strangers_moves_no_cursor(kind: str) -> None:
    evil = run_of(record(scenario="a\x1b]0;owned\x07"), run="r\x1b[2J", endpoint={"model": "m\x1b[2J"})
    broke = run_of(record(scenario="a\x1b]0;owned\x07", findings=NO_CALL))
    assert not set("\x1b\x07") & set(COMPARISON_FORMATS[kind](compared(evil, broke)))


def test_markdown_shows_hostile_text_as_text() -> None:
    evil = record(scenario="<img src=x>|")
    assert "<img" not in render_markdown(compared(run_of(evil, endpoint={"model": "<img>"}), run_of(evil)))
