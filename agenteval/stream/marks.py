"""The stamps of a stream while it arrives: which frame brought the first token, and which were chunks."""

from __future__ import annotations

from agenteval.timing import Evidence, Timeline


class Marks:
    """Takes in frames one by one and ends as a `Timeline`."""

    __slots__ = (
        *("chunk_times", "evidence", "finish_at", "first_argument", "first_content", "first_count"),
        *("first_event", "first_name", "first_reasoning", "last_argument", "_count", "_counts_run"),
    )

    def __init__(self) -> None:
        self.first_event: int | None = None
        self.first_reasoning: int | None = None
        self.first_content: int | None = None
        self.first_name: int | None = None
        self.first_argument: int | None = None
        self.last_argument: int | None = None
        self.finish_at: int | None = None
        self.evidence: Evidence | None = None
        self.first_count: int | None = None
        self.chunk_times: list[int] = []
        self._count = 0
        self._counts_run = False

    def frame(self, at: int, visible: bool, token_ids: int, count: int | None, finished: bool) -> None:
        """One frame with a choice: what it showed, its token ids, the server's count so far.

        A count that comes for the first time with the finish reason is the final usage, not a running count:
        it says nothing about when tokens came.
        """
        grew = False
        if count is not None:
            self._counts_run |= not finished
            grew = self._counts_run and count > self._count
            self._count = max(count, self._count)
        if visible or token_ids or grew:
            if not self.chunk_times:
                self.evidence = "usage" if grew else "token_ids" if token_ids else "text"
                self.first_count = count if grew else token_ids or None
            self.chunk_times.append(at)

    def timeline(self, sent_at: int, ended_at: int) -> Timeline:
        """What was seen, as a value."""
        return Timeline(
            sent_at,
            ended_at,
            first_event_at=self.first_event,
            first_reasoning_at=self.first_reasoning,
            first_content_at=self.first_content,
            first_tool_name_at=self.first_name,
            first_argument_at=self.first_argument,
            last_argument_at=self.last_argument,
            first_token_at=self.chunk_times[0] if self.chunk_times else None,
            evidence=self.evidence,
            first_token_count=self.first_count,
            last_token_at=self.chunk_times[-1] if self.chunk_times else None,
            finish_at=self.finish_at,
            chunk_times=tuple(self.chunk_times),
        )
