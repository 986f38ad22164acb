"""What a run says of its policies before the first request, and the policies that its suites name."""

from __future__ import annotations

import json
from pathlib import Path

from agenteval.cli.suites import spelled_policies
from agenteval.scenario import load_suite
from tests.cli.test_commands import agenteval
from tests.scenario.files import SMALL, write

TIGHT = "sliding_window:trigger=300,target=200"
CONTROLS = ("full_history", "full_history+again")
NAMED = ("observation_masking:keep_last=1,step=2", "recite_state:every=2")


def told(folder: Path, *arguments: str) -> list[str]:
    """What is said of policies before the first turn."""
    done = agenteval("run", "--thinking", "off", *arguments, cwd=folder)
    before = done.stderr[: done.stderr.index("[1/")]
    return [line for line in before.splitlines() if line.startswith(("Policy ", "--policy ", "Knobs"))]


def test_marks_below_what_system_and_tools_take_are_told(tmp_path: Path) -> None:
    (line,) = told(tmp_path, "ten-turn-repo", "--policy", TIGHT, "--policy", "sliding_window")
    assert line.startswith(f"Policy {TIGHT}: its target of 200 tokens is below the ")
    assert line.endswith(
        " that system, tools and the first user message take: it will act at each opportunity and never reach it."
    )


def test_a_target_alone_below_them_is_never_reached(tmp_path: Path) -> None:
    (line,) = told(tmp_path, "ten-turn-repo", "--policy", "sliding_window:target=200")
    assert line.endswith(": once it acts it will never reach it.")


def test_the_first_user_message_counts_because_no_policy_drops_it(tmp_path: Path) -> None:
    """Here it alone holds the file."""
    long = SMALL.replace("  - user: ", f"  - user: {'and look twice, ' * 60}", 1)
    write(tmp_path / "mine", {"a.yaml": long})
    (line,) = told(tmp_path, "mine", "--policy", "sliding_window:trigger=4000/9turns,target=300")
    assert "its target of 300 tokens is below the " in line


def test_a_trigger_that_most_conversations_do_not_reach_is_told(tmp_path: Path) -> None:
    suite = ("length-1k", "length-2k", "length-4k")
    first, knobs = told(
        tmp_path, *suite, "--policy", "sliding_window", "--policy", "sliding_window:trigger=3000/5turns"
    )
    assert first == (
        "Policy sliding_window: its trigger of 3,000 tokens is not reached in 2 of 3 conversations as planned."
    )
    assert knobs == "Knobs that fit these scenarios: --policy suite."
    assert not [line for line in told(tmp_path, "length-1k", "--policy", "suite") if line.startswith("Knobs")]


def test_the_report_says_why_a_target_was_missed(tmp_path: Path) -> None:
    done = agenteval("run", "ten-turn-repo", "--thinking", "off", "--policy", TIGHT, cwd=tmp_path)
    assert f"Over target after acting: {TIGHT} by up to " in " ".join(done.stdout.split())


def test_the_policies_of_a_suite_are_played_and_kept_spelled_out(tmp_path: Path) -> None:
    write(tmp_path / "mine", {"a.yaml": SMALL, "suite.yaml": f"policies: {json.dumps(NAMED)}\n"})
    chosen = ("mine", "--thinking", "off", "--profile", "healthy")
    whole = agenteval("run", *chosen, "--policy", "suite", "--policy", NAMED[1], "--json", cwd=tmp_path)
    assert whole.returncode == 0, whole.stderr
    (run,) = (tmp_path / "results").iterdir()
    assert json.loads((run / "run.json").read_text())["plan"]["policies"] == [*CONTROLS, NAMED[0], NAMED[1]]
    after = agenteval("run", "--resume", half_of(run), "--json", cwd=tmp_path)
    assert after.returncode == 0, after.stderr
    assert json.loads(after.stdout)["turns"] == json.loads(whole.stdout)["turns"]


def test_a_suites_policies_come_with_a_noise_floor_and_what_was_typed_is_played_once() -> None:
    named = spelled_policies(("suite",), ("context",))
    assert named == (*CONTROLS, *load_suite("context").policies)
    assert len(spelled_policies(("full_history+again", "suite", "full_history"), ("context",))) == len(named)


def test_how_many_policies_the_help_says_that_a_suite_names(tmp_path: Path) -> None:
    told = " ".join(agenteval("run", "--help", cwd=tmp_path).stdout.split())
    assert f"(context names {len(load_suite('context').policies)})" in told


def half_of(run: Path) -> str:
    """The run as it would be if it had been killed after some of its conversations."""
    lines = (run / "steps.jsonl").read_text().splitlines(keepends=True)
    (run / "steps.jsonl").write_text("".join(lines[: len(lines) // 2]))
    manifest = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(manifest | {"status": "running"}))
    return run.name


def test_a_suite_file_names_no_code_of_ones_own(tmp_path: Path) -> None:
    write(tmp_path / "mine", {"a.yaml": SMALL, "suite.yaml": 'policies: ["os:getcwd"]\n'})
    done = agenteval("run", "mine", "--policy", "suite", "--allow-code", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "a suite's file may name no code" in done.stderr
