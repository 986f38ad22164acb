"""Step records for tests: complete, small, and changed by keyword."""

from __future__ import annotations

from typing import Any

from agenteval.outcome import RecordedCall, RecordedReply, StepRecord, Tokens
from agenteval.timing import Timing

REPLY = RecordedReply("", None, "tool_calls", (RecordedCall("c1", "read_file", '{"path": "a"}', {"path": "a"}),))
TIMING = Timing(
    ttft_ms=100.0,
    first_event_ms=90.0,
    total_ms=2100.0,
    decode_tok_s=20.0,
    tpot_ms=50.0,
    chunks=21,
    chunk_rate=10.0,
    tokens_per_chunk=2.0,
    evidence="usage",
)


def record(**changes: Any) -> StepRecord:
    """A judged, right step of an agent; `findings` make it fail."""
    turn, step, attempt = changes.get("turn", 1), changes.get("step", 1), changes.get("attempt", 1)
    cell = changes.get("cell", "s.off.full_history.0")
    purpose = changes.get("purpose", "agent")
    values: dict[str, Any] = {
        "id": f"{cell}.t{turn:02}.s{step:02}.a{attempt}" + ("" if purpose == "agent" else f".{purpose}"),
        "run": "r",
        "cell": cell,
        "scenario": "s",
        "thinking": "off",
        "policy": "full_history",
        "trial": 0,
        "turn": turn,
        "step": step,
        "attempt": attempt,
        "purpose": "agent",
        "ok": not changes.get("findings"),
        "judged": True,
        "findings": (),
        "expected": None,
        "view_hash": "sha256:0",
        "tool_results": (),
        "reply": REPLY,
        "tokens": Tokens(context=500, context_source="server", messages=100, tools=400, prompt=500, completion=41),
        "timing": TIMING,
        "policy_report": {"acted": False},
        "repairs": (),
        "error": None,
        "simulated": True,
        "started_at": "2026-01-01T00:00:00.000Z",
        "seed": 1,
        "last_of_turn": True,
    }
    return StepRecord(**{**values, **changes})
