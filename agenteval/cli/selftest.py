"""`agenteval selftest`."""

from __future__ import annotations

from dataclasses import replace

import click

from agenteval.cli.loop import loop_run
from agenteval.cli.voice import tell
from agenteval.errors import UsageError
from agenteval.report.selftest import render_selftest, selftest_json
from agenteval.selftest import QUICK, Plan, selftest

MAX_STREAMS = 1000


@click.command(name="selftest")
@click.option("--streams", metavar="N,…", help="How many streams at once, one after another.  [default: 1,32,128,512]")
@click.option("--seconds", type=click.FloatRange(0.05, 60), help="How long each measurement lasts.  [default: 2]")
@click.option("--quick", is_flag=True, help="Up to 128 streams and half a second each, unless told otherwise.")
@click.option("--real-time", is_flag=True, help="Ask for real-time priority, so that other work does not disturb.")
@click.option("--json", "as_json", is_flag=True, help="Everything as JSON on stdout, nothing else there.")
def command(streams: str | None, seconds: float | None, quick: bool, real_time: bool, as_json: bool) -> int:
    """How exact this client is on this machine: its own errors against a built-in server that knows when it sent what.

    It takes about two minutes (--quick: 20 s) and wants an idle machine. Exit code: 0 all bars met, 1 a bar was
    missed, 3 the machine was too busy to say.
    """
    plan = QUICK if quick else Plan()
    plan = replace(plan, real_time=real_time, seconds=plan.seconds if seconds is None else seconds)
    if streams is not None:
        plan = replace(plan, streams=_numbers(streams))
    result = loop_run(selftest(plan, tell))
    click.echo(selftest_json(result) if as_json else render_selftest(result), nl=False)
    if result.met:
        return 0
    return 3 if result.noisy else 1


def _numbers(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and 1 <= int(part) <= MAX_STREAMS for part in parts):
        raise UsageError(f"--streams takes numbers from 1 to {MAX_STREAMS:,} with commas between them, not {text!r}")
    return tuple(int(part) for part in parts)
