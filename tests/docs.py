"""Documentation that a program writes: `python -m tests.docs` renews it, `--check` only compares.

Whole files are those of GENERATED, and the run in `results/example`. In those of PAGES blocks are written:

A block is a comment `<!-- shown: COMMAND -->` followed by a fenced block that holds what COMMAND prints on stdout. The
command runs in an empty folder against the embedded endpoint; a run's id and times stand as fixed ones.
"""

from __future__ import annotations

import re
import shlex
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests import example_run, format_page, policies_page
from tests.faults import page as faults_page
from tests.program import ROOT, printed

PAGES = ("README.md", "scenarios/README.md")
GENERATED: dict[str, Callable[[], str]] = {
    "scenarios/FORMAT.md": format_page.page,
    "fixtures/parsers/POLICIES.md": policies_page.page,
    "scenarios/schema.json": format_page.schema_text,
    "tests/faults/README.md": faults_page.page,
}
BLOCK = re.compile(r"(<!-- shown: (?P<command>[^\n]+) -->\n```text\n).*?(```\n)", re.DOTALL)
PROGRAMS = {"agenteval": "agenteval", "floors": "tests.stubs", "policies": "tests.policies"}
"""What may be shown, and the module behind it: the program itself, scores of stub models, and `make policies`."""


def output_of(command: str) -> str:
    """What a command prints on stdout."""
    program, *arguments = shlex.split(command)
    assert program in PROGRAMS, f"{program} is none of {', '.join(PROGRAMS)}"
    with tempfile.TemporaryDirectory() as folder:
        return printed(PROGRAMS[program], arguments, ROOT if program == "floors" else Path(folder))


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
    folder = ROOT / example_run.EXAMPLE
    renewed_files = example_run.renew(folder, example_run.played(), write=not check)
    stale += [f"{example_run.EXAMPLE}/{name}" for name in renewed_files]
    if stale:
        what = "not what the program says now; run make docs" if check else "renewed"
        print(f"{', '.join(stale)}: {what}")
    return 1 if stale and check else 0


if __name__ == "__main__":
    raise SystemExit(main())
