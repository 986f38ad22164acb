"""A run that ended early is gone on with: nothing that was finished is asked again, and the report is the same."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from agenteval.cli.takeoff import steps
from agenteval.scenario import load_suite
from tests import warm
from tests.cli.test_commands import KEY, agenteval
from tests.cli.test_over_http import serving, verdicts

PASSWORD = "a-password-inside"


def cut_short(folder: Path, how: signal.Signals, *options: str) -> Path:
    """A run that is ended after its fourth turn; its folder."""
    run = warm.start("agenteval", "run", "ten-turn-repo", *options, cwd=folder)
    while "[4/" not in run.stderr.readline():
        assert run.poll() is None
    run.send_signal(how)
    run.communicate(timeout=60)
    (found,) = (folder / "results").iterdir()
    return found


def lines(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "steps.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_run_over_http_goes_on_where_it_ended(how: signal.Signals, tmp_path: Path) -> None:
    with serving(40.0, "founding") as url:
        run = cut_short(tmp_path, how, "--base-url", url, "--thinking", "preserved", "--api-key", KEY)
        with (run / "steps.jsonl").open("ab") as journal:
            journal.write(b'{"torn": ')
        before = lines_but_last(run)
        assert agenteval("run", "--resume", "latest", cwd=tmp_path).returncode == 2, "the key has to be given again"
        done = agenteval("run", "--resume", "latest", "--api-key", KEY, "--json", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    after = lines(run)
    assert after[: len(before)] == before, "what was finished stands as it was"
    ids = [line["id"] for line in after]
    assert len(ids) == len(set(ids)), "and was not asked again"
    first = min(line["turn"] for line in after[len(before) :] if line["purpose"] == "agent")
    (scenario,) = (found for found in load_suite("founding").scenarios if found.name == "ten-turn-repo")
    left = sum(steps(turn.expect) for turn in scenario.turns[first - 1 :])
    assert f"for about {left} requests" in done.stderr, "the estimate is of what is left"
    whole = agenteval("run", "ten-turn-repo", "--thinking", "preserved", "--json", cwd=tmp_path)
    assert verdicts(done.stdout) == verdicts(whole.stdout)
    assert json.loads((run / "run.json").read_text())["status"] == "complete"
    assert agenteval("run", "--resume", run.name, cwd=tmp_path).returncode == 2, "a complete run needs no resuming"


def slow_run(folder: Path, url: str) -> warm.Process:
    """A run that has begun, and will not end by itself before the test does."""
    return begun(folder, "run", "ten-turn-repo", "--base-url", url, "--no-preflight")


def begun(folder: Path, *arguments: str) -> warm.Process:
    """A command that has begun to write."""
    run = warm.start("agenteval", *arguments, cwd=folder)
    while "turn" not in run.stderr.readline():
        assert run.poll() is None
    return run


def test_one_process_writes_a_run_at_a_time(tmp_path: Path) -> None:
    with serving(4.0, "founding") as url:
        first = slow_run(tmp_path, url)
        beside = agenteval("run", "--resume", "latest", cwd=tmp_path)
        first.kill()
        first.communicate()
        second = begun(tmp_path, "run", "--resume", "latest")
        both = agenteval("run", "--resume", "latest", cwd=tmp_path)
        second.kill()
        second.communicate()
        assert agenteval("report", cwd=tmp_path).returncode == 0
    for refused in (beside, both):
        assert refused.returncode == 2
        assert "is being written by another agenteval" in refused.stderr
    (run,) = (tmp_path / "results").iterdir()
    ids = [line["id"] for line in lines_of(run)]
    assert len(ids) == len(set(ids))


def test_another_model_does_not_go_on_with_a_run(tmp_path: Path) -> None:
    with serving(40.0, "founding") as url:
        cut_short(tmp_path, signal.SIGKILL, "--base-url", url)
        (run,) = (tmp_path / "results").iterdir()
        manifest = json.loads((run / "run.json").read_text())
        manifest["endpoint"]["model"] = "glm-4.7-other"
        (run / "run.json").write_text(json.dumps(manifest))
        before = (run / "steps.jsonl").read_bytes()
        done = agenteval("run", "--resume", "latest", cwd=tmp_path)
    assert done.returncode == 2
    assert "begun with model glm-4.7-other, and the endpoint now has GLM-4.7-FP8" in done.stderr
    assert "Preflight" not in done.stderr, "and it is not asked first"
    assert (run / "steps.jsonl").read_bytes() == before


def test_a_secret_in_the_body_is_given_again(tmp_path: Path) -> None:
    secret = ("--extra-body", json.dumps({"api_key": KEY, "top_k": 4, "more": [{"password": PASSWORD}]}))
    with serving(40.0, "founding") as url:
        run = cut_short(tmp_path, signal.SIGKILL, "--base-url", url, "--no-preflight", *secret)
        other = ("--extra-body", secret[1].replace("4", "5"))
        for given in ((), other):
            refused = agenteval("run", "--resume", "latest", *given, cwd=tmp_path)
            assert refused.returncode == 2
            assert "--extra-body" in refused.stderr
        done = agenteval("run", "--resume", "latest", *secret, cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    for secret_text in (KEY, PASSWORD):
        assert secret_text not in (run / "run.json").read_text()


def test_a_conversation_whose_frames_are_damaged_is_not_taken_up_and_nothing_is_touched(tmp_path: Path) -> None:
    with serving(40.0, "founding") as url:
        run = cut_short(tmp_path, signal.SIGKILL, "--base-url", url, "--no-preflight", "--thinking", "off")
        (frames,) = (run / "frames").iterdir()
        whole = frames.read_bytes()
        middle = len(whole) // 2
        flipped = whole[:middle] + bytes([whole[middle] ^ 0xFF]) + whole[middle + 1 :]
        for damaged in (flipped, whole[: middle // 4], b""):
            frames.write_bytes(damaged)
            before = bytes_of(run)
            done = agenteval("run", "--resume", "latest", "--no-preflight", cwd=tmp_path)
            assert done.returncode == 2
            assert f"{frames.relative_to(tmp_path)} is damaged: the reply to ten-turn-repo.off" in done.stderr
            assert bytes_of(run) == before
        frames.unlink()
        gone = agenteval("run", "--resume", "latest", "--no-preflight", cwd=tmp_path)
    assert gone.returncode == 2
    assert "the reply to ten-turn-repo.off.full_history.0.t01.s01.a1 is not in it" in gone.stderr


def test_an_embedded_run_whose_frames_are_damaged_is_not_taken_up_either(tmp_path: Path) -> None:
    """What it added would stand behind the damage, where nobody reads on."""
    run = cut_short(tmp_path, signal.SIGKILL, "--thinking", "off", "--trials", "200")
    journal = (run / "steps.jsonl").read_bytes().splitlines(keepends=True)[:5]
    (run / "steps.jsonl").write_bytes(b"".join(journal))
    cell = json.loads(journal[-1])["cell"]
    (run / "frames" / f"{cell}.jsonl.gz").write_bytes(b"")
    before = bytes_of(run)
    done = agenteval("run", "--resume", "latest", cwd=tmp_path)
    assert done.returncode == 2
    assert f"{cell}.jsonl.gz is damaged" in done.stderr
    assert bytes_of(run) == before


def bytes_of(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def lines_of(run: Path) -> list[dict[str, Any]]:
    """The lines that are complete."""
    return [json.loads(line) for line in (run / "steps.jsonl").read_text().split("\n")[:-1]]


def lines_but_last(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "steps.jsonl").read_text().splitlines()[:-1]]


def test_a_run_with_a_changed_scenario_is_not_gone_on_with(tmp_path: Path) -> None:
    agenteval("run", "thinking-modes", cwd=tmp_path)
    (run,) = (tmp_path / "results").iterdir()
    manifest = json.loads((run / "run.json").read_text())
    manifest["status"], manifest["scenarios"]["thinking-modes"] = "running", "sha256:0"
    (run / "run.json").write_text(json.dumps(manifest))
    done = agenteval("run", "--resume", "latest", cwd=tmp_path)
    assert done.returncode == 2
    assert "is not what it was" in done.stderr


def but_this_run(text: str) -> dict[str, Any]:
    """All that a report says but what belongs to one run alone."""
    return {key: value for key, value in json.loads(text).items() if key != "this_run"}


@pytest.mark.parametrize(
    ("suite", "keep"), [*(("thinking-modes", keep) for keep in (0, 1, 7, 20)), ("own-bad-calls-4", 5)]
)
def test_a_simulated_run_goes_on_to_the_same_report(suite: str, keep: int, tmp_path: Path) -> None:
    whole = agenteval("run", suite, "--json", cwd=tmp_path)
    (run,) = (tmp_path / "results").iterdir()
    journal = run / "steps.jsonl"
    text = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(text[:keep]) + text[-1][:30])
    manifest = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**manifest, "status": "running"}))
    again = agenteval("run", "--resume", "latest", "--json", cwd=tmp_path)
    assert but_this_run(again.stdout) == but_this_run(whole.stdout)
    assert len(lines(run)) == len(text)


@pytest.fixture(scope="module")
def broken_off(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that was begun with one option, and lost its last lines."""
    folder = tmp_path_factory.mktemp("broken-off")
    agenteval("run", "thinking-modes", "--thinking", "off", "--seed", "3", cwd=folder)
    (run,) = (folder / "results").iterdir()
    journal = run / "steps.jsonl"
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:1]))
    manifest = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**manifest, "status": "running"}))
    return folder


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--seed", "4"), "--seed cannot change"),
        (("--thinking", "on"), "--thinking cannot change"),
        (("--trials", "2"), "--trials cannot change"),
        (("--policy", "sliding_window"), "--policy cannot change"),
        (("--max-tokens", "9"), "--max-tokens cannot change"),
        (("--no-stream",), "--no-stream cannot change"),
        (("--base-url", "http://127.0.0.1:9/v1"), "--base-url cannot change"),
        (("ten-turn-repo",), "begun with thinking-modes, not ten-turn-repo"),
    ],
)
def test_what_is_asked_cannot_change_in_a_run_that_is_gone_on_with(
    options: tuple[str, ...], says: str, broken_off: Path
) -> None:
    done = agenteval("run", "--resume", "latest", *options, cwd=broken_off)
    assert done.returncode == 2
    assert says in done.stderr


def test_how_it_is_asked_may_change_and_the_same_again_is_no_change(broken_off: Path, tmp_path: Path) -> None:
    shutil.copytree(broken_off / "results", tmp_path / "results")
    same = ("thinking-modes", "--thinking", "off", "--seed", "3")
    how = ("--concurrency", "4", "--timeout", "9", "--retries", "1", "--no-preflight")
    done = agenteval("run", "--resume", "latest", *same, *how, cwd=tmp_path)
    assert "Go on" not in done.stderr
    assert done.returncode in (0, 1), done.stderr
    (run,) = (tmp_path / "results").iterdir()
    manifest = json.loads((run / "run.json").read_text())
    assert manifest["changes"] == [
        {"timeout": [300.0, 9.0], "retries": [4, 1], "preflight": [True, False], "concurrency": [1, 4]}
    ]
    assert (manifest["plan"]["concurrency"], manifest["options"]["retries"]) == (4, 1)
    assert "concurrency 1 → 4" in " ".join(agenteval("report", cwd=tmp_path).stdout.split())
