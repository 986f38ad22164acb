"""The command line: the only room that prints, reads arguments or environment, or exits.

Data goes to stdout, progress and messages to stderr. Exit codes: 0 all gates met, 1 a gate was missed, 2 the user's
mistake, 3 infrastructure (the disk, too) or not enough evidence, 130 interrupted. Commands are loaded when they are
called, so that `--help` costs nothing.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from agenteval import __version__
from agenteval.cli.lazy import LazyGroup
from agenteval.cli.voice import tell, whole
from agenteval.errors import EndpointError, StorageError, UsageError

if TYPE_CHECKING:
    from agenteval.store import Disk

EXIT_OK, EXIT_GATE, EXIT_USAGE, EXIT_INFRASTRUCTURE, EXIT_INTERRUPTED = 0, 1, 2, 3, 130

COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("agenteval.cli.run", "Run scenario suites against an endpoint (none given: the built-in one)."),
    "report": ("agenteval.cli.report", "Show a run again."),
    "compare": ("agenteval.cli.compare", "Compare two runs cell by cell; gates the exit code."),
    "parsers": ("agenteval.cli.parsers", "Regression-check tool-call and reasoning parsers of any engine."),
    "replay": ("agenteval.cli.replay", "Score a recorded run again, or serve it as an endpoint."),
    "selftest": ("agenteval.cli.selftest", "Measure this client's own timing errors on this machine."),
    "serve": ("agenteval.cli.serve", "Serve the built-in endpoint over HTTP."),
    "scenario": ("agenteval.cli.scenario", "Write, list, check and show scenarios."),
    "policies": ("agenteval.cli.policies", "List context policies and their knobs."),
}
"""Command → module that defines it (as `command`), and its one-line help."""


@click.group(cls=LazyGroup, table=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="agenteval")
def app() -> None:
    """Find out why tool-calling agents break on your own server.

    agenteval plays scripted multi-turn conversations with mock tools against an OpenAI-compatible endpoint, checks
    every tool call, and times the same calls. Start with: agenteval run
    """


def main(arguments: Sequence[str] | None = None, disk: Disk | None = None) -> None:
    """Entry point: user's mistakes become a sentence and exit code 2, infrastructure 3, bugs a traceback.

    A polite kill (SIGTERM) is an interruption like Ctrl-C: what is done is kept, and the books are closed. `disk`: how
    runs are written, where it is not as usual.
    """
    signal.signal(signal.SIGTERM, _terminated)
    sys.stdout = whole(sys.stdout)
    try:
        code = app.main(arguments, standalone_mode=False, obj=disk)
        sys.exit(code if isinstance(code, int) else EXIT_OK)
    except click.exceptions.Abort:
        sys.exit(EXIT_INTERRUPTED)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(EXIT_USAGE)
    except UsageError as error:
        tell(f"Error: {error}")
        sys.exit(EXIT_USAGE)
    except (EndpointError, StorageError) as error:
        tell(f"Error: {error}")
        sys.exit(EXIT_INFRASTRUCTURE)


def _terminated(*_: object) -> None:
    """As if Ctrl-C had been pressed, also in a background job, which ignores that key."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.raise_signal(signal.SIGINT)
