"""Score a run again from its recording: every conversation is played again with what the endpoint said then, by the
code and the policies of now, and each verdict is set beside the one in the journal.

A request that is no longer the one that was recorded has no recorded answer: from there on the conversation goes
another way, and its steps count as changed. A secret that was masked in a request may be any text. Not covered:
findings that fail no step, and how a finding is worded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import msgspec

from agenteval.client import RecordingOverError, ReplayTransport
from agenteval.clock import run_virtual
from agenteval.context import Budget, Policy, build_policy
from agenteval.dialects import DIALECTS
from agenteval.errors import DivergedError
from agenteval.masked import alike, holds_mask
from agenteval.outcome import StepRecord
from agenteval.run import Accountant, Cell, Desk, Plan, expand, run_cell
from agenteval.script import Scenario
from agenteval.store import Manifest, StoredRun, StoredStep, read_frames
from agenteval.store.frames import frames_path

NOT_ASKED = "not asked any more"
MASKED = "the reply held a secret, and is judged with asterisks in its place"

Verdict: TypeAlias = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A step whose verdict is another one now; in words."""

    step: str
    then: str
    now: str


@dataclass(frozen=True, slots=True)
class Rescored:
    """`steps` of `cells` were scored again; `missing`: ids of those whose replies were not kept, or cannot
    be read: then `damaged` are the files of frames that are there, but torn, or another conversation's."""

    steps: int
    cells: int
    changes: tuple[Change, ...]
    missing: tuple[str, ...]
    damaged: tuple[Path, ...] = ()


def rescore(
    stored: StoredRun, scenarios: Sequence[Scenario], policy: Callable[[str], Policy] = build_policy
) -> Rescored:
    """Play all recorded conversations of a run again. `scenarios` are those of its suites, as they were then;
    `policy` makes policies of texts: the user's own code, too, where it may."""
    plan = plan_of(stored.manifest, scenarios)
    desk = _desk(stored.manifest, plan, policy)
    changes: list[Change] = []
    missing: list[str] = []
    damaged: list[Path] = []
    cells = 0
    for cell in expand(plan):
        then = [record for record in stored.records if record.cell == cell.id]
        path = frames_path(stored.path, cell.id)
        frames = read_frames(stored.path, cell.id)
        kept = next((place for place, record in enumerate(then) if record.id not in frames), len(then))
        missing += [record.id for record in then[kept:]]
        damaged += [path] if kept < len(then) and path.exists() else []
        again = _Again(cell, then[:kept], frames)
        changes += again.play(desk)
        cells += bool(then)
    return Rescored(len(stored.records) - len(missing), cells, tuple(changes), tuple(missing), tuple(damaged))


def plan_of(manifest: Manifest, scenarios: Sequence[Scenario]) -> Plan:
    """The plan of a run as it was."""
    plan = manifest.plan
    return Plan(
        scenarios=tuple(scenarios),
        thinking=tuple(plan["thinking"]),
        policies=tuple(plan["policies"]),
        trials=plan["trials"],
        seed=plan["seed"],
        history=plan["history"],
        temperature=plan["temperature"],
        max_tokens=plan["max_tokens"],
    )


def _desk(manifest: Manifest, plan: Plan, policy: Callable[[str], Policy]) -> Desk:
    """A desk at which nobody has been told anything yet."""
    endpoint, options = manifest.endpoint, manifest.options
    dialect = DIALECTS[endpoint["dialect"]]
    return Desk(
        run=manifest.run,
        plan=plan,
        transport=ReplayTransport("nobody", ()),
        dialect=dialect,
        model=endpoint["model"],
        accountant=Accountant(endpoint["family"]),
        journal=lambda *_: None,
        simulated=bool(endpoint["simulated"]),
        thinking_switched=dialect.switches(endpoint["family"]),
        extra=options["extra_body"],
        stream=options["stream"],
        family=endpoint["family"],
        budget=Budget(endpoint["context_window"]),
        policy=policy,
    )


class _Again:
    """One conversation, and what was journalled of it."""

    def __init__(self, cell: Cell, then: Sequence[StepRecord], frames: dict[str, StoredStep]) -> None:
        self._cell = cell
        self._then = then
        self._told = [(frames[record.id].request, frames[record.id].recording) for record in then]
        self._masked = {record.id for record in then if holds_mask(msgspec.to_builtins(record.reply))}
        self._now: dict[str, StepRecord] = {}

    def play(self, desk: Desk) -> list[Change]:
        """What has changed. Where the recording ends, the conversation may go on or not: nobody can tell."""
        if not self._then:
            return []
        transport = ReplayTransport(self._cell.id, self._told)
        ending = self._ending(replace(desk, transport=transport, journal=self._keep))
        return [change for record in self._then if (change := self._change(record, ending))]

    def _ending(self, desk: Desk) -> str:
        """Why the conversation was not played to its end, or that it was."""
        try:
            run_virtual(run_cell(self._cell, desk))
        except DivergedError as error:
            return f"goes another way ({error})"
        except RecordingOverError:
            pass  # the run ended here, or a turn would go on now; then the verdict on its last step has changed
        return NOT_ASKED

    def _keep(self, record: StepRecord, _: object) -> None:
        self._now[record.id] = record

    def _change(self, then: StepRecord, ending: str) -> Change | None:
        now = self._now.get(then.id)
        if now is None:
            return Change(then.id, said(then), ending)
        if alike(verdict(then), verdict(now)):
            return None
        masked = f" ({MASKED})" if then.id in self._masked else ""
        return Change(then.id, said(then), said(now) + masked)


def verdict(record: StepRecord) -> Verdict:
    """What must be the same for two records to say the same of the model."""
    failures = tuple((finding.kind, finding.path) for finding in record.findings if not finding.harmless)
    return record.judged, record.ok, record.last_of_turn, failures, record.error and record.error.kind


def said(record: StepRecord) -> str:
    """A verdict in words."""
    if record.error is not None:
        return f"not judged ({record.error.kind})"
    if not record.judged:
        return record.purpose
    failures = dict.fromkeys(finding.kind for finding in record.findings if not finding.harmless)
    ends = ", ends the turn" if record.last_of_turn else ""
    return ("ok" if record.ok else f"FAIL {', '.join(failures)}") + ends
