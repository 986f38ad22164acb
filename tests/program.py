"""The program as documentation shows it: run in a given folder, with what changes from run to run made the same."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from tests import warm

ROOT = Path(__file__).parent.parent
RUN_ID = re.compile(r"\b\d{8}-\d{6}-")
FIXED_ID = "20260101-000000-"
STAMP = re.compile(r"\b\d{4}-\d{2}-\d{2}T[\d:]{8}\.\d{3}Z")
FIXED_STAMP = "2026-01-01T00:00:00.000Z"


def printed(module: str, arguments: Sequence[str], folder: Path) -> str:
    """What `python -m module` prints on stdout, a run's id and times as fixed ones. Exit code 1 (failures) is fine."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
    environment |= {"COLUMNS": "80", "NO_COLOR": "1"}
    done = warm.run(module, *arguments, cwd=folder, environment=environment)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{module} {' '.join(arguments)} failed:\n{done.stderr}")
    return STAMP.sub(FIXED_STAMP, RUN_ID.sub(FIXED_ID, done.stdout))
