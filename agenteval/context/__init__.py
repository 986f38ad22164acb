"""Context policies: which messages of the transcript the model gets to see at one step.

Pure: a policy never does I/O and never edits the transcript. `POLICIES` is the table of all of them.
"""

from __future__ import annotations

from typing import Any

from agenteval.context.full import FullHistory
from agenteval.context.policy import Budget, Count, ModelRequest, Policy, PolicyReport, View
from agenteval.context.spec import PolicySpec, parse_policy, shortest
from agenteval.context.window import SlidingWindow
from agenteval.errors import UsageError

POLICIES: dict[str, type[Any]] = {
    "full_history": FullHistory,
    "sliding_window": SlidingWindow,
}


def build_policy(text: str) -> Policy:
    """A policy from `NAME[:key=value,…]`. Raises UsageError with the names and knobs that exist."""
    spec = parse_policy(text, POLICIES)
    policy: Policy = POLICIES[spec.name](**spec.knobs)
    return policy


def canonical_policy(text: str) -> str:
    """The one spelling of a policy however it is written: two texts mean the same policy if theirs are equal.

    What is no policy here, e.g. one of a later version in a stored run, stands for itself.
    """
    try:
        return shortest(build_policy(text))
    except UsageError:
        return text


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
    "canonical_policy",
]
