"""Documentation that a program writes: `python -m tests.docs` renews it, `--check` only compares.

Whole files are those of GENERATED. In those of PAGES blocks are written:

A block is a comment `<!-- shown: COMMAND -->` followed by a fenced block that holds what COMMAND prints on stdout. The
command runs in an empty folder against the embedded endpoint; a run's id and times stand as fixed ones.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests import format_page

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "scenarios/README.md")
GENERATED: dict[str, Callable[[], str]] = {
    "scenarios/FORMAT.md": format_page.page,
    "scenarios/schema.json": format_page.schema_text,
}
BLOCK = re.compile(r"(<!-- shown: (?P<command>[^\n]+) -->\n```text\n).*?(```\n)", re.DOTALL)
PROGRAMS = {"agenteval": "agenteval", "floors": "tests.stubs"}
"""What may be shown, and the module behind it: the program itself, and the scores of stub models."""

RUN_ID = re.compile(r"\b\d{8}-\d{6}-")
FIXED_ID = "20260101-000000-"
STAMP = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
FIXED_STAMP = "2026-01-01T00:00:00.000Z"


def output_of(command: str) -> str:
    """What a command prints on stdout. Exit code 1 (failing turns) is no failure here."""
    program, *arguments = shlex.split(command)
    assert program in PROGRAMS, f"{program} is none of {', '.join(PROGRAMS)}"
    environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1"}
    environment.pop("OPENAI_BASE_URL", None)
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", PROGRAMS[program], *arguments],
            cwd=ROOT if program == "floors" else folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode not in (0, 1):
        raise SystemExit(f"{command} failed:\n{done.stderr}")
    return STAMP.sub(FIXED_STAMP, RUN_ID.sub(FIXED_ID, done.stdout))


def renewed(page: str) -> str:
    """A page with all its blocks written again."""
    return BLOCK.sub(lambda found: found[1] + output_of(found["command"]) + found[3], page)


def wanted(name: str, present: str) -> str:
    """What a file should say."""
    return GENERATED[name]() if name in GENERATED else renewed(present)


def main() -> int:
    check = "--check" in sys.argv[1:]
    stale = []
    for name in (*GENERATED, *PAGES):
        path = ROOT / name
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        new = wanted(name, old)
        if new != old:
            stale.append(name)
            if not check:
                path.write_text(new, encoding="utf-8")
    if stale:
        what = "not what the program says now; run make docs" if check else "renewed"
        print(f"{', '.join(stale)}: {what}")
    return 1 if stale and check else 0


if __name__ == "__main__":
    raise SystemExit(main())
