"""`agenteval compare` over real runs of the embedded endpoint."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from agenteval.cli.compare import command
from agenteval.store import RunFolder, Secrets
from tests.cli.test_commands import agenteval
from tests.summary.arms import fails_half, run, steps

RUN = ("run", "ten-turn-repo", "--thinking", "off", "--out")
RUNS = {
    "default": (),
    "again": (),
    "healthy": ("--profile", "healthy"),
    "seeded": ("--seed", "1"),
    "golden": ("--history", "golden"),
    "other": ("--thinking", "on"),
    "both": ("--thinking", "off,on"),
    "window": ("--policy", "sliding_window"),
    "spelled": ("--policy", "sliding_window:trigger=3000,target=1500"),
    "policies": tuple(
        word
        for name in ("full_history", "observation_masking", "tool_output_limit", "sliding_window", "full_history+again")
        for word in ("--policy", name)
    ),
    "modes": ("--thinking", "off,on,preserved", "--policy", "observation_masking", "--policy", "summarize"),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Name → folder of a run, each made once."""
    folder = tmp_path_factory.mktemp("compare")
    found = {}
    for name, options in RUNS.items():
        assert agenteval(*RUN, name, *options, cwd=folder).returncode in (0, 1)
        (found[name],) = (str(path) for path in (folder / name).iterdir())
    return found


def test_a_healthy_profile_repairs_the_last_three_turns(runs: dict[str, str], tmp_path: Path) -> None:
    done = agenteval("compare", runs["default"], runs["healthy"], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("3 turns repaired, 0 broke, 7 unchanged.\nAll gates are met.\n")
    assert "profile: glm47-4x-spark → healthy" in done.stdout
    assert max(map(len, done.stdout.split("\n"))) <= 80


def test_what_broke_exits_1_unless_so_much_may_break(runs: dict[str, str], tmp_path: Path) -> None:
    worse = ("compare", runs["healthy"], runs["default"], "--format", "csv")
    done = agenteval(*worse, cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    rows = csv.DictReader(io.StringIO(done.stdout))
    assert [row["turn"] for row in rows if row["change"] == "broke"] == ["8", "9", "10"]
    assert [agenteval(*worse, "--max-broken", n, cwd=tmp_path).returncode for n in ("2", "3")] == [1, 0]


def test_a_run_compared_with_its_like_changes_nothing(runs: dict[str, str], tmp_path: Path) -> None:
    ratios = ("--max-ttft-ratio", "1", "--min-decode-ratio", "1", "--format", "json")
    done = agenteval("compare", runs["default"], runs["again"], *ratios, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {change: count for change, count in found["counts"].items() if count} == {"unchanged": 10}
    assert [arm["ttft_ms"]["ratio"] for arm in found["arms"]] == [1.0]


def test_speeds_gate_on_request(runs: dict[str, str], tmp_path: Path) -> None:
    done = agenteval("compare", runs["default"], runs["again"], "--max-ttft-ratio", "0.9", cwd=tmp_path)
    assert done.returncode == 1
    assert "at most 0.9 is asked" in " ".join(done.stdout.split())


@pytest.mark.parametrize(("other", "says"), [("seeded", "--seed differs (0"), ("golden", "--history differs (live")])
def test_unlike_runs_are_refused(runs: dict[str, str], tmp_path: Path, other: str, says: str) -> None:
    done = agenteval("compare", runs["default"], runs[other], cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_smaller_run_is_not_taken_for_a_passed_one(runs: dict[str, str], tmp_path: Path) -> None:
    smaller = ("compare", runs["both"], runs["other"])
    done = agenteval(*smaller, cwd=tmp_path)
    assert done.returncode == 3, done.stdout
    said = " ".join(done.stdout.split())
    assert "NEW did not play 10 turns of BASE" in said
    assert "ten-turn-repo off full_history trial 0 10 not played" in said
    assert agenteval(*smaller, "--allow-missing", cwd=tmp_path).returncode == 0


def test_a_policy_spelled_otherwise_is_compared(runs: dict[str, str], tmp_path: Path) -> None:
    done = agenteval("compare", runs["window"], runs["spelled"], cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith("0 turns repaired, 0 broke, 10 unchanged.\n")


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ("other", "they have no thinking mode in common (off in BASE, on in NEW)"),
        ("window", "they have no policy in common (full_history in BASE, sliding_window in NEW)"),
    ],
)
def test_nothing_in_common_is_refused_with_the_reason(
    other: str, says: str, runs: dict[str, str], tmp_path: Path
) -> None:
    done = agenteval("compare", runs["default"], runs[other], cwd=tmp_path)
    assert done.returncode == 2
    assert f"these runs cannot be compared: {says}" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nope", "latest"), "nope"),
        (("latest",), "give a second run"),
        (("latest", "latest", "--max-ttft-ratio", "nan"), "--max-ttft-ratio"),
        (("latest", "latest", "--max-broken", "-1"), "--max-broken"),
    ],
)
def test_a_mistake_gets_a_sentence_and_exit_2(
    runs: dict[str, str], tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    out = str(Path(runs["default"]).parent)
    done = agenteval("compare", *arguments, "--out", out, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr


# --- what is inside one run ------------------------------------------------------------------------------------


def test_policies_of_a_simulated_run_are_described_and_not_ranked(runs: dict[str, str], tmp_path: Path) -> None:
    done = agenteval("compare", runs["policies"], cwd=tmp_path)
    assert done.returncode == 3, done.stderr
    told = done.stdout.replace("\n  ", " ")
    assert "Not ranked" in told
    assert "sliding_window fixes 3 of 3 failing turns, prefill ×1.0 in all (shorter prompts), breaks the" in told
    assert "breaks 3 turns that were right, costs nothing in prefix cache (prefill ×0.8)" in told
    assert "observation_masking fixes 0 of 3 failing turns" in told
    assert "Each conversation has an engine of its own" in told
    assert "p Holm" not in told, "the simulator is no evidence"


def test_sides_are_the_same_in_every_format(runs: dict[str, str], tmp_path: Path) -> None:
    ask = ("compare", runs["policies"], "--base", "sliding_window", "--format")
    rows = list(csv.DictReader(io.StringIO(agenteval(*ask, "csv", cwd=tmp_path).stdout)))
    assert [(row["side"], row["fixed"], row["broken"]) for row in rows[:2]] == [
        ("sliding_window", "", ""),
        ("full_history", "0", "3"),
    ]
    found = json.loads(agenteval(*ask, "json", cwd=tmp_path).stdout)
    assert [side["name"] for side in found["sides"]] == [row["side"] for row in rows]
    assert found["decided"] is False
    assert "Chosen after the run: baseline sliding\\_window" in agenteval(*ask, "md", cwd=tmp_path).stdout


def test_thinking_modes_are_sides_too(runs: dict[str, str], tmp_path: Path) -> None:
    done = agenteval("compare", runs["both"], "--by", "thinking", "--base", "off", cwd=tmp_path)
    assert done.returncode == 3, done.stderr
    assert "on fixes 0 of 3 failing turns" in done.stdout


def stored(folder: Path, wrong: Callable[[str, int, int], bool], *policies: str) -> str:
    """A run of 40 conversations each, not simulated."""
    made = run(*steps(("full_history", *policies), 40, wrong))
    book = RunFolder.create(folder, made.manifest, Secrets(None, ()))
    for item in made.records:
        book.append(item, None)
    book.close()
    return str(folder)


WORSE: Callable[[str, int, int], bool] = lambda policy, number, _: policy == "offload" and number % 2 == 0  # noqa: E731


@pytest.mark.parametrize(
    ("wrong", "policies", "code", "says"),
    [
        (fails_half, ("offload",), 0, "It is better than full_history"),
        (WORSE, ("offload",), 1, "It is worse than full_history"),
        (WORSE, ("offload", "sliding_window"), 3, "What is shown all the same, beside full_history: offload is worse."),
    ],
)
def test_the_exit_code_is_that_of_the_ranking_and_3_hides_nothing(
    wrong: Callable[[str, int, int], bool], policies: tuple[str, ...], code: int, says: str, tmp_path: Path
) -> None:
    done = CliRunner().invoke(command, [stored(tmp_path / "run", wrong, *policies)], standalone_mode=False)
    assert done.return_value == code, done.output
    assert says in " ".join(done.output.split())


MISTAKES = {
    ("both",): "one policy only (full_history): give a second run, or make one with several --policy",
    ("default", "--by", "thinking"): "one thinking mode only",
    ("default", "--by", "run"): "name the second one",
    ("default", "default"): "these runs cannot be compared: BASE and NEW are one run",
    ("default", "default", "--by", "run"): "these runs cannot be compared: BASE and NEW are one run",
    ("default", "healthy", "--by", "policy"): "--by policy ranks what is inside one run",
    ("default", "healthy", "--margin", "0.1"): "--margin belongs to a ranking",
    ("policies", "--max-broken", "3"): "--max-broken belongs to a comparison of two runs cell by cell",
    ("policies", "--base", "sliding"): "--base 'sliding' is none of what is compared",
}


@pytest.mark.parametrize("words", MISTAKES)
def test_mistakes_are_named(words: tuple[str, ...], runs: dict[str, str], tmp_path: Path) -> None:
    done = agenteval("compare", *(runs.get(word, word) for word in words), cwd=tmp_path)
    assert done.returncode == 2, done.stdout
    assert MISTAKES[words] in done.stderr.replace("\n  ", " ")


@pytest.mark.parametrize(
    ("name", "breakers"), [("policies", {None, "policy"}), ("modes", {None, "policy", "template"})]
)
def test_what_is_told_to_be_reusable_is_what_the_engine_had_cached(
    name: str, breakers: set[str | None], runs: dict[str, str]
) -> None:
    """Within one block, under every policy, in every mode."""
    lines = (Path(runs[name]) / "steps.jsonl").read_text().splitlines()
    steps = [step for step in map(json.loads, lines) if step["purpose"] == "agent"]
    assert {step["tokens"]["broken_by"] for step in steps} == breakers
    for step in steps:
        assert 0 <= step["tokens"]["reusable"] - step["tokens"]["cached"] < 16, step["id"]


def test_the_comparison_was_planned_before_the_first_call(runs: dict[str, str]) -> None:
    plan = json.loads((Path(runs["policies"]) / "run.json").read_text())["plan"]["comparison"]
    assert (plan["baseline"], plan["margin"], plan["alpha"]) == ("full_history", 0.05, 0.05)
