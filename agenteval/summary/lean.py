"""Records as summaries need them, so that a run of very many steps fits into memory."""

from __future__ import annotations

from dataclasses import replace
from sys import intern

from agenteval.outcome import RecordedCall, RecordedReply, StepRecord

NO_CALL = RecordedCall(None, None, "")
"""Stands for each call of a reply."""


TOLD = frozenset({"actions", "removed_ids", "note"})
"""What of a policy's report no summary shows."""


def lean(record: StepRecord) -> StepRecord:
    """A record without what is in no summary: what was said, expected and sent; and with names that it shares with
    others."""
    return replace(
        record,
        run=intern(record.run),
        cell=intern(record.cell),
        scenario=intern(record.scenario),
        policy=intern(record.policy),
        expected=None,
        view_hash="",
        tool_results=(),
        reply=record.reply and _silent(record.reply),
        policy_report={name: value for name, value in record.policy_report.items() if name not in TOLD},
        repairs=(),
    )


def _silent(reply: RecordedReply) -> RecordedReply:
    return RecordedReply(None, None, reply.finish_reason, (NO_CALL,) * len(reply.tool_calls))
