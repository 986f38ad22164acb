"""Real-time priority, where the system permits it: nothing else on the machine interrupts a measurement."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

PRIORITY = 5


@contextmanager
def real_time(processes: Sequence[int]) -> Iterator[str | None]:
    """These processes (0: this one) are scheduled first-in, first-out within the block; yields why not, if not."""
    if not hasattr(os, "sched_setscheduler"):
        yield "this system has no real-time priorities to ask for" if processes else None
        return
    try:
        for process in processes:
            os.sched_setscheduler(process, os.SCHED_FIFO, os.sched_param(PRIORITY))
        refused = None
    except PermissionError:
        refused = "real-time priority is not permitted (it needs CAP_SYS_NICE)"
    try:
        yield refused
    finally:
        if 0 in processes and refused is None:
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
