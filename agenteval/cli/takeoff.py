"""Before a run over HTTP: the preflight in words, and how long the run may take."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from agenteval.cli.voice import tell
from agenteval.run import Cell, Preflight
from agenteval.script import Expectation


def tell_preflight(
    found: Preflight, cells: Sequence[Cell], concurrency: int, over: Collection[tuple[str, int]] = ()
) -> None:
    """Say what is missing, then the estimate; `over`: cell and number of turns that are not asked any more."""
    for sentence in found.missing:
        tell(f"Preflight: {sentence}.")
    if not found.missing:
        streams = "streams, " if found.streamed else ""
        tell(f"Preflight: reaches, {streams}calls a tool, counts its tokens.")
    if found.seconds is not None:
        requests = sum(
            steps(turn.expect)
            for cell in cells
            for number, turn in enumerate(cell.scenario.turns, start=1)
            if (cell.id, number) not in over
        )
        seconds = requests * found.seconds / min(concurrency, len(cells))
        took = f"{found.seconds:.1f} s" if found.seconds >= 1 else f"{max(1, round(found.seconds * 1000))} ms"
        said = f"if each takes the {took} of this one"
        about = "1 request" if requests == 1 else f"about {requests:,} requests"
        tell(f"Estimate: {duration(seconds)} for {about}, {said}.")


def steps(expect: Expectation) -> int:
    """Model requests of a turn that goes as expected."""
    calls = len(expect.calls or ())
    return 1 + (1 if expect.parallel and calls else calls)


def duration(seconds: float) -> str:
    """A time span for people: 45 s, 12 min, 3 h 20 min."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02} min"
