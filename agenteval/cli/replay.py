"""`agenteval replay`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import click

from agenteval.cli.options import OUT
from agenteval.cli.own import policies
from agenteval.cli.resume import recorded_scenarios
from agenteval.cli.voice import tell
from agenteval.clock import RealClock
from agenteval.errors import UsageError
from agenteval.replay import Rescored, rescore
from agenteval.store import StoredRun, find_run, load_run
from agenteval.visible import visible

HOST = "127.0.0.1"
SHOWN = 40
"""So many changed steps are listed."""


@click.command(name="replay")
@click.argument("run", default="latest")
@OUT
@click.option("--score", "scoring", is_flag=True, help="Judge every recorded reply again, and compare the verdicts.")
@click.option("--allow-code", is_flag=True, help="With --score: let a policy module:function run your own code.")
@click.option("--serve", "serving", is_flag=True, help="Serve the recording as an endpoint on loopback.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="With --serve.")
@click.option(
    "--timing",
    type=click.Choice(["real", "none"]),
    default="real",
    show_default=True,
    help="With --serve: replies take the time that they took, or none.",
)
@click.option("--max-seconds", type=click.FloatRange(min=0), help="With --serve: stop by itself after so long.")
def command(run: str, out: Path, scoring: bool, serving: bool, allow_code: bool, **served: Any) -> int:
    """Use the recording of RUN (its id, its folder, or `latest`) without its endpoint: --score or --serve.

    Nothing is written. Exit code of --score: 0 all verdicts are what they were, 1 some are not, 2 a mistake in options
    or a suite that has changed, 3 some replies were not kept, or cannot be
    read.
    """
    if scoring == serving:
        raise UsageError("say what to do with the recording: --score or --serve")
    stored = load_run(find_run(run, out))
    if not stored.records:
        raise UsageError(f"run {stored.manifest.run} holds no step yet")
    if scoring:
        return _score(stored, allow_code)
    return _serve(stored, **served)


def _score(stored: StoredRun, allow_code: bool) -> int:
    found = rescore(stored, recorded_scenarios(stored.manifest), policies(allow_code=allow_code))
    click.echo(visible(_told(found)))
    if found.missing:
        return 3
    return 1 if found.changes else 0


def _told(found: Rescored) -> str:
    """What came of scoring, one line per changed step."""
    scored = f"{found.steps} steps of {found.cells} conversations were scored again"
    result = f"{len(found.changes)} verdicts changed:" if found.changes else "every verdict is what it was."
    lines = [f"{scored}: {result}"]
    lines += [f"- {change.step}: {change.then} → {change.now}" for change in found.changes[:SHOWN]]
    if more := len(found.changes) - SHOWN:
        lines += [f"- and {more} more"] if more > 0 else []
    if found.missing:
        lost = f"{len(found.missing)} steps from {found.missing[0]} on."
        lines.append(f"Not scored, because their replies were not kept or cannot be read: {lost}")
    lines += [f"Damaged: {path} is torn, or holds the frames of something else." for path in found.damaged[:SHOWN]]
    return "\n".join(lines)


def _serve(stored: StoredRun, *, port: int, timing: str, max_seconds: float | None) -> int:
    from agenteval.replay.endpoint import ReplayEndpoint, archive_of
    from agenteval.server.listen import serve

    archive = archive_of(stored)
    if not archive.replies:
        raise UsageError(f"run {stored.manifest.run} has kept no replies in {stored.path / 'frames'}")
    left = len(stored.records) - archive.replies
    if left:
        tell(f"Note: the requests or replies of {left} steps were not kept; they cannot be served.")
    endpoint = ReplayEndpoint(stored.manifest, archive, RealClock() if timing == "real" else None)

    def ready(bound: int) -> None:
        what = f"{archive.replies} recorded replies of run {stored.manifest.run} (timing {timing})"
        tell(f"Serving {what} on http://{HOST}:{bound}/v1 — Ctrl-C stops it.")

    asyncio.run(serve(endpoint.answer, HOST, port, ready=ready, max_seconds=max_seconds))
    return 0
