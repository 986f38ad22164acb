"""`agenteval parsers`, as a person types it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

from tests import warm

PROGRAMS = Path(__file__).parents[1] / "regress/programs.py"


def parsers(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "AGENTEVAL_"))}
    return warm.run("agenteval", "parsers", *arguments, cwd=cwd, environment={**clean, "COLUMNS": "80"})


def test_our_parsers_pass(tmp_path: Path) -> None:
    done = parsers("check", "agenteval:glm47", "agenteval:mistral", "--cuts", "quick", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "no failure." in done.stdout
    assert "agenteval:glm47 (agenteval " in done.stderr


def test_a_bad_parser_fails_and_its_command_shows_it_again(tmp_path: Path) -> None:
    name = f"command:{shlex.join([sys.executable, str(PROGRAMS), 'good'])}"
    done = parsers("check", name, "--family", "glm47", "--case", "zero-arguments", cwd=tmp_path)
    assert done.returncode == 1
    command = next(line for line in done.stdout.splitlines() if line.strip().startswith("again"))
    again = parsers(*shlex.split(command.strip().removeprefix("again"))[2:], cwd=tmp_path)
    assert again.returncode == 1
    assert "whole: the whole text is misread" in again.stdout


def test_a_baseline_makes_it_pass(tmp_path: Path) -> None:
    arguments = ["check", f"command:{shlex.join([sys.executable, str(PROGRAMS), 'good'])}", "--family", "glm47"]
    arguments += ["--cuts", "quick", "--no-shrink", "--case", "zero-arguments"]
    done = parsers(*arguments, "--format", "baseline", cwd=tmp_path)
    (tmp_path / "known.yaml").write_text(done.stdout.replace('reason: ""', "reason: it is a stub"))
    done = parsers(*arguments, "--baseline", "known.yaml", "--format", "json", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert json.loads(done.stdout)["known"][0]["reason"] == "it is a stub"


def test_a_corpus_and_a_policy_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(
        "family: hermes\nabout: Mine.\ncases:\n  - id: mine\n    why: It broke.\n    policy: unclosed_thinking\n"
        "    thinking: true\n    raw: Hi\n    expected: {reasoning: Hi}\n    otherwise: {content: {content: Hi}}\n"
    )
    corpus = ("--corpus", ".", "--parser-policy", "unclosed_thinking=content", "--format", "json")
    done = parsers("check", "agenteval:hermes", *corpus, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["parsers"][0]["options"] == {"hermes/mine": "content"}


def test_differences_are_shown(tmp_path: Path) -> None:
    name = f"command:{shlex.join([sys.executable, str(PROGRAMS), 'good'])}"
    some = ("--family", "glm47", "--cuts", "quick", "--case", "content-only", "--case", "zero-arguments")
    done = parsers("diff", "agenteval:glm47", name, *some, cwd=tmp_path)
    assert done.returncode == 1
    assert "glm47/zero-arguments · whole text" in done.stdout
    assert "glm47/content-only" not in done.stdout


def test_what_there_is_can_be_listed(tmp_path: Path) -> None:
    done = parsers("list", cwd=tmp_path)
    assert "glm47: " in done.stdout
    assert "vllm" in done.stdout
    done = parsers("list", "glm47", cwd=tmp_path)
    assert "* call: It is a call, and the reasoning ends there." in done.stdout
    assert "(vllm: call)" in done.stdout
    assert "(vllm 0.32.0, measured: as we do in " in done.stdout


def test_a_users_mistake_is_a_sentence(tmp_path: Path) -> None:
    for arguments, message in (
        (["check", "vllm:glm47"], "needs the Python in which it is installed"),
        (["check", "agenteval:glm47", "--case", "nothing"], "there is no case 'nothing' for glm47"),
        (["check", "agenteval:glm47", "--cut", "3"], "--raw and --cut need one --case"),
        (["check", "agenteval:glm47", "--case", "zero-arguments", "--raw", "x"], "--raw is no JSON"),
        (["check", "agenteval:glm47", "--parser-policy", "mood"], "'mood' is not POLICY=OPTION"),
        (["check", "agenteval:glm47", "--parser-policy", "mood=good"], "no policy called 'mood'"),
        (["check", "agenteval:glm47", "--parser-policy", "truncated_call=guess"], "no option 'guess'"),
        (["check", "agenteval:glm47", "--corpus", "nowhere"], "nowhere is no folder"),
        (["check", "agenteval:glm47", "--case", "zero-arguments", "--cut", "9999"], "--cut 9999: the text of"),
        (
            [
                "check",
                "agenteval:glm47",
                "--case",
                "undeclared-tool-forwarded",
                "--parser-policy",
                "undeclared_tool=drop",
            ],
            "nothing was examined",
        ),
        (["diff", "agenteval:all", "agenteval:glm47"], "name a family, not `all`"),
    ):
        done = parsers(*arguments, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, ""), arguments
        assert message in done.stderr, arguments
