"""Run scenarios: `plan` (matrix → cells, pure), `session` (the loop of one cell), `batch` (many cells)."""

from __future__ import annotations

from agenteval.run.accounting import Accountant, Size
from agenteval.run.batch import BatchEnd, run_batch, run_simulated
from agenteval.run.breaker import FIRST_WAIT_S, LONGEST_WAIT_S, Breaker
from agenteval.run.desk import Desk
from agenteval.run.isolation import Isolation
from agenteval.run.lengths import Lengths, lengths
from agenteval.run.plan import Cell, Plan, expand
from agenteval.run.preflight import Asked, Preflight, ping, preflight
from agenteval.run.retries import Retries
from agenteval.run.session import CellEnd, run_cell
from agenteval.run.watch import LAG_BOUND_MS, SEND_BOUND_MS, LoopWatch, SelfReport, no_long_collections

__all__ = [
    "FIRST_WAIT_S",
    "LAG_BOUND_MS",
    "LONGEST_WAIT_S",
    "SEND_BOUND_MS",
    "Accountant",
    "Asked",
    "BatchEnd",
    "Breaker",
    "Cell",
    "CellEnd",
    "Desk",
    "Isolation",
    "Lengths",
    "LoopWatch",
    "Plan",
    "Preflight",
    "Retries",
    "SelfReport",
    "Size",
    "expand",
    "lengths",
    "no_long_collections",
    "ping",
    "preflight",
    "run_batch",
    "run_cell",
    "run_simulated",
]
