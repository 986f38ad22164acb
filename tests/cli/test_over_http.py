"""`agenteval serve` on a real socket, driven by `agenteval run --base-url`; and what a broken server leads to."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests import warm
from tests.cli.broken_server import PAGES, answering
from tests.cli.test_commands import KEY, agenteval


@contextmanager
def serving(speed: float, *options: str) -> Iterator[str]:
    """A served profile's base URL. The server ends by itself after ten minutes at the latest."""
    command = ("serve", "--port", "0", "--max-seconds", "600", "--speed", str(speed))
    server = warm.start("agenteval", *command, *options)
    try:
        found = re.search(r"http://\S+/v1", server.stderr.readline())
        assert found
        yield found[0]
    finally:
        server.terminate()
        server.communicate(timeout=30)


@pytest.fixture(scope="module")
def fast() -> Iterator[str]:
    with serving(400.0, "founding") as url:
        yield url


def verdicts(text: str) -> list[tuple[object, ...]]:
    rows = json.loads(text)["turns"]
    return [(row["scenario"], row["thinking"], row["turn"], row["ok_trials"], row["context"]) for row in rows]


def test_over_http_the_verdicts_are_those_of_the_embedded_run(fast: str, tmp_path: Path) -> None:
    over_http = agenteval("run", "--base-url", fast, "--concurrency", "3", "--json", cwd=tmp_path)
    embedded = agenteval("run", "--json", cwd=tmp_path)
    assert over_http.returncode == embedded.returncode == 1, over_http.stderr
    assert verdicts(over_http.stdout) == verdicts(embedded.stdout)


def test_it_says_what_it_found_and_watches_itself(fast: str, tmp_path: Path) -> None:
    done = agenteval("run", "thinking-modes", "--base-url", fast, "--thinking", "off", cwd=tmp_path)
    assert "model GLM-4.7-FP8, dialect sglang" in done.stderr
    assert "SIMULATED" in done.stdout, "a simulator over HTTP is a simulator"
    (run,) = (tmp_path / "results").iterdir()
    client = json.loads((run / "run.json").read_text())["client"]
    assert client["samples"] > 0
    assert client["valid"] in (True, False)
    steps = [json.loads(line) for line in (run / "steps.jsonl").read_text().splitlines()]
    assert client["requests"] == len(steps), "each says how late it left"
    assert all(step["transfer"]["send_lag_ms"] >= 0 for step in steps)
    assert client["chunks"] == sum(step["timing"]["chunks"] for step in steps)
    assert client["merged"] == sum(step["transfer"]["merged"] for step in steps)
    assert "requests left late by P99" in done.stdout.replace("\n  ", " ")


def test_a_wrong_model_is_told_and_lost_cells_exit_3(fast: str, tmp_path: Path) -> None:
    done = agenteval("run", "thinking-modes", "--base-url", fast, "--model", "nope", "--no-preflight", cwd=tmp_path)
    assert done.returncode == 3
    assert "lists GLM-4.7-FP8" in done.stderr
    assert "Turns ok: 0 of 0 judged" in done.stdout


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_keeps_what_is_done(tmp_path: Path, how: signal.Signals) -> None:
    with serving(20.0, "founding") as url:
        run = warm.start("agenteval", "run", "ten-turn-repo", "--base-url", url, cwd=tmp_path)
        while "[2/" not in run.stderr.readline():
            assert run.poll() is None
        run.send_signal(how)
        said, told = run.communicate(timeout=60)
    assert run.returncode == 130
    (folder,) = (tmp_path / "results").iterdir()
    assert json.loads((folder / "run.json").read_text())["status"] == "interrupted"
    assert len((folder / "steps.jsonl").read_text().splitlines()) >= 2
    assert "Summary" in said
    assert f"Go on with it: agenteval run --resume results/{folder.name}" in told
    assert agenteval("report", cwd=tmp_path).returncode == 0


def test_an_interruption_before_the_first_conversation_gets_a_sentence(tmp_path: Path) -> None:
    with serving(0.01, "founding") as url:
        run = warm.start("agenteval", "run", "thinking-modes", "--base-url", url, cwd=tmp_path)
        while "Endpoint" not in run.stderr.readline():
            assert run.poll() is None
        run.send_signal(signal.SIGINT)
        _, told = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "Interrupted before the first conversation" in told
    assert not (tmp_path / "results").exists()


def event(value: object) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def call(arguments: str) -> bytes:
    """A whole streamed reply with one call of a tool that founding scenarios offer."""
    function = {"name": "get_weather", "arguments": arguments}
    delta = {"tool_calls": [{"index": 0, "id": "c1", "type": "function", "function": function}]}
    said = event({"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
    return said + event({"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}) + b"data: [DONE]\n\n"


PROSE = event({"choices": [{"index": 0, "delta": {"content": "no"}, "finish_reason": "stop"}]}) + b"data: [DONE]\n\n"


LLAMA = {"data": [{"id": "glm-4.7", "owned_by": "llamacpp", "meta": {"n_ctx_train": 131072}}]}


@pytest.mark.parametrize(
    ("pages", "window"),
    [
        ({"/v1/models": LLAMA, "/props": {"default_generation_settings": {"n_ctx": 2048}}}, 2048),
        ({"/v1/models": {"data": [{"id": "glm-4.7", "owned_by": "vllm", "max_model_len": 8192}]}}, 8192),
        ({"/v1/models": {"data": [{"id": "glm-4.7", "owned_by": "vllm"}]}}, None),
    ],
)
def test_the_manifest_holds_the_context_window(pages: dict[str, Any], window: int | None, tmp_path: Path) -> None:
    with answering(PROSE, pages=pages) as url:
        options = ("--thinking", "off", "--no-preflight")
        done = agenteval("run", "thinking-modes", "--base-url", url, *options, cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    (run,) = (tmp_path / "results").iterdir()
    assert json.loads((run / "run.json").read_text())["endpoint"]["context_window"] == window
    assert (f"context window {window:,} tokens" in done.stderr) if window else ("context window" not in done.stderr)


THINKS = event({"choices": [{"index": 0, "delta": {"reasoning": "Hm."}, "finish_reason": None}]}) + PROSE


def serves(model: str) -> dict[str, Any]:
    return {"/v1/models": {"data": [{"id": model, "owned_by": "vllm"}]}}


@pytest.mark.parametrize(
    ("model", "asked", "says", "modes"),
    [
        ("mine", (), "Not planned: thinking off, preserved (the model's family is not known", {"on"}),
        ("mine", ("--thinking", "on"), "family unknown", {"on"}),
        ("mine", ("--thinking", "off,on"), "A guess: the model's family is not known", {"off", "on"}),
        ("Qwen3-32B", (), "Not planned: thinking off, preserved (no switch of family hermes is known", {"on"}),
        ("Qwen3-32B", ("--thinking", "off"), "A guess: no switch of family hermes is known", {"off"}),
    ],
)
def test_thinking_is_no_mistake_of_a_model_without_a_known_switch(
    model: str, asked: tuple[str, ...], says: str, modes: set[str], tmp_path: Path
) -> None:
    with answering(THINKS, pages=serves(model)) as url:
        done = agenteval("run", "thinking-modes", "--base-url", url, "--no-preflight", "--json", *asked, cwd=tmp_path)
    assert says in done.stderr
    found = json.loads(done.stdout)
    assert {row["thinking"] for row in found["turns"]} == modes
    assert not {"reasoning_unexpected", "reasoning_missing"} & set(found["findings"])


def test_a_mode_that_a_family_does_not_have_is_not_planned(tmp_path: Path) -> None:
    with answering(THINKS, pages=serves("google/gemma-4-31B-it")) as url:
        done = agenteval("run", "thinking-modes", "--base-url", url, "--no-preflight", "--json", cwd=tmp_path)
    assert "family gemma4" in done.stderr
    assert "Not planned: thinking preserved (models of family gemma4 have no such mode)." in done.stderr
    found = json.loads(done.stdout)
    assert {row["thinking"] for row in found["turns"]} == {"off", "on"}
    assert "reasoning_unexpected" in found["findings"], "off was asked for by a switch, so it is judged"


@pytest.mark.parametrize(
    ("body", "kind", "status", "exit_code"),
    [
        (PROSE, "text/event-stream", 200, 1),
        (call('{"city": "a\\ud83d"}'), "text/event-stream", 200, 1),
        (call('{"city": 1e999}'), "text/event-stream", 200, 1),
        (b"<html><title>Log in</title></html>", "text/html", 200, 3),
        (b"", "text/event-stream", 200, 3),
        (b'{"error": {"message": "no tools here"}}', "application/json", 400, 3),
        (event({"error": "boom"}), "text/event-stream", 200, 3),
    ],
)
def test_no_reply_of_a_server_ends_in_a_traceback(
    body: bytes, kind: str, status: int, exit_code: int, tmp_path: Path
) -> None:
    with answering(body, kind=kind, status=status) as url:
        options = ("--thinking", "off", "--timeout", "5", "--retries", "0", "--no-preflight", "--json")
        done = agenteval("run", "thinking-modes", "--base-url", url, *options, cwd=tmp_path)
    assert done.returncode == exit_code, done.stderr
    assert "Traceback" not in done.stderr
    scores = json.loads(done.stdout)["scores"]
    assert scores["turns_ok"] == 0, "a server that does nothing right passes nothing"
    assert (scores["turns_judged"] > 0) == (exit_code == 1)
    (run,) = (tmp_path / "results").iterdir()
    assert json.loads((run / "run.json").read_text())["status"] == "complete"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ((), "Calls were constrained: "),
        (("--dialect", "llamacpp"), "and arguments that keep their schema"),
        (("--family", "harmony", "--thinking", "on"), "Calls were not constrained: "),
        (("--extra-body", '{"tool_choice": "required"}'), None),
        (("--dialect", "openai", "--thinking", "on"), None),
    ],
)
def test_a_report_says_whether_calls_were_constrained(
    tmp_path: Path, options: tuple[str, ...], says: str | None
) -> None:
    """By what is known of a server and family; nothing is said where nothing is known."""
    with answering(call("{}")) as url:
        always = ("--base-url", url, "--thinking", "off", "--no-preflight", "--json")
        done = agenteval("run", "thinking-modes", *always, *options, cwd=tmp_path)
    notes = " ".join(json.loads(done.stdout)["notes"])
    assert (says in notes and "version here is not known" in notes) if says else "constrained" not in notes
    (run,) = (tmp_path / "results").iterdir()
    constraint = json.loads((run / "run.json").read_text())["endpoint"]["constraint"]
    assert (constraint is not None) == (says is not None)


def test_no_key_is_in_any_file_or_message(tmp_path: Path) -> None:
    """Also when the server repeats it: in an error in mid-run or at the take-off, and in its refusal to list models."""
    says = event({"error": "bad key KEY"})
    for body, pages, check in (
        (says, PAGES, "--no-preflight"),
        (says, PAGES, "--preflight"),
        (b"", {}, "--preflight"),
    ):
        with answering(body, echo=True, pages=pages) as url:
            run = (
                "run",
                "thinking-modes",
                "--base-url",
                url,
                "--api-key",
                KEY,
                "--thinking",
                "off",
                "--retries",
                "0",
                check,
            )
            done = agenteval(*run, "--extra-body", f'{{"api_key": "{KEY}"}}', cwd=tmp_path)
        assert done.returncode == 3
        assert KEY not in done.stdout + done.stderr
    files = [path for path in (tmp_path / "results").rglob("*") if path.is_file()]
    assert files
    for path in files:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        assert KEY.encode() not in data, path.name


NO_USAGE = "no token usage came"


@pytest.mark.parametrize(
    ("body", "kind", "status", "exit_code", "says"),
    [
        (PROSE, "text/event-stream", 200, 1, "no tool call came when asked for one"),
        (PROSE, "text/event-stream", 200, 1, NO_USAGE),
        (PROSE.replace(b"no", b"get_time(city=Oslo)"), "text/event-stream", 200, 1, "--enable-auto-tool-choice"),
        (b'{"error": {"message": "tools are not supported"}}', "application/json", 400, 3, "takes no tools"),
        (b'{"error": {"message": "model not found"}}', "application/json", 404, 3, "choose another with --model"),
        (b'{"error": {"message": "bad key"}}', "application/json", 401, 3, "--api-key"),
        (b"<html><title>Log in</title></html>", "text/html", 200, 3, "no usable reply"),
    ],
)
def test_the_preflight_names_what_is_missing(
    body: bytes, kind: str, status: int, exit_code: int, says: str, tmp_path: Path
) -> None:
    with answering(body, kind=kind, status=status) as url:
        done = agenteval("run", "thinking-modes", "--base-url", url, "--thinking", "off", cwd=tmp_path)
    assert done.returncode == exit_code, done.stderr
    assert says in done.stderr
    assert (tmp_path / "results").exists() == (exit_code == 1), "a run that makes no sense is not begun"


def test_a_good_endpoint_takes_off_with_an_estimate(fast: str, tmp_path: Path) -> None:
    done = agenteval("run", "thinking-modes", "--base-url", fast, "--thinking", "off", cwd=tmp_path)
    assert "for about 4 requests" in done.stderr
    assert "Preflight: reaches, streams, calls a tool, counts its tokens.\n" in done.stderr
    assert not re.search(r"takes the 0(\.0)? ", done.stderr)
    whole = agenteval("run", "thinking-modes", "--base-url", fast, "--thinking", "off", "--no-stream", cwd=tmp_path)
    assert "Preflight: reaches, calls a tool, counts its tokens.\n" in whole.stderr
    assert "no TTFT and no decode speed" in " ".join(whole.stdout.split())


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_a_step_is_shown_whole_and_asked_again(fast: str, tmp_path: Path) -> None:
    agenteval("run", "thinking-modes", "--base-url", fast, "--thinking", "off", cwd=tmp_path)
    step = "thinking-modes.off.full_history.0.t02.s01.a1"
    shown = agenteval("report", "--step", step, cwd=tmp_path).stdout
    for part in ("[system]", "[user]", "[tools]", "What it said", "What was found", f"curl -sSN {fast}"):
        assert part in shown
    script = shown[shown.index("curl -sSN") :]
    again = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout
    assert again.count("data: ") > 3
    assert "tool_calls" in again
    wrong = agenteval("report", "--step", "nope", cwd=tmp_path)
    assert wrong.returncode == 2
    assert "thinking-modes.off" in wrong.stderr


def test_a_self_signed_certificate_is_refused_and_may_be_accepted(tmp_path: Path) -> None:
    with answering(PROSE, tls=True) as url:
        run = ("run", "thinking-modes", "--base-url", url, "--thinking", "off")
        refused = agenteval(*run, cwd=tmp_path)
        accepted = agenteval(*run, "--insecure", cwd=tmp_path)
    assert refused.returncode == 3
    assert "--insecure" in refused.stderr
    assert accepted.returncode == 1, accepted.stderr


@pytest.mark.parametrize(
    ("port", "says"), [("65536", "65536"), ("1", "nothing listens on 127.0.0.1:1"), ("", "nothing listens")]
)
def test_a_wrong_port_is_named(port: str, says: str, tmp_path: Path) -> None:
    done = agenteval("run", "--base-url", f"http://127.0.0.1:{port}/v1" if port else "http://127.0.0.1:9", cwd=tmp_path)
    assert done.returncode in (2, 3)
    assert says in done.stderr


def test_conversations_of_several_policies_share_no_prefix_cache(fast: str, tmp_path: Path) -> None:
    """The first request of each finds nothing cached, whoever came before it; without isolation it would."""
    run = ("run", "thinking-modes", "--base-url", fast, "--thinking", "off", "--policy", "full_history")
    for options in (("--policy", "sliding_window"), ("--isolate", "off", "--policy", "sliding_window")):
        assert agenteval(*run, *options, "--out", str(len(options)), cwd=tmp_path).returncode == 0
    cached = []
    for folder in ("2", "4"):
        (kept,) = (tmp_path / folder).glob("*/steps.jsonl")
        steps = map(json.loads, kept.read_text().splitlines())
        cached.append([s["tokens"]["cached"] for s in steps if (s["turn"], s["step"], s["purpose"]) == (1, 1, "agent")])
    assert cached[0] == [0, 0]
    assert max(cached[1]) > 0
