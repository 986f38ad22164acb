"""`run --resume`: everything that was asked for is read from the manifest; only secrets, which no file holds, are given
again. How it is asked may be said anew (how long to wait, how many at a time); what is asked may not."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import msgspec

from agenteval.cli.books import Order
from agenteval.cli.endpoint import Endpoint
from agenteval.cli.options import HOW_TO_ASK, EndpointOptions, PlanOptions, typed_options, was_typed
from agenteval.cli.suites import load_scenarios
from agenteval.cli.voice import tell
from agenteval.client import ReplayTransport
from agenteval.errors import UsageError
from agenteval.masked import MASK, alike, holds_mask
from agenteval.outcome import StepRecord
from agenteval.run import Cell, Desk
from agenteval.script import Scenario
from agenteval.store import Manifest, RunLock, StoredRun, find_run, load_run, read_frames
from agenteval.summary.rows import is_over, last_attempts

SAME = ("model", "dialect", "family", "context_window", "simulated", "recording")
"""What an endpoint must still be for a run to go on with it."""

NEEDED = {
    "plan": (
        *("thinking", "policies", "trials", "concurrency", "seed", "history", "temperature", "max_tokens"),
        *("tags", "suites", "isolate"),
    ),
    "options": tuple(item.name for item in fields(EndpointOptions)),
    "endpoint": ("model", "dialect", "family", "context_window", "simulated"),
    "cells": ("turns",),
}
"""What a manifest must say for its run to be played again, by part."""


OPERATIONAL = (*HOW_TO_ASK, "concurrency")
"""Options that change nothing of what is asked: the typed ones are taken."""

ELSEWHERE = ("api_key", "header", "resume", "out", "as_json", "allow_code")
"""Options that are read anew each time."""


def stored_order(reference: str, now: Order) -> tuple[Kept, Order]:
    """The run to go on with, locked, and what was asked for. Raises UsageError if it cannot be gone on with, or if
    something else is asked for `now`."""
    path = find_run(reference, now.out)
    lock = RunLock.take(path)
    stored = load_run(path)
    manifest = stored.manifest
    check_manifest(manifest)
    if manifest.status == "complete" and not (manifest.cells.get("lost") or manifest.cells.get("stopped")):
        raise UsageError(f"run {manifest.run} is complete: `agenteval report {manifest.run}` shows it")
    plan = manifest.plan
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
        isolate=plan["isolate"],
        allow_code=now.plan.allow_code,
    )
    suites = tuple(plan["suites"])
    if now.suites and now.suites != suites:
        raise UsageError(f"the run was begun with {' '.join(suites)}, not {' '.join(now.suites)}: begin a new run")
    endpoint = _endpoint(manifest.options, now.endpoint)
    _refuse_changes((endpoint, wanted), (now.endpoint, now.plan))
    if was_typed("concurrency"):
        wanted = replace(wanted, concurrency=now.plan.concurrency)
    return Kept(stored, lock), Order(endpoint, wanted, manifest.run, path.parent, suites)


def _refuse_changes(then: tuple[Any, ...], now: tuple[Any, ...]) -> None:
    """Raises UsageError for a typed option that would change what is asked."""
    for name, flag in typed_options().items():
        if name in (*OPERATIONAL, *ELSEWHERE):
            continue
        old, new = (next(getattr(part, name) for part in parts if hasattr(part, name)) for parts in (then, now))
        if old != new:
            raise UsageError(
                f"{flag} cannot change in a run that is gone on with: leave it out, or begin a new run "
                "(time-outs, --retries, --retry-wait, --patience, --concurrency, --no-preflight, --insecure may change)"
            )


def _endpoint(kept: Mapping[str, Any], now: EndpointOptions) -> EndpointOptions:
    """The options of then, with the secrets of now, and how to ask where that is typed now."""
    if kept["api_key"] and not now.api_key:
        raise UsageError("the run was begun with a key: give it again with --api-key or OPENAI_API_KEY")
    missing = set(kept["header"]) - {name for name, _ in now.header}
    if missing:
        raise UsageError(f"the run was begun with headers that no file holds: give --header {min(missing)}=… again")
    secret = MASK in json.dumps(kept["extra_body"])
    if secret and not alike(kept["extra_body"], now.extra_body):
        raise UsageError(
            "the run was begun with a secret in --extra-body, which no file holds: give it again, whole and as it was"
        )
    values = {item.name: kept[item.name] for item in fields(EndpointOptions)}
    typed = {name: getattr(now, name) for name in OPERATIONAL if hasattr(now, name) and was_typed(name)}
    body = now.extra_body if secret else kept["extra_body"]
    return replace(EndpointOptions(**values), api_key=now.api_key, header=now.header, extra_body=body, **typed)


def check_manifest(manifest: Manifest) -> None:
    """Raises UsageError for a manifest that does not say all that is needed to play the run again."""
    for part, keys in NEEDED.items():
        if missing := [key for key in keys if key not in getattr(manifest, part)]:
            raise UsageError(
                f"the manifest of run {manifest.run} does not say {part}.{missing[0]}: another version of agenteval "
                "wrote it; begin a new run"
            )


def check_scenarios(manifest: Manifest, scenarios: Sequence[Scenario]) -> None:
    """Raises UsageError if a scenario is not what it was when the run was begun."""
    for scenario in scenarios:
        if manifest.scenarios.get(scenario.name) != scenario.hash:
            raise UsageError(f"scenario {scenario.name} is not what it was when the run was begun: begin a new run")


def recorded_scenarios(manifest: Manifest) -> tuple[Scenario, ...]:
    """The scenarios of a run, read again from its suites. Raises UsageError if they are not what they were."""
    check_manifest(manifest)
    scenarios = load_scenarios(manifest.plan["suites"], manifest.plan["tags"])
    check_scenarios(manifest, scenarios)
    return scenarios


@dataclass(frozen=True, slots=True)
class Kept:
    """What a stored run holds of each cell, and the lock on it."""

    stored: StoredRun
    lock: RunLock

    def check_endpoint(self, endpoint: Endpoint) -> None:
        """Raises UsageError if another model would go on, or one that is spoken to in another way."""
        then, now = self.stored.manifest.endpoint, endpoint.facts
        for fact in SAME:
            if then.get(fact) != now.get(fact):
                raise UsageError(
                    f"the run was begun with {fact} {then.get(fact)}, and the endpoint now has {now.get(fact)}: start "
                    "the server as it was, or begin a new run"
                )
        if then.get("server_version") != now.get("server_version"):
            tell(f"Note: the server's version was {then.get('server_version')} and is {now.get('server_version')} now.")

    def left(self, cells: Sequence[Cell]) -> tuple[Cell, ...]:
        """The cells that are not over: some turn of theirs was not judged to its end, or a probe may be due."""
        over = self.turns_over()
        probed = {record.cell for record in self.stored.records if record.purpose == "probe"}

        def is_left(cell: Cell) -> bool:
            unprobed = cell.thinking == "preserved" and cell.id not in probed
            return unprobed or any((cell.id, n) not in over for n in range(1, len(cell.scenario.turns) + 1))

        return tuple(cell for cell in cells if is_left(cell))

    def turns_over(self) -> frozenset[tuple[str, int]]:
        """Cell and number of each turn that was judged to its end."""
        turns: dict[tuple[str, int], list[StepRecord]] = {}
        for record in last_attempts(self.stored.records):
            turns.setdefault((record.cell, record.turn), []).append(record)
        return frozenset(place for place, steps in turns.items() if is_over(steps))

    def repeats_a_secret(self, cells: Collection[str]) -> bool:
        """Whether a reply in one of these conversations held what is masked."""
        replies = (record.reply for record in self.stored.records if record.cell in cells)
        return any(holds_mask(msgspec.to_builtins(reply)) for reply in replies)

    def desk_of(self, desk: Desk) -> Callable[[Cell], Desk]:
        """A desk that first hears again what a cell's endpoint said, and then asks it. That all of it can be heard, the
        folder has seen when it was opened again."""
        records: dict[str, list[StepRecord]] = {}
        for record in self.stored.records:
            records.setdefault(record.cell, []).append(record)

        def taken_up(cell: Cell) -> Desk:
            steps = records.get(cell.id, [])
            frames = read_frames(self.stored.path, cell.id)
            told = [(frames[record.id].request, frames[record.id].recording) for record in steps]
            return replace(desk, transport=ReplayTransport(cell.id, told, desk.transport))

        return taken_up
