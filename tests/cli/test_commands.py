"""Whole commands, as a person types them: output, exit code, and where which text goes."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from agenteval.scenario import bundled_names, load_suite
from tests import warm

BUNDLED = Path(__file__).parent.parent.parent / "scenarios"
KEY = "sk-a-secret-that-nobody-may-see"


def agenteval(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "AGENTEVAL_"))}
    return warm.run("agenteval", *arguments, cwd=cwd, environment={**clean, "COLUMNS": "80", **environment})


@pytest.fixture(scope="module")
def founding(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """The run that a newcomer makes, once for all tests here."""
    folder = tmp_path_factory.mktemp("founding")
    return folder, agenteval("run", cwd=folder)


def test_the_first_run_fails_turns_8_to_10_in_all_modes_and_exits_1(
    founding: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, done = founding
    assert done.returncode == 1, done.stderr
    rows = json.loads(agenteval("report", "--format", "json", cwd=folder).stdout)["turns"]
    ten = [row for row in rows if row["scenario"] == "ten-turn-repo"]
    assert {row["thinking"] for row in ten} == {"off", "on", "preserved"}
    for row in ten:
        assert (row["ok_trials"] == 1) == (row["turn"] <= 7), row
        if row["turn"] >= 8:
            assert "no_tool_call" in row["findings"]
    for mode in ("off", "on", "preserved"):
        assert f"thinking {mode}, full_history: first failing turn 8" in " ".join(done.stdout.split())


def test_the_report_tells_chunks_from_tokens(founding: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    arms = json.loads(agenteval("report", "--format", "json", cwd=founding[0]).stdout)["arms"]
    for arm in (arm for arm in arms if arm["scenario"] == "ten-turn-repo"):
        assert 7 <= arm["chunk_rate"] <= 9, arm
        assert 2.0 <= arm["tokens_per_chunk"] <= 2.4, arm
        assert 15.9 <= arm["decode_tok_s"] <= 17.6, arm


def test_preserved_reasoning_is_shown_to_arrive(founding: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    assert "Preserved reasoning reached the prompt" in founding[1].stdout


def test_what_is_simulated_says_so_everywhere(founding: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, done = founding
    assert "SIMULATED" in done.stdout
    (run,) = (folder / "results").iterdir()
    assert "SIMULATED" in (run / "report.md").read_text()
    assert all(json.loads(line)["simulated"] for line in (run / "steps.jsonl").read_text().splitlines())


def test_progress_goes_to_stderr_and_data_to_stdout(founding: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    done = founding[1]
    assert "[1/" in done.stderr
    assert "[1/" not in done.stdout
    assert "\x1b" not in done.stdout + done.stderr


def test_a_healthy_deployment_passes_everything(tmp_path: Path) -> None:
    done = agenteval("run", "--profile", "healthy", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    scores = json.loads(done.stdout)["scores"]
    assert scores["turns_ok"] == scores["turns_planned"]
    assert scores["completion"] == 1.0


def test_a_sliding_window_heals_the_last_turns(tmp_path: Path) -> None:
    options = ("ten-turn-repo", "--policy", "sliding_window", "--json")
    done = agenteval("run", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stdout


def test_the_same_policy_twice_is_one_arm(tmp_path: Path) -> None:
    alike = ("--policy", "sliding_window", "--policy", "sliding_window:trigger=3000,,target=1500")
    done = agenteval("run", "thinking-modes", "--thinking", "off", *alike, "--json", cwd=tmp_path)
    assert [row["turn"] for row in json.loads(done.stdout)["turns"]] == [1, 2]
    assert f"--policy {alike[3]} is the same as sliding_window: it is played once." in done.stderr


def test_a_broken_scenario_is_refused_before_the_first_request(tmp_path: Path) -> None:
    text = (BUNDLED / "founding" / "thinking-modes.yaml").read_text()
    (tmp_path / "bad.yaml").write_text(text.replace("calls:", "cals:", 1))
    done = agenteval("run", "bad.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert "bad.yaml:" in done.stderr
    assert "calls" in done.stderr
    assert not (tmp_path / "results").exists()


def test_the_same_run_is_the_same_numbers(tmp_path: Path) -> None:
    runs = [agenteval("run", "ten-turn-repo", "--json", "--thinking", "on", cwd=tmp_path) for _ in range(2)]
    one, two = (json.loads(done.stdout) for done in runs)
    assert one.pop("this_run")["run"] != two.pop("this_run")["run"]
    assert one == two


def test_golden_history_judges_later_turns_by_themselves(tmp_path: Path) -> None:
    done = agenteval("run", "ten-turn-repo", "--thinking", "off", "--history", "golden", "--json", cwd=tmp_path)
    rows = json.loads(done.stdout)["turns"]
    assert [row["turn"] for row in rows if not row["ok_trials"]] == [8, 9, 10]


def test_a_header_that_is_spelled_as_in_curl_is_not_repeated_on_the_screen(tmp_path: Path) -> None:
    done = agenteval("run", "--header", f"Authorization: Bearer {KEY}", cwd=tmp_path)
    assert done.returncode == 2
    assert "NAME=VALUE" in done.stderr
    assert KEY not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("rnu",), "run"),
        (("run", "--polcy", "x"), "--policy"),
        (("run", "--policy", "sliding_widow"), "sliding_window"),
        (("run", "--thinking", "off,maybe"), "preserved"),
        (("run", "--profile", "nope"), "glm47-4x-spark"),
        (("run", "no-such-suite"), "no-such-suite"),
        (("run", "--extra-body", "{"), "JSON"),
        (("run", "--header", "oops"), "NAME=VALUE"),
        (("run", "--base-url", "localhost:30000"), "http://"),
        (("run", "--base-url", "http://127.0.0.1:1/v1", "--profile", "healthy"), "--profile"),
        (("run", "--base-url", "http://127.0.0.1:9", "--dialect", "openai", "--family", "nofam"), "glm47"),
        (("run", "--family", "nofam"), "glm47"),
        (("run", "--timeout", "nan"), "--timeout"),
        (("run", "--timeout", "x"), "not a valid number of seconds"),
        (("run", "no-such-suite"), "all: every one of them"),
        (("run", "ten-turn-rep"), "did you mean `ten-turn-repo`"),
        (("run", "--tag", "nope"), "retention"),
        (("scenario", "show", "founding", "--family", "harmony", "--thinking", "off"), "always thinks"),
        (("run", "--temperature", "nan"), "--temperature"),
        (("run", "--policy", "sliding_window:target=--5"), "whole number"),
        (("run", "--policy", "sliding_window:trigger=--5"), "7turns, 5tool_uses, on_error"),
        (("run", "--policy", "sliding_window+head_tai"), "did you mean 'head_tail'"),
        (("run", "--policy", "mine:shorter"), "--allow-code"),
        (("run", "--policy", "suite"), "--policy suite: founding names no policies"),
        (("policies", "check", "mine:shorter"), "--allow-code"),
        (("policies", "show", "nobody"), "sliding_window"),
        (("report", "nope"), "latest"),
        (("report",), "agenteval run"),
    ],
)
def test_a_mistake_gets_a_sentence_and_exit_2(tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    done = agenteval(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_dead_endpoint_gets_a_sentence_and_exit_3(tmp_path: Path) -> None:
    done = agenteval("run", "--base-url", "http://127.0.0.1:9/v1", "--api-key", KEY, cwd=tmp_path)
    assert done.returncode == 3, done.stderr
    assert "127.0.0.1:9" in done.stderr
    assert "Traceback" not in done.stderr
    assert KEY not in done.stderr + done.stdout


def test_the_environment_may_name_the_endpoint(tmp_path: Path) -> None:
    done = agenteval("run", cwd=tmp_path, OPENAI_BASE_URL="http://127.0.0.1:9/v1")
    assert done.returncode == 3
    assert (
        agenteval(
            "run", "thinking-modes", "--profile", "healthy", cwd=tmp_path, OPENAI_BASE_URL="http://127.0.0.1:9/v1"
        ).returncode
        == 0
    )


def test_policies_and_scenarios_are_listed(tmp_path: Path) -> None:
    policies = agenteval("policies", "list", cwd=tmp_path).stdout
    scenarios = agenteval("scenario", "list", cwd=tmp_path).stdout
    assert "knobs: trigger=3000, target=1500" in policies
    assert "ten-turn-repo: 10 turns" in scenarios
    assert max(map(len, (*policies.splitlines(), *scenarios.splitlines()))) <= 80
    assert agenteval("scenario", "list", "all", cwd=tmp_path).stdout == scenarios
    assert agenteval("scenario", "lint", "founding", cwd=tmp_path).returncode == 0


def test_help_names_every_bundled_suite(tmp_path: Path) -> None:
    said = " ".join(agenteval("run", "--help", cwd=tmp_path).stdout.split())
    assert f"({', '.join(bundled_names())}; all: every one of them)" in said


def test_a_tag_alone_selects_from_all_bundled_suites(tmp_path: Path) -> None:
    options = ("--tag", "smoke", "--thinking", "off", "--profile", "healthy", "--json")
    found, whole = (
        {row["scenario"] for row in json.loads(agenteval("run", *suites, *options, cwd=tmp_path).stdout)["turns"]}
        for suites in ((), ("all",))
    )
    assert found == whole
    assert len(found) > len(load_suite("founding").scenarios)
