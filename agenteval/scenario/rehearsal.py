"""A scenario rehearsed: its golden course is played, and where that does not come out the file is at fault."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from agenteval.document.reader import Path
from agenteval.errors import Problem
from agenteval.outcome import Finding
from agenteval.scenario.loader import Source
from agenteval.scoring import judge_end
from agenteval.script import Json, Scenario, Turn
from agenteval.tools import GoldenTurn, rehearse


def rehearsal_problems(source: Source, bound: Scenario) -> Iterator[Problem]:
    """Expected calls that their tool cannot answer, states and answers that are not reached; `bound` is the scenario
    of `source` under some seed. What follows from a call that failed is not told as well."""
    failed, before = False, bound.world
    for place, (turn, played) in enumerate(zip(bound.turns, rehearse(bound), strict=True)):
        path = ("turns", place, "expect")
        for number, (call, result) in enumerate(zip(turn.expect.calls or (), played.results, strict=True)):
            if result.error_kind == "broken_rule":
                failed = True
                message = f"{call.name} fails on the golden course: {result.content}"
                yield source.document.problem((*path, "calls", number), message)
        if not failed:
            yield from _end_problems(source, path, turn, played)
        if turn.expect.any_way and not _state_findings(before, turn):
            message = "the state holds before the turn already, so it cannot decide whether any way led there"
            yield source.document.problem((*path, "any_way"), message)
        before = played.world_after.state


def _state_findings(world: Json, turn: Turn) -> tuple[Finding, ...]:
    return judge_end("", world, replace(turn.expect, answer=None))


def _end_problems(source: Source, path: Path, turn: Turn, played: GoldenTurn) -> Iterator[Problem]:
    written = dict(zip(turn.expect.state, source.scenario.turns[int(path[1])].expect.state, strict=True))
    said = played.messages[-1].content or ""
    told: set[Path] = set()
    for finding in judge_end(said, played.world_after.state, turn.expect):
        if finding.path is None:
            where: Path = (*path, "answer")
            message = f"golden history says {said!r} here, but {finding.detail}; write an `example:`"
        else:
            where = (*path, "state", written[finding.path])
            none_made = "; without `calls` golden history makes none" if turn.expect.calls is None else ""
            message = f"not so on the golden course: {finding.detail}{none_made}"
        if where not in told:
            told.add(where)
            yield source.document.problem(where, message)
