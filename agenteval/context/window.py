"""`sliding_window`: above `high` tokens the oldest groups go until `target` is reached; the rest stays whole.

A group is a user message, an assistant answer, or an assistant message with calls together with its results: a
call never loses its result. System prompt and the first user message (the goal) are pinned, the newest user message
and the newest group always stay. Sticky: what is gone stays gone, and the boundary only moves when `high` is passed
again, so that the server's prefix cache breaks rarely.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TypeAlias

from agenteval.context.policy import Budget, Count, PolicyReport, State, View, WithoutModel
from agenteval.errors import UsageError
from agenteval.messages import ToolSpec, Transcript, last_user_index

Group: TypeAlias = tuple[int, int]
"""Half-open range of message indices that stand or fall together."""


@dataclass(frozen=True, slots=True)
class SlidingWindow(WithoutModel):
    """Tokens: `high` triggers, `target` is the low mark. State: index of the first message kept after the head."""

    high: int = 3000
    target: int = 1500
    name: str = "sliding_window"
    tools: tuple[ToolSpec, ...] = ()

    def __post_init__(self) -> None:
        if not 0 < self.target <= self.high:
            raise UsageError(f"sliding_window: target ({self.target}) must be above 0 and at most high ({self.high})")

    def begin(self) -> State:
        return 0

    def step(self, transcript: Transcript, state: State, budget: Budget, count: Count) -> View:
        head = head_length(transcript)
        boundary = max(int(state), head)
        current = cut(transcript, head, boundary)
        before = count(current)
        if before <= self.high:
            return self._view(transcript, current, boundary, (before, before))
        moved = self._new_boundary(transcript, head, boundary, count)
        shorter = cut(transcript, head, moved)
        if len(shorter) == len(current):
            return self._view(transcript, current, boundary, (before, before))
        return self._view(transcript, shorter, moved, (before, count(shorter)))

    def _new_boundary(self, transcript: Transcript, head: int, boundary: int, count: Count) -> int:
        """The oldest boundary that brings the view down to `target`, else the newest there is."""
        starts = boundaries(transcript, head, boundary)
        if not starts:
            return boundary
        at = bisect_left(starts, True, key=lambda start: count(cut(transcript, head, start)) <= self.target)
        return starts[min(at, len(starts) - 1)]

    def _view(self, transcript: Transcript, messages: Transcript, boundary: int, tokens: tuple[int, int]) -> View:
        dropped = len(transcript) - len(messages)
        before, after = tokens
        report = PolicyReport(
            acted=after < before,
            policy=self.name,
            tokens_before=before,
            tokens_after=after,
            first_changed=head_length(transcript) if dropped else None,
            dropped_messages=dropped,
        )
        return View(messages, boundary, report)


def head_length(transcript: Transcript) -> int:
    """Messages that are pinned at the start: the system prompt and the first user message."""
    for index, message in enumerate(transcript):
        if message.role == "user":
            return index + 1
    return len(transcript)


def boundaries(transcript: Transcript, head: int, after: int) -> list[int]:
    """Indices at which the kept part may begin, oldest first: group starts behind `after`.

    Whole earlier turns go first (the kept part then begins with a user message); within the newest turn its user
    message stays, and only its older call groups may go.
    """
    newest_user = last_user_index(transcript)
    turns = [
        index
        for index in range(max(head, after + 1), len(transcript))
        if transcript[index].role == "user" and index <= newest_user
    ]
    groups = [start for start, _ in call_groups(transcript) if start > max(newest_user + 1, after)]
    return turns + groups


def call_groups(transcript: Transcript) -> list[Group]:
    """Each assistant message with the tool results that follow it."""
    groups: list[Group] = []
    for index, message in enumerate(transcript):
        if message.role == "assistant":
            groups.append((index, index + 1))
        elif message.role == "tool" and groups:
            groups[-1] = (groups[-1][0], index + 1)
    return groups


def cut(transcript: Transcript, head: int, boundary: int) -> Transcript:
    """Head plus everything from `boundary` on; the newest user message is never lost."""
    if boundary <= head:
        return transcript
    newest_user = last_user_index(transcript)
    pinned: Transcript = (transcript[newest_user],) if head <= newest_user < boundary else ()
    return transcript[:head] + pinned + transcript[boundary:]
