"""What a summary leaves out of records is not missed in it."""

from __future__ import annotations

from pathlib import Path

from agenteval.store import load_run
from agenteval.summary import lean, summarise

EXAMPLE = Path(__file__).parent.parent.parent / "results" / "example"


def test_a_summary_of_lean_records_is_the_same() -> None:
    whole, leaner = load_run(EXAMPLE), load_run(EXAMPLE, lean)
    assert leaner.records != whole.records
    assert summarise(leaner.manifest, leaner.records) == summarise(whole.manifest, whole.records)
