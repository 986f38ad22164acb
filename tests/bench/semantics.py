"""Five streams that other clients misread, and what is true of them: the table that both the test and the bench use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agenteval.client import Attempt
from agenteval.run import Accountant
from agenteval.run.accounting import Size
from agenteval.server.schedule import Schedule
from agenteval.timing import measure

TTFT_MS = 100.0
TOK_S = 100.0
ASKED = 201
"""How many tokens are asked for at most."""


CASES: Mapping[str, Schedule] = {
    "role chunk at 5 ms": Schedule(role=5),
    "four tokens per chunk": Schedule(chunks=51, gap=40, tokens=4, lead=1),
    "tool-call deltas only": Schedule(kind="tool"),
    "reasoning, then a tool call": Schedule(kind="thought", role=5),
    "usage absent, ends at 101": Schedule(chunks=101, usage="none"),
}
"""In each the first token comes after 100 ms, and 100 come in a second."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a client says of a stream; None: nothing."""

    ttft_ms: float | None
    tok_s: float | None
    tokens: float | None


def ours(attempt: Attempt) -> Figures:
    """What a run of ours records of a reply."""
    tokens = Accountant(None).tokens(attempt.reply, Size(None, 1), 1)
    estimated = tokens.completion_source == "tokenizer"
    timing = measure(attempt.timeline, tokens.completion, estimated=estimated, calls_valid=None, hides_markup=True)
    return Figures(timing.ttft_ms, timing.decode_tok_s, tokens.completion)
