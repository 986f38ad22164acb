"""Transcripts for tests: hand-made ones, and a hypothesis strategy for arbitrary legal ones."""

from __future__ import annotations

import json

from hypothesis import strategies as st

from agenteval.messages import Message, ToolCall, ToolSpec, Transcript

READ = ToolSpec(
    "read_file",
    "Read a file.",
    {
        "type": "object",
        "properties": {"path": {"type": "string"}, "limit": {"type": "integer"}},
        "required": ["path"],
        "additionalProperties": False,
    },
)
CLOSE = ToolSpec(
    "close_ticket",
    "Close a ticket.",
    {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"], "additionalProperties": False},
)


def call(name: str, call_id: str = "c1", **arguments: object) -> ToolCall:
    return ToolCall(call_id, name, json.dumps(arguments))


def exchange(number: int, user: str, result: str, *, reasoning: str | None = None) -> Transcript:
    """One whole turn: user, call, result, answer."""
    made = call("read_file", f"c{number}", path=f"f{number}.py")
    return (
        Message("user", user),
        Message("assistant", None, reasoning, (made,)),
        Message("tool", result, tool_call_id=made.id),
        Message("assistant", f"answer {number}", reasoning),
    )


@st.composite
def transcripts(draw: st.DrawFn) -> Transcript:
    """System prompt, then 1–8 turns of 0–4 steps with 1–3 parallel calls each; the last turn may be open."""
    messages = [Message("system", "You are a coding agent.")]
    turns = draw(st.integers(1, 6))
    number = 0
    for turn in range(turns):
        messages.append(Message("user", f"user {turn} " + draw(st.text(max_size=60))))
        for _ in range(draw(st.integers(0, 3))):
            calls = []
            for _ in range(draw(st.integers(1, 3))):
                number += 1
                calls.append(call("read_file", f"c{number}", path=draw(st.text(max_size=20))))
            messages.append(Message("assistant", None, draw(st.none() | st.text(max_size=30)), tuple(calls)))
            messages += [Message("tool", draw(st.text(max_size=200)), tool_call_id=made.id) for made in calls]
        if turn < turns - 1:
            messages.append(Message("assistant", draw(st.text(min_size=1, max_size=60))))
    return tuple(messages)
