"""What a context policy itself costs per step, by the end of a long conversation beside its start."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import mean
from time import thread_time

from agenteval.context import POLICIES, Budget, ModelReply, ModelRequest, build_policy
from agenteval.messages import Message, ToolCall, Transcript
from tests.bench.program import Row, verdict

TITLE = (
    "Policies: a policy's own CPU per step (three steps a turn) in a conversation of 1,000 turns, 6,001 messages, its "
    "knobs as they ship; summaries come from a stand-in, and the time of counting tokens is left out. Means over turns "
    "51-100 and 951-1000. Bar: at most 5 ms a step."
)
TURNS, STEPS = 1_000, 3
EARLY, LATE = range(50, 100), range(950, 1_000)
BAR_MS = 5.0
NEVER_ACT = ("full_history", "again")
"""Of any other policy that does not act here nothing is shown."""


def rows() -> Iterator[Row]:
    history, ends = conversation(TURNS)
    for name in POLICIES:
        early, late, acted, seen = _steps(name, history, ends)
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


def conversation(turns: int) -> tuple[Transcript, list[int]]:
    """Two calls a turn, with a thought, and where in it each step begins. Every fifth result is long; every eleventh
    turn's first call fails, and its second makes that good."""
    messages, steps = [Message("system", "You are an agent.")], []
    for n in range(turns):
        messages.append(Message("user", f"Do part {n} with file {n}."))
        for part in ("a", "b"):
            steps.append(len(messages))
            failed = part == "a" and n % 11 == 3
            call = ToolCall(f"c{n}{part}", "read_file", f'{{"path": "{part}{n % 50}.py"}}')
            result = (
                f"Error: the file is locked\n{'  in a call of it' * 20}"
                if failed
                else f"line {n} of the file\n" * (60 if n % 5 == 0 else 8)
            )
            messages += [
                Message("assistant", "", f"I think about {n}", (call,)),
                Message("tool", result, tool_call_id=call.id),
            ]
        steps.append(len(messages))
        messages.append(Message("assistant", f"answer {n}"))
    return tuple(messages), steps


def _steps(name: str, history: Transcript, ends: list[int]) -> tuple[list[float], list[float], int, int]:
    """Milliseconds of the early and the late steps, how often the policy acted, the length of the last view."""
    policy = build_policy(name)
    state, acted = policy.begin(), 0
    early: list[float] = []
    late: list[float] = []
    for step, end in enumerate(ends):
        turn = step // STEPS
        budget = Budget(needed=(f"line {turn // 2} of", f"part {turn // 3} "))
        seen, count, before = history[:end], Counter(), thread_time()
        view = policy.step(seen, state, budget, count)
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
