"""Context policies: which messages of the transcript the model gets to see at one step.

Pure: a policy never does I/O and never edits the transcript. `POLICIES` is the table of all of them.
"""

from __future__ import annotations

from typing import Any

from agenteval.context.full import FullHistory
from agenteval.context.policy import Budget, Count, ModelRequest, Policy, PolicyReport, View
from agenteval.context.spec import PolicySpec, parse_policy
from agenteval.context.window import SlidingWindow

POLICIES: dict[str, type[Any]] = {
    "full_history": FullHistory,
    "sliding_window": SlidingWindow,
}


def build_policy(text: str) -> Policy:
    """A policy from `NAME[:key=value,…]`. Raises UsageError with the names and knobs that exist."""
    spec = parse_policy(text, POLICIES)
    policy: Policy = POLICIES[spec.name](**spec.knobs)
    return policy


__all__ = [
    "POLICIES",
    "Budget",
    "Count",
    "ModelRequest",
    "Policy",
    "PolicyReport",
    "PolicySpec",
    "View",
    "build_policy",
]
