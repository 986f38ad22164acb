"""Plays rows of the matrix: through the client alone, and through the whole command, both over a socket."""

from __future__ import annotations

import asyncio
import io
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from agenteval.cli import main
from agenteval.client import Attempt, HttpTransport, chat
from agenteval.outcome import StepRecord
from agenteval.store import load_run
from tests.faults.matrix import OK, RETRIES, Row
from tests.faults.server import Answer, nobody_accepting, nobody_listening, serving

TINY = Path(__file__).parent / "tiny.yaml"

BODY = {"model": "tiny-model", "messages": [{"role": "user", "content": "What is six times seven?"}], "stream": True}

RUN = ("--thinking", "off", "--retries", str(RETRIES), "--retry-wait", "0.001", "--patience", "0")


@dataclass(frozen=True)
class Played:
    """What a command said and left behind."""

    exit: int
    stdout: str
    stderr: str
    run: Path | None
    records: tuple[StepRecord, ...]

    @property
    def said(self) -> str:
        """All that a person reads, without the line breaks of a terminal."""
        return " ".join(f"{self.stderr} {self.stdout}".split())


@contextmanager
def endpoint(row: Row, script: Callable[[int], Answer] | None = None, small: Answer | None = None) -> Iterator[str]:
    """The base URL of the place where a row plays; `script`: other answers than always the row's; `small`: one for
    small questions."""
    if row.place == "unknown name":
        yield "http://no-such-host.invalid/v1"
    elif row.place in ("not listening", "not accepting"):
        with nobody_listening() if row.place == "not listening" else nobody_accepting() as port:
            yield f"http://127.0.0.1:{port}/v1"
    else:
        scheme = "http" if row.place in ("served", "vanishes") else "https"
        tls, vanishes = row.place == "self-signed", row.place == "vanishes"
        with serving(script or (lambda _: row.answer), small=small, tls=tls, vanishes=vanishes) as server:
            yield f"{scheme}://127.0.0.1:{server.port}/v1"


def ask(row: Row) -> Attempt:
    """One request of the client alone."""

    async def once(url: str) -> Attempt:
        transport = HttpTransport(url)
        try:
            return await chat(transport, BODY, limits=row.limits)
        finally:
            await transport.aclose()

    with endpoint(row) as url:
        return asyncio.run(once(url))


def time_outs(row: Row) -> tuple[str, ...]:
    """A row's limits as options."""
    limits = row.limits
    named = (
        ("--timeout", limits.first_frame_s),
        ("--timeout-connect", limits.connect_s),
        ("--timeout-between", limits.between_s),
        ("--timeout-total", limits.total_s),
    )
    return tuple(text for name, seconds in named for text in (name, str(seconds)))


def command(*arguments: str, out: Path) -> Played:
    """The whole program in this process, as if it had been called from a shell."""
    stdout, stderr = io.StringIO(), io.StringIO()
    heeded = signal.getsignal(signal.SIGTERM)
    code: object = 0
    try:
        with redirect_stdout(stdout), redirect_stderr(stderr):
            main([*arguments, "--out", str(out)])
    except SystemExit as ended:
        code = ended.code
    finally:
        signal.signal(signal.SIGTERM, heeded)
    run = max(out.glob("*/run.json"), key=lambda path: path.parent.name, default=None)
    records = load_run(run.parent).records if run else ()
    assert isinstance(code, int)
    return Played(code, stdout.getvalue(), stderr.getvalue(), run and run.parent, records)


def take_off(row: Row, out: Path, script: Callable[[int], Answer] | None = None) -> Played:
    """A run whose fault hits the very first request."""
    with endpoint(row, script) as url:
        return _run(row, url, out)


def fly(row: Row, out: Path, script: Callable[[int], Answer] | None = None) -> Played:
    """A run whose fault hits its conversation; a small question is answered all the same."""
    with endpoint(row, script, OK) as url:
        return _run(row, url, out, "--no-preflight")


def _run(row: Row, url: str, out: Path, *options: str) -> Played:
    return command("run", str(TINY), "--base-url", url, *RUN, *time_outs(row), *options, out=out)
