"""The curl under a step asks for the very same, whatever stands in it."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

from agenteval.cli.step import step_text
from agenteval.store import StoredRun, find_run, load_run
from tests.cli.test_commands import agenteval

HOSTILE = "it's \u200e\u202eturned\x7f \x1b[2J $(no) `no`\nEND_OF_BODY\n"
SCENARIO = """
schema: 1
name: hostile
description: Its text must come through.
system: Use the tools.
tools:
  - name: look
    parameters: {type: object, properties: {}, additionalProperties: false}
    mock: [{returns: {}}]
turns:
  - user: USER
    expect: {calls: [{name: look, arguments: {}}]}
"""


def stored(folder: Path, **changes: Any) -> StoredRun:
    text = SCENARIO.replace("USER", json.dumps(HOSTILE.replace("\x1b", "").replace("\x7f", "")))
    (folder / "hostile.yaml").write_text(text, encoding="utf-8")
    done = agenteval("run", "hostile.yaml", "--thinking", "off", "--profile", "healthy", cwd=folder)
    assert done.returncode == 0, done.stderr
    found = load_run(find_run("latest", folder / "results"))
    options = {**found.manifest.options, **changes.pop("options", {})}
    endpoint = {**found.manifest.endpoint, **changes}
    return replace(found, manifest=replace(found.manifest, options=options, endpoint=endpoint))


def curl(run: StoredRun) -> tuple[list[str], Any]:
    """The words of the command as a shell reads them, and the body that it sends."""
    text = step_text(run, run.records[0].id)
    command, body, end = text[text.index("\ncurl ") :].strip().split("\n")
    assert end == "END_OF_BODY"
    words = shlex.split(command.removesuffix(" <<'END_OF_BODY'"))
    return words, json.loads(body)


def test_the_body_is_json_and_the_very_same_whatever_stands_in_it(tmp_path: Path) -> None:
    run = stored(tmp_path)
    words, body = curl(run)
    said = body["messages"][-1]["content"]
    assert said == HOSTILE.replace("\x1b", "").replace("\x7f", "")
    assert "\u200e" not in step_text(run, run.records[0].id)
    assert "-k" not in words


def test_a_curl_goes_where_the_run_went(tmp_path: Path) -> None:
    options = {"insecure": True, "header": ["X-Team", "X-It's"], "api_key": "given"}
    run = stored(tmp_path, base_url="https://host/a path/v1", options=options)
    words, _ = curl(run)
    assert words[:4] == ["curl", "-sSN", "-k", "https://host/a path/v1/chat/completions"]
    headers = [words[at + 1] for at, word in enumerate(words) if word == "-H"]
    assert headers[1:] == ["Authorization: Bearer $OPENAI_API_KEY", "X-Team: <X-Team>", "X-It's: <X-It's>"]
    assert "put your value for each <…>: X-Team, X-It's" in step_text(run, run.records[0].id)
