"""`agenteval compare` over real runs of the embedded endpoint."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.cli.test_commands import agenteval

RUN = ("run", "ten-turn-repo", "--thinking", "off", "--out")
RUNS = {
    "default": (),
    "healthy": ("--profile", "healthy"),
    "seeded": ("--seed", "1"),
    "golden": ("--history", "golden"),
    "other": ("--thinking", "on"),
    "both": ("--thinking", "off,on"),
    "window": ("--policy", "sliding_window"),
    "spelled": ("--policy", "sliding_window:trigger=3000,target=1500"),
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


def test_a_run_compared_with_itself_changes_nothing(runs: dict[str, str], tmp_path: Path) -> None:
    ratios = ("--max-ttft-ratio", "1", "--min-decode-ratio", "1", "--format", "json")
    done = agenteval("compare", runs["default"], runs["default"], *ratios, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {change: count for change, count in found["counts"].items() if count} == {"unchanged": 10}
    assert [arm["ttft_ms"]["ratio"] for arm in found["arms"]] == [1.0]


def test_speeds_gate_on_request(runs: dict[str, str], tmp_path: Path) -> None:
    done = agenteval("compare", runs["default"], runs["default"], "--max-ttft-ratio", "0.9", cwd=tmp_path)
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
        (("latest",), "NEW"),
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
