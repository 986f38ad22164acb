"""Whether a scenario of a size has that size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agenteval.errors import Problem
from agenteval.messages import Transcript
from agenteval.parsers import FAMILIES
from agenteval.prompts import count_prompt
from agenteval.scenario.loader import Source
from agenteval.script import Scenario
from agenteval.tokens import vocabulary
from agenteval.tools import GoldenTurn, beginning

FAMILY = "glm47"
"""Whose prompt is measured, with the o200k vocabulary."""
NEAR = 0.03


def size_problems(source: Source, bound: Scenario, golden: Sequence[GoldenTurn]) -> Iterator[Problem]:
    """`bound` is the scenario of `source` under some seed, `golden` its golden course."""
    if source.size is None:
        return
    tokens = count_prompt(
        FAMILY,
        needing(bound, golden),
        bound.tool_specs,
        vocabulary(FAMILIES[FAMILY].special),
        thinking=False,
        keep_reasoning=False,
    ).total
    if abs(tokens - source.size) > NEAR * source.size:
        message = (
            f"{bound.name} has {tokens:,} tokens where its last fact is needed, not {source.size:,}: is `bare` right, "
            "and do the percents of all results up to there make 100?"
        )
        yield source.document.problem(("sizes",), message)


def needing(bound: Scenario, golden: Sequence[GoldenTurn]) -> Transcript:
    """The golden conversation up to where the last fact is needed; all of it without facts."""
    last = max(((fact.needed, fact.needed_call or 1) for fact in bound.facts), default=(len(golden), 1))
    past = [message for done in golden[: last[0] - 1] for message in (done.user, *done.messages)]
    turn = golden[last[0] - 1]
    results = [at for at, message in enumerate(turn.messages) if message.role == "tool"]
    now = turn.messages[: results[last[1] - 2] + 1] if last[1] > 1 and results else ()
    return (*beginning(bound), *past, turn.user, *now)
