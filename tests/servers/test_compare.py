"""`agenteval compare` on a real server of known truth: policies are ranked as its weights say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.servers.driving import play
from tests.servers.home import HERE
from tests.servers.rows import on
from tests.servers.started import Started
from tests.servers.table import TABLE

pytestmark = pytest.mark.servers

SCENARIOS = 20
"""As few as may be ranked. They differ by name alone: the model knows one script."""
FIXES = "observation_masking:keep_last=1,step=1,larger_than=1000"
BREAKS = "observation_masking:keep_last=2,step=1"
"""One finishes all ten turns; the other nine, so that no conversation of it is right either."""


def suite(folder: Path) -> Path:
    text = (HERE / "turn8.yaml").read_text(encoding="utf-8")
    folder.mkdir()
    for number in range(SCENARIOS):
        named = text.replace("\nname: turn8\n", f"\nname: turn8-{number}\n", 1)
        (folder / f"turn8-{number}.yaml").write_text(named, encoding="utf-8")
    return folder


def compared(out: Path, *options: str) -> tuple[int, dict[str, Any]]:
    command = [sys.executable, "-m", "agenteval", "compare", "latest", "--out", str(out), "--format", "json", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


@on("llamacpp-turn8")
def test_the_policy_that_fixes_all_turns_is_better_and_the_other_is_not(served: Started, tmp_path: Path) -> None:
    chosen = ["full_history", "full_history+again", BREAKS, FIXES]
    names = [word for name in chosen for word in ("--policy", name)]
    played = play(served, str(suite(tmp_path / "suite")), tmp_path / "out", "--thinking", "off", *names)
    assert played.code == 1, played.said
    code, value = compared(tmp_path / "out")
    sides = {side["name"]: side for side in value["contrasts"]}
    seen = {name: sides[name]["decision"] for name in (BREAKS, FIXES)}
    known = {BREAKS: "not ranked", FIXES: "better"}
    assert TABLE.add(served.deployment.name, "compare, 20 scenarios, beside full history", seen, known), value["story"]
    assert code == 3, "one of the two found no place"
    assert f"What is shown all the same, beside full_history: {FIXES} is better." in value["story"]
