"""What became of results that `offload` put away: whether the model ever asked for them again is no doing of the policy
alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from agenteval.context import POLICIES, canonical_policy
from agenteval.outcome import StepRecord

OFFLOAD = "offload"
RECALL = POLICIES[OFFLOAD].tools[0].name
"""The tool that brings a result back."""


def recall_notes(records: Iterable[StepRecord], where: str = "") -> Iterator[str]:
    """One per policy that put anything away; `where` stands before its name."""
    groups: dict[str, list[StepRecord]] = {}
    for record in records:
        if OFFLOAD in record.policy and record.purpose == "agent" and record.error is None:
            groups.setdefault(canonical_policy(record.policy), []).append(record)
    for policy, steps in sorted(groups.items()):
        stored = sum(map(put_away, steps))
        asked = sum(call.name == RECALL for step in steps if step.reply for call in step.reply.tool_calls)
        if stored:
            yield f"{where}{policy}: {_fate(stored, asked)}"


def put_away(step: StepRecord) -> int:
    """Results that left the view for a handle at this step; at least one where another rule acted, too."""
    rules = {action.get("rule") for action in step.policy_report.get("actions") or ()}
    removed = step.policy_report.get("removed_ids") or ()
    return 0 if OFFLOAD not in rules else len(removed) if len(rules) == 1 else min(1, len(removed))


def _fate(stored: int, asked: int) -> str:
    if asked:
        calls = "one call" if asked == 1 else f"{asked} calls"
        return f"{_results(stored)} put away, and {calls} of {RECALL} asked for some again."
    return f"{_results(stored)} put away and never asked for again ({RECALL} was never called)."


def _results(number: int) -> str:
    return "1 result was" if number == 1 else f"{number} results were"
