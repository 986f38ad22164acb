"""What a context policy itself costs per step, by the end of a long conversation beside its start."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import mean
from time import thread_time

from agenteval.context import POLICIES, Budget, ModelReply, ModelRequest, build_policy
from agenteval.messages import Message, ToolCall, Transcript
from tests.bench.program import Row, verdict

TITLE = (
    "Policies: a policy's own CPU per step (two steps a turn) in a conversation of 1,000 turns, 4,001 messages, its "
    "knobs as they ship; summaries come from a stand-in, and the time of counting tokens is left out. Means over turns "
    "51-100 and 951-1000. Bar: at most 5 ms a step."
)
TURNS = 1_000
EARLY, LATE = range(50, 100), range(950, 1_000)
BAR_MS = 5.0
NEVER_ACT = ("full_history", "again")
"""Of any other policy that does not act here nothing is shown."""


def rows() -> Iterator[Row]:
    history = conversation(TURNS)
    for name in POLICIES:
        early, late, acted, seen = _steps(name, history)
        yield {
            "policy": name,
            "ms a step, 51-100": round(mean(early), 3),
            "951-1000": round(mean(late), 3),
            "worst": round(max(late), 2),
            "ratio": round(mean(late) / mean(early), 1),
            "bar": verdict(mean(late) <= BAR_MS and (acted > 0 or name in NEVER_ACT)),
            "acted": acted,
            "messages seen": seen,
        }


def conversation(turns: int) -> Transcript:
    """One call a turn, with a thought; every fifth result is long, every eleventh an error that is then solved."""
    messages = [Message("system", "You are an agent.")]
    for n in range(turns):
        arguments = f'{{"path": "f{n % 50}.py"}}'
        result = "Error: the file is locked" if n % 11 == 3 else f"line {n} of the file\n" * (60 if n % 5 == 0 else 8)
        messages += [
            Message("user", f"Do part {n} with file {n}."),
            Message("assistant", "", f"I think about {n}", (ToolCall(f"c{n}", "read_file", arguments),)),
            Message("tool", result, tool_call_id=f"c{n}"),
            Message("assistant", f"answer {n}"),
        ]
    return tuple(messages)


def _steps(name: str, history: Transcript) -> tuple[list[float], list[float], int, int]:
    """Milliseconds of the early and the late steps, how often the policy acted, the length of the last view."""
    policy = build_policy(name)
    state, acted = policy.begin(), 0
    early: list[float] = []
    late: list[float] = []
    for turn in range(TURNS):
        for end in (4 * turn + 2, 4 * turn + 4):
            seen = history[:end]
            count, before = Counter(), thread_time()
            view = policy.step(seen, state, Budget(), count)
            while isinstance(view, ModelRequest):
                view = policy.resume(view.state, ModelReply("Goal: all parts. Done: all files were read.", "stop"))
            spent = (thread_time() - before - count.spent) * 1000
            state, acted = view.state, acted + view.report.acted
            (early if turn in EARLY else late if turn in LATE else []).append(spent)
    return early, late, acted, len(view.messages)


class Counter:
    """Counts four characters as a token, and how long that took, which is not the policy's time."""

    def __init__(self) -> None:
        self.spent = 0.0

    def __call__(self, messages: Transcript) -> int:
        before = thread_time()
        found = sum(40 + len(message.content or "") + len(message.reasoning or "") for message in messages) // 4
        self.spent += thread_time() - before
        return found
