"""`agenteval --help` answers at once: what only some verbs need is imported when they run."""

from __future__ import annotations

import json
import subprocess
import sys

HEAVY = (
    "asyncio",
    "httptools",
    "hypothesis",
    "jsonschema",
    "msgspec",
    "numpy",
    "openai",
    "pydantic",
    "rich",
    "starlette",
    "tabulate",
    "tiktoken",
    "uvicorn",
    "yaml",
)

ASK_FOR_HELP = """
import contextlib, io, json, sys
sys.argv = ["agenteval", "--help"]
shown, code = io.StringIO(), 0
with contextlib.redirect_stdout(shown):
    from agenteval.cli import main
    try:
        main()
    except SystemExit as stop:
        code = stop.code or 0
print(json.dumps({"code": code, "shown": shown.getvalue(), "modules": sorted(sys.modules)}))
"""


def ask(prelude: str = "") -> dict[str, object]:
    """What a fresh interpreter has shown and loaded once the main help stands."""
    done = subprocess.run(
        [sys.executable, "-c", prelude + ASK_FOR_HELP],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def heavy_modules(answer: dict[str, object]) -> list[str]:
    modules = answer["modules"]
    assert isinstance(modules, list)
    return [name for name in HEAVY if name in modules]


def test_help_is_shown_without_heavy_imports() -> None:
    answer = ask()
    assert answer["code"] == 0
    assert "Usage:" in str(answer["shown"])
    assert heavy_modules(answer) == []


def test_a_heavy_import_is_noticed() -> None:
    assert heavy_modules(ask(prelude="import asyncio\n")) == ["asyncio"]
