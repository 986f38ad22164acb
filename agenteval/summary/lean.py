"""Records as summaries need them, so that a run of very many steps fits into memory."""

from __future__ import annotations

from dataclasses import replace
from sys import intern

from agenteval.outcome import RecordedCall, RecordedReply, StepRecord
from agenteval.summary.recalls import RECALL, put_away

NO_CALL = RecordedCall(None, None, "")
"""Stands for each call of a reply but those that get a result back."""

RECALLED = RecordedCall(None, RECALL, "")

TOLD = frozenset({"actions", "removed_ids", "note"})
"""What of a policy's report no summary shows, but where results were put away."""


def lean(record: StepRecord) -> StepRecord:
    """A record without what is in no summary: what was said, expected and sent; and with names that it shares with
    others."""
    storing = put_away(record) > 0
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
        policy_report={name: value for name, value in record.policy_report.items() if name not in TOLD or storing},
        repairs=(),
    )


def _silent(reply: RecordedReply) -> RecordedReply:
    calls = tuple(RECALLED if call.name == RECALL else NO_CALL for call in reply.tool_calls)
    return RecordedReply(None, None, reply.finish_reason, calls)
