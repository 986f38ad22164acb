"""`python -m tests.policies`: what `make policies` shows, up to what depends on the machine (the policies' own CPU)."""

from __future__ import annotations

import re
import subprocess
import sys

from tests.program import ROOT

NAMES = re.search(r"^POLICIES = (.+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def main() -> None:
    assert NAMES
    chosen = [word for name in NAMES[1].split() for word in ("--policy", name)]
    program = [sys.executable, "-m", "agenteval"]
    subprocess.run([*program, "run", "ten-turn-repo", "--thinking", "off", *chosen], capture_output=True, check=False)
    told = subprocess.run([*program, "compare", "latest"], capture_output=True, text=True, check=False).stdout
    sys.stdout.write(told.partition("\nCost\n")[0])


if __name__ == "__main__":
    main()
