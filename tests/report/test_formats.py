"""The four formats show the same rows, mark what is simulated, and let no text of a model do harm."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import pytest

from agenteval.outcome import Finding
from agenteval.report import FORMATS, render_csv, render_json, render_markdown, render_terminal
from agenteval.report.markdown import escaped
from agenteval.report.tables import TURN_HEADER, Table, fixed, turn_cells
from agenteval.report.terminal import WIDTH, drawn, wrapped
from agenteval.summary import Summary
from tests.records import record
from tests.summary.test_rows import summary_of

FAILING = (Finding("no_tool_call", "expected read_file, no call was made"),)


def summary(*, simulated: bool = True) -> Summary:
    return summary_of(record(turn=1), record(turn=2, findings=FAILING), simulated=simulated, profile="p")


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_shows_the_finding_and_the_mark_of_simulation(kind: str) -> None:
    text = FORMATS[kind](summary())
    assert "no_tool_call" in text.replace("\\", "")
    if kind == "json":
        assert json.loads(text)["simulated"] is True
    elif kind == "csv":
        assert {row["simulated"] for row in csv.DictReader(io.StringIO(text))} == {"True"}
    else:
        assert "SIMULATED" in text


@pytest.mark.parametrize("kind", ["terminal", "md"])
def test_real_runs_are_not_called_simulated(kind: str) -> None:
    assert "SIMULATED" not in FORMATS[kind](summary(simulated=False))


def test_percentiles_of_few_samples_are_marked() -> None:
    text = render_markdown(summary())
    assert "100 (max)" in text


@pytest.mark.parametrize("kind", ["terminal", "md", "csv"])
def test_text_of_strangers_moves_no_cursor(kind: str) -> None:
    evil = summary_of(record(scenario="a\x1b]0;owned\x07", findings=(Finding("wrong_tool", "got \x1b[2Jevil"),)))
    assert not set("\x1b\x07") & set(FORMATS[kind](evil))


def test_the_terminal_report_fits_80_columns() -> None:
    assert max(map(len, render_terminal(summary()).split("\n"))) <= 80


WIDE = turn_cells(
    replace(
        summary().turns[1],
        turn=16,
        messages=123_456,
        context=128_000,
        ttft_ms=120_000.4,
        decode_tok_s=1_527.86,
        chunk_rate=1_555.83,
        tokens_per_chunk=2.76,
        judged_trials=10,
        failures=("finish_reason_mismatch", *map(str, range(12))),
    ),
    brief=True,
)


def test_the_widest_numbers_and_findings_fit_80_columns() -> None:
    lines = drawn(Table("t", TURN_HEADER, (WIDE,))).split("\n")
    assert max(map(len, lines)) <= 80
    assert lines[2].split()[:5] == ["16", "123,456", "128,000", "120,000", "1,528"]
    assert lines[2].endswith("0/10 FAIL finish_reason_mismatch +12")
    assert lines[3] == "(tok/chk, chunk/s: no room here; see --format md)"


def test_a_list_item_begins_with_its_first_word_however_long_that_is() -> None:
    long = "x" * WIDTH
    assert wrapped(f"- {long} ends here") == f"- {long}\n  ends here"
    assert wrapped(f"{long} ends here") == f"{long}\nends here"
    assert wrapped(f"- {'word ' * 20}").splitlines() == [f"- {'word ' * 15}".rstrip(), f"  {'word ' * 5}".rstrip()]


def test_columns_are_left_out_only_where_there_is_no_room() -> None:
    cells = ("1", "–", "607", "42", "1,528", "556", "2.76", "FAIL schema_violation +3")
    lines = drawn(Table("t", TURN_HEADER, (cells,))).split("\n")
    assert "tok/chk" in lines[0]
    assert len(lines) == 3


def test_decimals_end_at_100() -> None:
    assert [fixed(value, 2) for value in (None, 7.5, 99.99, 99.996, 100.4, 1527.86)] == [
        "–",
        "7.50",
        "99.99",
        "100",
        "100",
        "1,528",
    ]


def test_colour_only_on_request() -> None:
    assert "\x1b" not in render_terminal(summary())
    assert "\x1b[31m" in render_terminal(summary(), colour=True)


def test_csv_has_one_line_per_turn_and_empty_for_unknown() -> None:
    rows = list(csv.DictReader(io.StringIO(render_csv(summary()))))
    assert [(row["turn"], row["ok_trials"], row["findings"]) for row in rows] == [
        ("1", "1", ""),
        ("2", "0", "no_tool_call:1"),
    ]
    assert rows[0]["decode_tok_s"] == "", "pooled decode needs token counts that these records lack"


def test_csv_cells_are_no_formulas() -> None:
    evil = summary_of(record(findings=(Finding("wrong_answer", "=HYPERLINK(1)"),)))
    assert "\n=HYPER" not in render_csv(evil)
    assert "'=HYPERLINK" in render_csv(evil)


def test_json_keeps_unknown_as_null() -> None:
    values = json.loads(render_json(summary()))
    assert values["turns"][0]["decode_tok_s"] is None
    assert values["scores"]["completion"] == 1.0


def test_markdown_shows_hostile_text_as_text() -> None:
    assert escaped("<script>|x|\n# h `c` [l](u)") == "&lt;script&gt;\\|x\\| \\# h \\`c\\` \\[l\\](u)"
    evil = summary_of(record(scenario="<img src=x>|"))
    assert "<img" not in render_markdown(evil)


def many_arms(scenarios: int, *policies: str) -> Summary:
    """Each one turn, which fails under the last policy."""
    return summary_of(
        *(
            record(
                cell=f"s{n:02}.off.{policy}.0",
                scenario=f"s{n:02}",
                policy=policy,
                findings=FAILING if policy == policies[-1] else (),
            )
            for n in range(scenarios)
            for policy in policies
        )
    )


def test_of_many_arms_under_several_policies_the_terminal_shows_the_outcome_and_where_the_rest_is() -> None:
    found = many_arms(7, "full_history", "offload")
    text = render_terminal(found)
    words = " ".join(text.split())
    assert "tool call" not in text
    assert "thinking modes" not in text
    assert words.count("first failing turn") == 5
    assert "and 2 more: see report.md." in words
    assert "Turn by turn, 14 arms: report.md in the run's folder, or agenteval report r --format md." in words
    assert render_markdown(found).count("first failing turn") == 7
    assert "and 2 more" not in render_markdown(found)


@pytest.mark.parametrize("found", [many_arms(6, "full_history", "offload"), many_arms(13, "full_history")])
def test_few_arms_and_those_of_one_policy_stand_in_the_terminal_whole(found: Summary) -> None:
    text = render_terminal(found)
    assert text.count("tool call") == len(found.arms)
    assert "report.md" not in text


def several_trials(*, simulated: bool) -> Summary:
    """Two of three trials pass; the second fails at turn 2."""
    steps = [
        record(cell=f"s.off.full_history.{n}", trial=n, turn=turn, findings=FAILING if (n, turn) == (1, 2) else ())
        for n in range(3)
        for turn in (1, 2)
    ]
    return summary_of(*steps, simulated=simulated)


@pytest.mark.parametrize("kind", ["terminal", "md"])
def test_trials_are_shown_where_there_are_several(kind: str) -> None:
    text = FORMATS[kind](several_trials(simulated=False)).replace("\\", "")
    words = " ".join(text.replace("|", " ").split())
    assert "off 3 2 0.67 0.21 to 0.94" in words
    assert "off pass@k 0.67 1.00 1.00 off pass^k 0.67 0.33 0.00" in words
    assert "2 of 3 trials passed; trial 1 failed at turn 2." in words
    assert kind == "md" or max(map(len, text.split("\n"))) <= 80


@pytest.mark.parametrize("kind", ["terminal", "md"])
def test_simulated_trials_are_counted_without_chances(kind: str) -> None:
    text = FORMATS[kind](several_trials(simulated=True)).replace("\\", "")
    words = " ".join(text.replace("|", " ").split())
    assert "off 3 2 0.67 –" in words
    assert "off pass@k" not in words
    assert "are no evidence" in words


@pytest.mark.parametrize("kind", ["terminal", "md"])
def test_nothing_is_said_of_trials_where_each_cell_was_played_once(kind: str) -> None:
    text = FORMATS[kind](summary(simulated=False))
    assert "trials" not in text
    assert "Flaky" not in text


def test_json_has_every_k_of_every_arm() -> None:
    (row,) = json.loads(render_json(several_trials(simulated=False)))["trials"]
    assert (row["passed"], row["n"], len(row["pass_at"]), row["pass_hat"][2]) == (2, 3, 3, 0.0)
    assert json.loads(render_json(summary()))["trials"] == []
