"""What the embedded endpoint could not play: its own limit, from which nothing follows about a server or a model."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from agenteval.outcome import UNPLAYED, StepRecord

Place = tuple[str, int]
"""A cell and a turn."""


def unplayed(steps: Sequence[StepRecord], *, simulated: bool) -> list[StepRecord]:
    """The steps whose request the built-in model did not know."""
    return [s for s in steps if simulated and s.reply is not None and (s.reply.content or "").startswith(UNPLAYED)]


def played(steps: Sequence[StepRecord], strange: Sequence[StepRecord]) -> list[StepRecord]:
    """The steps of all other turns."""
    places: Collection[Place] = {(step.cell, step.turn) for step in strange}
    return [step for step in steps if (step.cell, step.turn) not in places]


def unplayed_sentences(strange: Sequence[StepRecord], asked: int) -> tuple[str, ...]:
    """How many of the requests were strange to it, if there are any."""
    if not strange:
        return ()
    turns = len({(step.cell, step.turn) for step in strange})
    concerned = "1 turn fails" if turns == 1 else f"{turns} turns fail"
    return (
        f"The built-in model did not know {len(strange)} of {asked} requests (first {strange[0].id}): it plays only "
        f"the turns of scenarios that it was given. {concerned} by this limit of the simulator, which says nothing "
        "about a server.",
    )
