"""A comparison of sides in four formats: the same rows, words first, nothing that does harm."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import fields, replace
from typing import Any

import pytest

from agenteval.outcome import PrefixBreak, RecordedFact, StepRecord, Tokens
from agenteval.report.versus import CSV_COLUMNS, VERSUS_FORMATS
from agenteval.summary import Contrast, SideRow, Versus
from agenteval.summary.costs import Cost
from tests.records import TIMING
from tests.summary.arms import MASK, fails_half, ranked, run, steps

FACT = RecordedFact("f", "id", 4, "turns", "lost", in_view=False, got="x", instead="invented")
NEVER = replace(FACT, outcome="unstated", got=None, instead=None)
SPREAD = ("name", "cost", "difference", "ttft", "decode", "prefill", "output")
"""What csv has under other names: the side, parts of a side, intervals with their ends, ratios."""


def told(item: StepRecord) -> StepRecord:
    """With tokens, facts and a TTFT of its turn's own."""
    timing = replace(TIMING, ttft_ms=100.0 * item.turn + 11, decode_ms=1000.0, decode_tokens=20 + item.turn)
    broken: PrefixBreak | None = "policy" if item.policy == MASK and item.turn == 3 else None
    tokens = Tokens(context=100, messages=90, tools=10, cached=60, completion=7, reusable=64, broken_by=broken)
    return replace(item, timing=timing, tokens=tokens, facts=(FACT, NEVER) if item.turn == 3 else ())


def found(*names: str, **options: Any) -> Versus:
    return ranked(run(*map(told, steps(names or ("full_history", MASK), 24, fails_half, trials=2))), **options)


def found_among(scenarios: int) -> Versus:
    return ranked(run(*map(told, steps(("full_history", MASK), scenarios, fails_half))))


def shown(kind: str, of: Versus) -> str:
    return VERSUS_FORMATS[kind](of)


def csv_rows(of: Versus) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(shown("csv", of))))


def test_csv_leaves_nothing_out() -> None:
    names = {field.name for kind in (SideRow, Contrast, Cost) for field in fields(kind)}
    assert names - set(SPREAD) <= set(CSV_COLUMNS)


def test_csv_holds_what_has_many_parts_in_one_cell_each() -> None:
    base, mask = csv_rows(found())
    assert (base["side"], base["baseline"], base["pairs"]) == ("full_history", "True", "")
    assert (base["pass_hat"], base["by_turn"]) == ("0.5 0.5", "1:48/48 2:48/48 3:24/48")
    assert (mask["breaks"], mask["retention"], mask["missing"]) == (
        "policy:48",
        "4-turns:lost=48,guessed=48,not_reached=48",
        "0",
    )
    assert mask["ttft_by_turn"] == "1:111.0 2:211.0 3:311.0"
    assert mask["decode_by_turn"] == "1:21.0 2:22.0 3:23.0"
    assert float(mask["low"]) < float(mask["difference"]) == 0.5 < float(mask["high"])
    assert [mask[name] for name in ("ttft_low", "ttft_ratio", "ttft_high")] == ["1.0"] * 3


@pytest.mark.parametrize("kind", ["terminal", "md"])
def test_tables_show_the_rows_of_csv(kind: str) -> None:
    lines = [" ".join(line.replace("|", " ").replace("\\", "").split()) for line in shown(kind, found()).split("\n")]
    for row in (
        f"{MASK} 111 211 311",  # TTFT by turn
        f"{MASK} 21.00 22.00 23.00",  # decode by turn
        "full_history 0.50 0.50",  # pass^k
        "full_history 48/48 48/48 24/48",  # survival
        *(
            [f"{MASK} 4 turns 48 48 0 48 48 0 0 0"]  # retention
            if kind == "md"
            else [f"{MASK} 4 turns 48 48 0 48 48 0", f"{MASK} 4 turns 0 0"]
        ),
        f"{MASK} 48 24 0 0+0 24 0 0 48" if kind == "md" else f"{MASK} 48 24 0 0+0 24",  # pairs
    ):
        assert row in lines, row
    assert any(line.startswith(f"{MASK} +50.0%") for line in lines)
    assert any("policy 48" in line for line in lines)


def test_a_p_is_never_0_and_stands_nowhere_where_scenarios_are_too_few() -> None:
    clear = ranked(run(*steps(("full_history", MASK), 40, lambda policy, *_: policy == "full_history")))
    assert "<0.0001" in shown("terminal", clear)
    assert "p <0.0001 (Holm)" in shown("terminal", clear).replace("\n  ", " ")
    said = "p Holm is the larger of that and of the test by scenarios, adjusted for the number of sides (1)."
    assert said in " ".join(shown("terminal", clear).split())
    few = ranked(run(*steps(("full_history", MASK), 12, fails_half)))
    assert "p Holm is" not in shown("terminal", few)
    (row,) = (
        line.split()
        for line in shown("terminal", few).split("\n")
        if line.startswith(MASK) and "%" in line and "(" not in line
    )
    assert row[-3:-1] == ["–", "–"]
    assert [row["p"] + row["p_holm"] for row in csv_rows(few)] == ["", ""]
    assert "detects from" in shown("terminal", few)


@pytest.mark.parametrize("kind", ["terminal", "md"])
def test_below_20_scenarios_no_format_shows_an_interval(kind: str) -> None:
    few = found_among(12)
    lines = [" ".join(line.replace("|", " ").replace("\\", "").split()) for line in shown(kind, few).split("\n")]
    assert any(line.startswith(f"{MASK} +50.0% – – –") for line in lines), lines
    assert f"{MASK} 1.00 [–] 1.00 [–]" in lines
    assert " ".join(lines).count("where there are not enough scenarios") == 1
    (row,) = csv_rows(few)[1:]
    ends = [row[name] for part in ("", "ttft_", "decode_") for name in (f"{part}low", f"{part}high")]
    assert (ends, row["difference"], row["ttft_ratio"]) == ([""] * 6, "0.5", "1.0")
    assert json.loads(shown("json", few))["contrasts"][0]["difference"] == {"estimate": 0.5, "low": None, "high": None}


def test_json_has_the_same() -> None:
    values = json.loads(shown("json", found()))
    assert values["sides"][1]["cost"]["ttft_by_turn"] == {"1": 111.0, "2": 211.0, "3": 311.0}
    assert values["sides"][0]["pass_hat"] == [0.5, 0.5]
    assert (values["contrasts"][0]["pairs"], values["decided"]) == (48, True)


def test_what_is_unknown_is_empty_and_no_table() -> None:
    records = steps(("full_history", MASK), 24, fails_half, timing=None)
    bare = ranked(run(*records))
    assert {row["ttft_by_turn"] for row in csv_rows(bare)} == {""}
    assert "by turn" not in shown("terminal", bare).partition("No failing turn")[0]


LONG = ("full_history", *(f"{MASK}:keep_last={kept},step=2,trigger=900" for kept in (1, 4)), "offload:limit=99")


@pytest.mark.parametrize("scenarios", [3, 24])
def test_tables_stay_within_80_columns_and_long_names_are_told_below(scenarios: int) -> None:
    records = map(told, steps(LONG, scenarios, fails_half))
    lines = shown("terminal", ranked(run(*records))).split("\n")
    tables = lines[: lines.index("How to read it")]
    assert max(map(len, lines)) <= 80, max(lines, key=len)
    assert any(line.startswith(f"{MASK}:keep_last=4 ") for line in tables)
    assert any(line.startswith("offload ") for line in tables)
    assert f"{MASK}:keep_last=1 is {LONG[1]}" in " ".join("\n".join(lines).split())


@pytest.mark.parametrize("kind", ["terminal", "md", "csv"])
@pytest.mark.parametrize("scenarios", [3, 40])
def test_names_move_no_cursor(kind: str, scenarios: int) -> None:
    """Neither where nothing may be ranked, nor where one side is left."""
    evil, dropped = "mask\x1b[2J", "s1.off.mask\x1b[2J.0"
    records = [item for item in steps(("full_history", evil), scenarios, lambda *_: False) if item.cell != dropped]
    text = shown(kind, ranked(run(*records, scenarios={"s1": "sha256:1"})))
    assert "\x1b" not in text
    assert "\\x1b" in text.replace("\\\\", "\\")
