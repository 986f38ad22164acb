"""Blocks of documentation that a program writes: `python -m tests.docs` renews them, `--check` only compares.

A block is a comment `<!-- shown: COMMAND -->` followed by a fenced block that holds what COMMAND prints on stdout. The
command runs in an empty folder against the embedded endpoint; a run's id stands as a fixed one.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "scenarios/README.md")
BLOCK = re.compile(r"(<!-- shown: (?P<command>[^\n]+) -->\n```text\n).*?(```\n)", re.DOTALL)
RUN_ID = re.compile(r"\b\d{8}-\d{6}-")
FIXED_ID = "20260101-000000-"


def output_of(command: str) -> str:
    """What a command prints on stdout. Exit code 1 (failing turns) is no failure here."""
    program, *arguments = shlex.split(command)
    assert program == "agenteval", f"only agenteval's own output is shown, not {program}"
    environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1"}
    environment.pop("OPENAI_BASE_URL", None)
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", "agenteval", *arguments],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode not in (0, 1):
        raise SystemExit(f"{command} failed:\n{done.stderr}")
    return RUN_ID.sub(FIXED_ID, done.stdout)


def renewed(page: str) -> str:
    """A page with all its blocks written again."""
    return BLOCK.sub(lambda found: found[1] + output_of(found["command"]) + found[3], page)


def main() -> int:
    check = "--check" in sys.argv[1:]
    stale = []
    for name in PAGES:
        path = ROOT / name
        old = path.read_text(encoding="utf-8")
        new = renewed(old)
        if new != old:
            stale.append(name)
            if not check:
                path.write_text(new, encoding="utf-8")
    if stale:
        what = "shows something else than the program prints; run make docs" if check else "renewed"
        print(f"{', '.join(stale)}: {what}")
    return 1 if stale and check else 0


if __name__ == "__main__":
    raise SystemExit(main())
