"""`agenteval serve`."""

from __future__ import annotations

import asyncio

import click

from agenteval.cli.voice import tell
from agenteval.errors import UsageError
from agenteval.scenario import ALL, expanded, load_suite
from agenteval.simulator import PROFILES
from agenteval.simulator.serve import serve


@click.command(name="serve")
@click.argument("suites", nargs=-1, metavar="[SUITE]...")
@click.option(
    "--profile",
    default="glm47-4x-spark",
    show_default=True,
    help=f"Which deployment to imitate: {', '.join(PROFILES)}.",
)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True)
@click.option(
    "--speed",
    type=click.FloatRange(min=0.01),
    default=1.0,
    show_default=True,
    help="2: twice as fast as the profile.",
)
@click.option("--max-seconds", type=click.FloatRange(min=0), help="Stop by itself after so long.")
def command(
    suites: tuple[str, ...], profile: str, host: str, port: int, speed: float, max_seconds: float | None
) -> int:
    """Serve the embedded endpoint over HTTP, in real time, for any client. It knows the scenarios of SUITE (default:
    all bundled ones) and gives a marked answer to everything else."""
    if profile not in PROFILES:
        raise UsageError(f"no profile is called {profile!r}; there are: {', '.join(PROFILES)}")
    scenarios = tuple(item for name in expanded(suites or (ALL,)) for item in load_suite(name).scenarios)

    def ready(bound_port: int) -> None:
        tell(f"Serving {profile} (simulated) on http://{host}:{bound_port}/v1 — Ctrl-C stops it.")

    asyncio.run(serve(PROFILES[profile], scenarios, host, port, ready=ready, max_seconds=max_seconds, speed=speed))
    return 0
