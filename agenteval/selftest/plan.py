"""What the self-test measures: which cases, for how long, and with which requests."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from agenteval.server.schedule import Schedule

Starts = Literal["lockstep", "staggered"]
"""All streams send at the same instants, as a batching server does; or each begins a little after the one before."""

History = Literal["tiny", "463 KB"]
"""One short message; or the 401 messages and 20 tools of a long agent session."""

GAP_MS = 10.0
FIRST_MS = 100.0
ROLE_MS = 5.0
UP_TO_STREAMS = 128
"""The bars on errors hold up to here."""
MOST_ROUNDS = 4
"""A case is repeated if there is time: in lockstep all first tokens of a round hang on one wake-up of the machine."""

_LINE = "The handler reads the ticket, checks its owner against the table and writes one line to the log. "


@dataclass(frozen=True, slots=True)
class Case:
    """So many streams at once, `rounds` times."""

    streams: int
    starts: Starts
    history: History
    rounds: int = 1

    @property
    def interval_s(self) -> float:
        """From one start to the next. No divisor of the gap, so that chunks do not come in lockstep after all."""
        if self.starts == "lockstep":
            return 0.0
        return 0.00103 if self.history == "tiny" else 0.0031

    def schedule(self, seconds: float) -> Schedule:
        """Streams of so many seconds."""
        align = 150 + (5 * self.streams if self.history != "tiny" else self.streams)
        return Schedule(
            first=FIRST_MS,
            gap=GAP_MS,
            chunks=chunks_in(seconds, GAP_MS),
            role=ROLE_MS,
            align=align if self.starts == "lockstep" else 0,
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """`streams`: how many at once, one after another; `seconds`: how long a measurement lasts (a stream of a case half
    of it); `real_time`: ask for real-time priority."""

    streams: tuple[int, ...] = (1, 32, 128, 512)
    seconds: float = 2.0
    real_time: bool = False

    @property
    def cases(self) -> tuple[Case, ...]:
        """A single stream is in lockstep with itself."""
        starts: tuple[Starts, ...] = ("lockstep", "staggered")
        histories: tuple[History, ...] = ("tiny", "463 KB")
        return tuple(
            Case(streams, start, history, self._rounds(streams))
            for streams in self.streams
            for start in (starts if streams > 1 else starts[1:])
            for history in histories
        )

    def _rounds(self, streams: int) -> int:
        rounds = min(MOST_ROUNDS, max(1, round(2 * self.seconds)))
        return math.ceil(rounds / 2) if streams > UP_TO_STREAMS else rounds


QUICK = Plan(streams=(1, 32, 128), seconds=0.5)


def chunks_in(seconds: float, gap_ms: float) -> int:
    """How many chunks of a stream take so long; at least two, to have a gap."""
    return max(2, round(seconds * 1000 / gap_ms) + 1)


def request(schedule: Schedule, history: History) -> dict[str, Any]:
    """The body of a request."""
    content: dict[str, Any] = {"messages": [{"role": "user", "content": "Say some words."}]}
    if history != "tiny":
        content = {"messages": _long_history(), "tools": [_tool(n) for n in range(20)]}
    return {"model": schedule.model, **content, "stream": True, "stream_options": {"include_usage": True}}


def _long_history() -> list[dict[str, Any]]:
    """A system prompt, then 200 times a call and a result of about 2 KB."""
    messages: list[dict[str, Any]] = [{"role": "system", "content": "You are a coding agent. Use the tools."}]
    for n in range(200):
        arguments = f'{{"path": "src/module_{n}.py"}}'
        call = {"id": f"call_{n}", "type": "function", "function": {"name": "tool_1", "arguments": arguments}}
        messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": f"call_{n}", "content": _LINE * 21})
    return messages


def _tool(n: int) -> dict[str, Any]:
    path = {"type": "string", "description": "Where it is, from the root of the repository."}
    parameters = {"type": "object", "properties": {"path": path}, "required": ["path"], "additionalProperties": False}
    return {"type": "function", "function": {"name": f"tool_{n}", "description": _LINE, "parameters": parameters}}
