"""`run --resume`: everything that was asked for is read from the manifest; only secrets, which no file holds, are given
again. How it is asked may be said anew (how long to wait, how many at a time); what is asked may not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from agenteval.cli.books import Order
from agenteval.cli.options import PATIENCE, EndpointOptions, PlanOptions, typed_options, was_typed
from agenteval.client import ResumingTransport
from agenteval.errors import UsageError
from agenteval.outcome import StepRecord
from agenteval.run import Cell, Desk
from agenteval.script import Scenario
from agenteval.store import StoredRun, find_run, load_run, read_frames
from agenteval.summary.rows import is_over, last_attempts

OPERATIONAL = (*PATIENCE, "preflight", "concurrency", "insecure")
"""Options that change nothing of what is asked: the typed ones are taken."""

ELSEWHERE = ("api_key", "header", "resume", "out", "as_json")
"""Options that are read anew each time."""


def stored_order(reference: str, now: Order) -> tuple[Kept, Order]:
    """The run to go on with, and what was asked for. Raises UsageError if it cannot be gone on with, or if something
    else is asked for `now`."""
    stored = load_run(find_run(reference, now.out))
    cells = stored.manifest.cells
    if stored.manifest.status == "complete" and not (cells.get("lost") or cells.get("stopped")):
        raise UsageError(f"run {stored.manifest.run} is complete: `agenteval report {stored.manifest.run}` shows it")
    plan = stored.manifest.plan
    wanted = PlanOptions(
        thinking=tuple(plan["thinking"]),
        policy=tuple(plan["policies"]),
        trials=plan["trials"],
        concurrency=plan["concurrency"],
        seed=plan["seed"],
        history=plan["history"],
        temperature=plan["temperature"],
        max_tokens=plan["max_tokens"],
        tag=tuple(plan["tags"]),
    )
    suites = tuple(plan["suites"])
    if now.suites and now.suites != suites:
        raise UsageError(f"the run was begun with {' '.join(suites)}, not {' '.join(now.suites)}: begin a new run")
    endpoint = _endpoint(stored.manifest.options, now.endpoint)
    _refuse_changes((endpoint, wanted), (now.endpoint, now.plan))
    if was_typed("concurrency"):
        wanted = replace(wanted, concurrency=now.plan.concurrency)
    return Kept(stored), Order(endpoint, wanted, stored.manifest.run, stored.path.parent, suites)


def _refuse_changes(then: tuple[Any, ...], now: tuple[Any, ...]) -> None:
    """Raises UsageError for a typed option that would change what is asked."""
    for name, flag in typed_options().items():
        if name in (*OPERATIONAL, *ELSEWHERE):
            continue
        old, new = (next(getattr(part, name) for part in parts if hasattr(part, name)) for parts in (then, now))
        if old != new:
            raise UsageError(
                f"{flag} cannot change in a run that is gone on with: leave it out, or begin a new run "
                "(time-outs, --retries, --retry-wait, --patience, --concurrency, --no-preflight may change)"
            )


def _endpoint(kept: Any, now: EndpointOptions) -> EndpointOptions:
    """The options of then, with the secrets of now, and how to ask where that is typed now."""
    if kept["api_key"] and not now.api_key:
        raise UsageError("the run was begun with a key: give it again with --api-key or OPENAI_API_KEY")
    missing = set(kept["header"]) - {name for name, _ in now.header}
    if missing:
        raise UsageError(f"the run was begun with headers that no file holds: give --header {min(missing)}=… again")
    values = {item.name: kept[item.name] for item in fields(EndpointOptions) if item.name in kept}
    typed = {name: getattr(now, name) for name in OPERATIONAL if hasattr(now, name) and was_typed(name)}
    return replace(EndpointOptions(**values), api_key=now.api_key, header=now.header, **typed)


@dataclass(frozen=True, slots=True)
class Kept:
    """What a stored run holds of each cell."""

    stored: StoredRun

    def check(self, scenarios: Sequence[Scenario]) -> None:
        """Raises UsageError if a scenario is not what it was when the run was begun."""
        for scenario in scenarios:
            if self.stored.manifest.scenarios.get(scenario.name) != scenario.hash:
                raise UsageError(f"scenario {scenario.name} is not what it was when the run was begun: begin a new run")

    def left(self, cells: Sequence[Cell]) -> tuple[Cell, ...]:
        """The cells that are not over: some turn of theirs was not judged to its end."""
        turns: dict[tuple[str, int], list[StepRecord]] = {}
        for record in last_attempts(self.stored.records):
            turns.setdefault((record.cell, record.turn), []).append(record)
        over = {place for place, steps in turns.items() if is_over(steps)}
        return tuple(
            cell for cell in cells if any((cell.id, n) not in over for n in range(1, len(cell.scenario.turns) + 1))
        )

    def desk_of(self, desk: Desk) -> Callable[[Cell], Desk]:
        """A desk that first hears again what a cell's endpoint said, and then asks it."""

        def taken_up(cell: Cell) -> Desk:
            steps = [record for record in self.stored.records if record.cell == cell.id]
            frames = read_frames(self.stored.path, cell.id)
            recordings = [frames[record.id].recording for record in steps if record.id in frames]
            return replace(desk, transport=ResumingTransport(recordings, desk.transport))

        return taken_up
