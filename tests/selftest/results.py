"""Results of self-tests that nobody ran."""

from __future__ import annotations

from typing import Any

from agenteval.selftest.errors import CaseErrors
from agenteval.selftest.plan import Case
from agenteval.selftest.verdict import Machine, Rate, Result


def errors(case: Case | None = None, **values: Any) -> CaseErrors:
    good: dict[str, Any] = {
        "ttft_mean_ms": 0.1,
        "ttft_p99_ms": 0.4,
        "p99_is_max": False,
        "inter_token_percent": 0.01,
        "gap_p99_ms": 0.3,
        "chunks": 25_728,
        "merged": 0,
        "left_ms": 0.1,
        "server_late_p99_ms": 1.0,
        "bases": 1,
    }
    return CaseErrors(case or Case(128, "lockstep", "463 KB"), **(good | values))


def result(*cases: CaseErrors, **values: Any) -> Result:
    """One that meets all bars, but for what is given."""
    good: dict[str, Any] = {
        "machine": Machine(2, "uvloop", 0.3, 0.9),
        "cpu_s_per_10k": 0.15,
        "rates": (Rate(60_000, 59_900, 120_000, 3),),
        "overhead_ms": 0.25,
        "calls": 100,
    }
    return Result(cases=cases or (errors(),), **(good | values))
