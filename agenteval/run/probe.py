"""Does preserved reasoning reach the prompt? Ask once more without it and compare the server's prompt tokens."""

from __future__ import annotations

from dataclasses import replace

from agenteval.run.ask import Question, ask, without_reasoning
from agenteval.run.desk import Desk


async def probe_reasoning(question: Question, desk: Desk) -> None:
    """Send the question again without any reasoning, for one token; the journal's `probe` line holds the count."""
    bare = replace(question.view, messages=without_reasoning(question.view.messages))
    probe = replace(question, view=bare, purpose="probe", max_tokens=1, expected=None)
    answered = await ask(probe, desk)
    if answered is not None:
        desk.journal(answered.record, answered.attempt.recording)
