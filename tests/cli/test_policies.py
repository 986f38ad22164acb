"""Every policy on the founding scenario, end to end; what it did is in the report; a user's own code as a policy."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from agenteval.context import POLICIES
from tests.cli.test_commands import agenteval
from tests.cli.test_over_http import serving

FAILING = {
    "full_history": [8, 9, 10],
    "again": [8, 9, 10],
    "oracle_context": [],
    "tool_output_limit": [3, 4, 7],
    "sliding_window": [],
    "head_tail": [],
    "observation_masking": [8, 9, 10],
    "clear_tool_uses": [8, 9, 10],
    "clear_thinking": [8, 9, 10],
    "dedupe_tool_results": [8, 9, 10],
    "prune_errors": [8, 9, 10],
    "recite_state": [8, 9, 10],
    "offload": [3, 4, 7],
    "extractive_ledger": [],
    "summarize": [],
    "mask_then_summarize": [],
    "context_reset": [],
}
"""Turns that fail. Calls break above 3,000 tokens: what is shorter heals them, unless it took what an answer needs (the
caps: at the turns whose result they cut; the model here never recalls). Masking and clearing keep the last results,
of which the log alone has 1,100 tokens, and free too little."""


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("policies")
    options = [part for name in POLICIES for part in ("--policy", name)]
    done = agenteval("run", "ten-turn-repo", "--thinking", "off", "--json", *options, cwd=folder)
    return folder, json.loads(done.stdout)


def test_each_policy_heals_what_theory_says(played: tuple[Path, dict[str, Any]]) -> None:
    failing: dict[str, list[int]] = {name: [] for name in POLICIES}
    for row in played[1]["turns"]:
        if row["ok_trials"] < row["judged_trials"]:
            failing[row["policy"]].append(row["turn"])
    assert failing == FAILING
    for row in played[1]["turns"]:
        if row["turn"] >= 8 and not row["ok_trials"]:
            assert row["context"] > 3000, "what fails late is too long, and nothing else"


def test_the_report_shows_what_each_policy_did(played: tuple[Path, dict[str, Any]]) -> None:
    folder, summary = played
    did = {row["policy"]: row for row in summary["policies"]}
    assert set(did) == set(POLICIES) - {"full_history", "again"}
    assert (did["sliding_window"]["acted"], did["sliding_window"]["first_turn"]) == (1, 7)
    assert did["sliding_window"]["freed"] > 1000
    assert did["summarize"]["summaries"] == 1
    assert did["clear_tool_uses"]["rejected"] == 4
    assert did["recite_state"]["freed"] < 0
    assert any("Never acted" in note and "prune_errors" in note for note in summary["notes"])
    assert not any("Never acted" in note and " again" in note for note in summary["notes"])
    stored = "offload: 2 results were put away and never asked for again (recall_result was never called)."
    assert stored in summary["notes"]
    report = agenteval("report", "latest", "--format", "md", cwd=folder).stdout
    assert "sliding\\_window · what the policy did" in report


def test_a_view_is_shown_as_a_diff(played: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = played
    step = "ten-turn-repo.off.full_history.0.t08.s01.a1"
    seen = agenteval("policies", "view", "latest", "--step", step, "--policy", "sliding_window", cwd=folder).stdout
    assert "--- full history" in seen
    assert "-[user] Run everything under tests. What fails?" in seen
    masks = "observation_masking:keep_last=1,step=1"
    masked = agenteval("policies", "view", "latest", "--step", step, "--policy", masks, cwd=folder).stdout
    assert "call read_file again with the same arguments" in masked, "the scenario says that it only reads"
    own = agenteval("policies", "view", "--step", step.replace("full_history", "summarize"), cwd=folder).stdout
    assert "+Summary of earlier messages" in own
    waiting = agenteval("policies", "view", "--step", step, "--policy", "summarize", cwd=folder).stdout
    assert "asks the model for a summary" in waiting


def test_a_shape_that_a_result_does_not_have_is_told_everywhere(tmp_path: Path) -> None:
    """In the record and with it in a view, in the report, in a comparison, and with the knob."""
    policies = ("--policy", "full_history", "--policy", "tool_output_limit:shape=json_fields")
    notes = json.loads(agenteval("run", "ten-turn-repo", "--thinking", "off", *policies, "--json", cwd=tmp_path).stdout)
    told = "tool_output_limit: a result of read_file is no JSON object or list, so that it was cut as head_tail"
    assert [told in note for note in notes["notes"] if note.startswith("Policies did otherwise than asked")] == [True]
    (run,) = (tmp_path / "results").iterdir()
    steps = map(json.loads, (run / "steps.jsonl").read_text().splitlines())
    step = next(step["id"] for step in steps if any(told in it for it in step["policy_report"]["otherwise"]))
    assert f"did otherwise: {told}" in agenteval("policies", "view", "--step", step, cwd=tmp_path).stdout
    compared = agenteval("compare", "latest", "--format", "md", cwd=tmp_path).stdout
    assert "did otherwise than asked" in compared
    shown = agenteval("policies", "show", "tool_output_limit", cwd=tmp_path).stdout
    assert "is cut as head_tail, and the report says so" in " ".join(shown.split())


def test_a_fact_that_the_policy_took_away_is_named_as_the_cause(tmp_path: Path) -> None:
    window = "sliding_window:trigger=650,target=450,min_reclaim=60"
    options = ("placements", "--profile", "healthy", "--thinking", "off", "--policy", window, "--json")
    told = json.loads(agenteval("run", *options, cwd=tmp_path).stdout)
    assert "its policy had taken away what that turn needed: in-result (turn 10" in told["sentences"][0]
    assert told["advice"][0].startswith(f"Every turn from 10 on fails: {window} had taken away what turns needed:")
    assert not any("length or history" in hint for hint in told["advice"])


def test_a_history_is_told_of_and_stands_in_views_and_rescored_conversations(tmp_path: Path) -> None:
    window = "sliding_window:trigger=650,target=450,min_reclaim=60"
    played = agenteval("run", "own-bad-calls-4", "--profile", "healthy", "--policy", window, "--json", cwd=tmp_path)
    notes = json.loads(played.stdout)["notes"]
    assert any(note.startswith("own-bad-calls-4 begins with 24 messages") for note in notes)
    (run,) = (tmp_path / "results").iterdir()
    cell = json.loads((run / "steps.jsonl").read_text().splitlines()[0])["cell"]
    seen = agenteval("policies", "view", "--step", f"{cell}.t01.s01.a1", cwd=tmp_path).stdout
    assert "full history 26 messages" in seen, "the window has dropped most of it before anything was sent"
    assert '-[assistant] -> find_crate({"name": "amber")' in seen
    assert agenteval("replay", "--score", cwd=tmp_path).returncode == 0


MINE = """
def newest(messages):
    at = max(n for n, m in enumerate(messages) if m["role"] == "user")
    return messages[:2] + [m for m in messages[at:] if m is not messages[1]]

def broken(messages):
    return messages[-4:]

def leaves(messages):
    raise SystemExit(0)

def raises(messages):
    return messages if len(messages) < 8 else {}["the key"]

def nonsense(messages):
    return messages if len(messages) < 8 else "all of them"
"""


def test_a_users_own_policy(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MINE)
    options = ("ten-turn-repo", "--thinking", "off", "--policy", "mine:newest", "--allow-code", "--json")
    played = json.loads(agenteval("run", *options, cwd=tmp_path).stdout)
    assert played["policies"][0]["acted"] > 0
    late = [row for row in played["turns"] if row["turn"] >= 8]
    assert all(row["context"] < 3000 for row in late)
    bad = agenteval("policies", "check", "mine:broken", "--allow-code", "--transcripts", "5", cwd=tmp_path)
    assert bad.returncode == 1
    assert "I2  every call has one result right behind it, every result its call: BROKEN" in bad.stdout
    (tmp_path / "gone.py").write_text("raise SystemExit(0)")
    for own, told in (("mine:leaves", "messages it raised SystemExit"), ("gone:all", "raised SystemExit: 0 as it was")):
        left = agenteval("policies", "check", own, "--allow-code", cwd=tmp_path)
        assert left.returncode == 2
        assert told in left.stderr


def test_own_code_runs_only_where_it_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MINE)
    done = agenteval("run", "ten-turn-repo", "--policy", "mine:newest", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (
        2,
        "Error: policy mine:newest: your own code runs only with --allow-code\n",
    )
    assert not list(tmp_path.glob("results/*")), "nothing has begun"


@pytest.mark.parametrize("served", [False, True])
def test_a_run_that_own_code_broke_is_kept_and_named(tmp_path: Path, served: bool) -> None:
    (tmp_path / "mine.py").write_text(MINE)
    options = ("ten-turn-repo", "--thinking", "off", "--policy", "mine:nonsense", "--allow-code")
    with serving(400.0, "founding") if served else nullcontext() as url:
        done = agenteval("run", *options, *(("--base-url", url) if url else ()), cwd=tmp_path)
    (run,) = tmp_path.glob("results/*")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-3:] == [
        f"Run kept in results/{run.name} (report.md, steps.jsonl, frames/).",
        f"Go on with it: agenteval run --resume results/{run.name} --allow-code",
        "Error: mine:nonsense: the function must return a list of messages (objects with role and content)",
    ]
    assert json.loads((run / "run.json").read_text())["status"] == "interrupted"
    assert json.loads((run / "summary.json").read_text())["scores"]["turns_judged"] == 1


def test_a_run_that_own_code_broke_goes_on_when_it_is_mended(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MINE)
    options = ("ten-turn-repo", "--thinking", "off", "--policy", "mine:raises", "--allow-code")
    done = agenteval("run", *options, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        "Error: mine:raises: with 8 messages it raised KeyError: 'the key' (mine.py, line 13)"
    )
    (run,) = tmp_path.glob("results/*")
    assert f"Go on with it: agenteval run --resume results/{run.name} --allow-code" in done.stderr
    before = (run / "steps.jsonl").read_text()
    (tmp_path / "mine.py").write_text(MINE.replace("< 8", "< 800"))
    assert agenteval("run", "--resume", "latest", cwd=tmp_path).returncode == 2, "it has to be allowed again"
    again = agenteval("run", "--resume", "latest", "--allow-code", "--json", cwd=tmp_path)
    after = (run / "steps.jsonl").read_text()
    assert again.returncode == 1, again.stderr
    assert after.startswith(before)
    assert before.count("\n") == 3
    whole = agenteval("run", "ten-turn-repo", "--thinking", "off", "--json", "--out", "whole", cwd=tmp_path)
    kept = ("turn", "steps", "ok_trials", "findings")
    rows = [[{key: row[key] for key in kept} for row in json.loads(d.stdout)["turns"]] for d in (again, whole)]
    assert rows[0] == rows[1]
