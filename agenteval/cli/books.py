"""The books of one run: its folder, manifest, records and progress, from the first line to the report."""

from __future__ import annotations

import platform
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from agenteval import __version__
from agenteval.canonical import short_hash
from agenteval.cli.endpoint import Endpoint, isolation
from agenteval.cli.options import HOW_TO_ASK, EndpointOptions, PlanOptions
from agenteval.cli.progress import Progress
from agenteval.cli.voice import tell
from agenteval.clock import RealClock, wall_stamp
from agenteval.errors import DivergedError, StorageError
from agenteval.outcome import StepRecord
from agenteval.report import render_markdown
from agenteval.report.machine import summary_values
from agenteval.run import LAG_BOUND_MS, SEND_BOUND_MS, BatchEnd, Cell, LoopWatch, Plan
from agenteval.store import DISK, Disk, Manifest, RunFolder, RunLock, Secrets, StoredRun, free_folder
from agenteval.summary import Summary, how_to_go_on, protocol, summarise
from agenteval.tools import beginning
from agenteval.wire import Recording

LOSSES_TOLD = 5
"""So many lost cells are named one by one."""


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for, before the endpoint was asked anything."""

    endpoint: EndpointOptions
    plan: PlanOptions
    title: str
    out: Path
    suites: tuple[str, ...] = ()
    disk: Disk = DISK


class Books:
    """Opened when the plan stands; `journal` takes every record; `close` writes what reports show, at the latest when
    the `with` block is left, unless the disk has failed or the run may not go on: then what is there stays as it is.
    `watch` has seen how the client itself did; None in virtual time."""

    def __init__(self, folder: RunFolder, manifest: Manifest, secrets: Secrets, watch: LoopWatch | None) -> None:
        self.summary: Summary | None = None
        self.small_questions = 0  # that were asked in doubt; they stand in no journal
        self.manifest = manifest
        self._folder = folder
        self._watch = watch
        self._secrets = secrets
        self._records: list[StepRecord] = []
        self._known: dict[str, StepRecord] = {}
        self._progress = Progress(sum(manifest.cells["turns"].values()), secrets, RealClock() if watch else None)

    @classmethod
    def begin(
        cls, order: Order, endpoint: Endpoint, plan: Plan, cells: Sequence[Cell], watch: LoopWatch | None
    ) -> Books:
        """A new run."""
        created = wall_stamp()
        path = free_folder(order.out, f"{_compact(created)}-{order.title}", order.disk)
        manifest = Manifest(
            run=path.name,
            status="running",
            created_at=created,
            plan=_plan_facts(plan, order, cells, endpoint),
            options=_public_options(order.endpoint),
            endpoint=endpoint.facts,
            scenarios={scenario.name: scenario.hash for scenario in plan.scenarios},
            versions=_versions(),
            cells={"turns": {cell.id: len(cell.scenario.turns) for cell in cells}, **_beginnings(plan)},
        )
        secrets = order.endpoint.secrets
        return cls(RunFolder.create(path, manifest, secrets, order.disk), manifest, secrets, watch)

    @classmethod
    def go_on(
        cls, stored: StoredRun, left: Collection[str], lock: RunLock, order: Order, watch: LoopWatch | None
    ) -> Books:
        """A run that was begun before; what it holds is not written again. `left`: see `RunFolder.reopen`."""
        secrets = order.endpoint.secrets
        manifest = _gone_on(stored.manifest, order)
        books = cls(RunFolder.reopen(stored, left, lock, secrets, order.disk), manifest, secrets, watch)
        books._records = list(stored.records)
        books._known = {record.id: record for record in stored.records}
        for record in stored.records:
            books._progress.count(record)
        books._folder.write_manifest(books.manifest)
        return books

    def __enter__(self) -> Books:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, StorageError | DivergedError):
            self._folder.close()
        elif self.summary is None:
            self.close(None)

    def tell(self, text: str) -> None:
        """Say something on stderr, without secrets."""
        tell(self._secrets.text(text))

    def journal(self, record: StepRecord, recording: Recording | None) -> None:
        """Keep one finished request, unless it is one that was heard again. Raises DivergedError if that is not what
        was journalled then."""
        if (known := self._known.get(record.id)) is not None:
            _check_same(known, record)
            return
        self._folder.append(record, recording)
        self._records.append(record)
        self._progress.see(record)

    def close(self, end: BatchEnd | None) -> Summary:
        """Write summary, report and the finished manifest; `end` None: the run did not come to its end."""
        manifest = replace(
            self.manifest,
            status="complete" if end else "interrupted",
            finished_at=wall_stamp(),
            client=_client_facts(self._watch, self._records, self.manifest.client, self.small_questions),
            cells={**self.manifest.cells, **_end_facts(end)},
        )
        summary = summarise(manifest, self._records)
        self._folder.write_summary(summary_values(summary))
        self._folder.write_report("report.md", render_markdown(summary))
        self._folder.write_manifest(manifest)
        self._folder.close()
        _tell_losses(end, self._secrets)
        tell(f"Run kept in {self._folder.path} (report.md, steps.jsonl, frames/).")
        if end is None or end.stopped or any(item.lost for item in end.ends):
            tell(how_to_go_on(str(self._folder.path), manifest))
        self.summary = summary
        return summary


def _tell_losses(end: BatchEnd | None, secrets: Secrets) -> None:
    """Say on stderr why the run was stopped; or, if it was not, which cells were lost."""
    if end is not None and end.stopped:
        tell(secrets.text(f"Stopped: {end.stopped}"))
        return
    lost = [item for item in (end.ends if end else ()) if item.lost]
    for item in lost[:LOSSES_TOLD]:
        tell(secrets.text(f"Lost: {item.cell.id}: {str(item.lost).rstrip('.')}."))
    if len(lost) > LOSSES_TOLD:
        tell(f"Lost: {len(lost) - LOSSES_TOLD} more; run.json names them all.")


def _end_facts(end: BatchEnd | None) -> dict[str, Any]:
    if end is None:
        return {}
    lost = {item.cell.id: item.lost for item in end.ends if item.lost}
    return {"ended": len(end.ends), "lost": lost, "stopped": end.stopped}


def _client_facts(
    watch: LoopWatch | None, records: Sequence[StepRecord], then: Mapping[str, Any], small: int
) -> Mapping[str, Any]:
    """What the client saw of itself; nothing in virtual time, where it cannot be late.

    Requests are counted over all parts of a run, and so are small questions (`small`: of this part). Of the loop, that
    part stands in which it was later, `then` or now; where a part was killed, nobody knows.
    """
    if watch is None:
        return {}
    report = watch.report([(record.transfer, (record.timing and record.timing.chunks) or 0) for record in records])
    loop = ("samples", "loop_lag_p50_ms", "loop_lag_p99_ms", "loop_lag_max_ms")
    if (then.get("loop_lag_p99_ms") or 0.0) > (report.loop_lag_p99_ms or 0.0):
        report = replace(report, **{name: then[name] for name in loop})
    bounds = {"bound_p99_ms": LAG_BOUND_MS, "send_bound_p99_ms": SEND_BOUND_MS}
    return {
        **asdict(report),
        "valid": report.valid,
        **bounds,
        "small_questions": then.get("small_questions", 0) + small,
    }


def _check_same(then: StepRecord, now: StepRecord) -> None:
    """A conversation that is played again must go as it went: a simulated one because it is deterministic."""
    if (then.view_hash, then.simulated and then.reply) != (now.view_hash, now.simulated and now.reply):
        raise DivergedError(
            f"{now.id} does not go as it went when the run was begun; agenteval has changed since: begin a new run"
        )


def _compact(stamp: str) -> str:
    """2026-01-31T12:00:00.000Z → 20260131-120000."""
    return stamp[:19].replace("-", "").replace(":", "").replace("T", "-")


def _plan_facts(plan: Plan, order: Order, cells: Sequence[Cell], endpoint: Endpoint) -> dict[str, Any]:
    isolated = isolation(order.plan, endpoint) if order.endpoint.base_url else "own"
    return {
        "thinking": plan.thinking,
        "policies": plan.policies,
        "trials": plan.trials,
        "seed": plan.seed,
        "history": plan.history,
        "temperature": plan.temperature,
        "max_tokens": plan.max_tokens,
        "concurrency": order.plan.concurrency,
        "tags": order.plan.tag,
        "suites": order.suites,
        "isolate": order.plan.isolate,
        "comparison": protocol(plan.policies, isolated),
        "order": short_hash([cell.id for cell in cells]),
    }


def _beginnings(plan: Plan) -> dict[str, Any]:
    """By scenario how many messages of history its conversations begin with; nothing where none has any."""
    begins = {item.name: len(beginning(item)) - 1 for item in plan.scenarios if item.history}
    return {"begins": begins} if begins else {}


def _gone_on(manifest: Manifest, order: Order) -> Manifest:
    """The manifest of a run that is taken up, with how it is asked from now on."""
    now = {**{name: getattr(order.endpoint, name) for name in HOW_TO_ASK}, "concurrency": order.plan.concurrency}
    then = {**manifest.options, "concurrency": manifest.plan["concurrency"]}
    changes = {name: (then.get(name), value) for name, value in now.items() if then.get(name) != value}
    return replace(
        manifest,
        status="running",
        resumed=manifest.resumed + 1,
        changes=(*manifest.changes, changes) if changes else manifest.changes,
        plan={**manifest.plan, "concurrency": now.pop("concurrency")},
        options={**manifest.options, **now},
    )


def _public_options(options: EndpointOptions) -> dict[str, Any]:
    """The options without the key, headers by name only."""
    public = asdict(options)
    public["api_key"] = "given" if options.api_key else None
    public["header"] = [name for name, _ in options.header]
    return public


def _versions() -> dict[str, str]:
    return {"agenteval": __version__, "python": platform.python_version(), "machine": platform.machine()}
