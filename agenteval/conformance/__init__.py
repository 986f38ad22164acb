"""The rules that every view of a history must keep, as checks that can be pointed at any reducer of histories.

`check_policy` plays a policy of this package, `check_reducer` a plain function (OpenAI messages in, messages out).
"""

from __future__ import annotations

from agenteval.conformance.check import Judged, check_policy, check_reducer, told
from agenteval.conformance.generate import conversation
from agenteval.conformance.invariants import INVARIANTS, Invariant
from agenteval.conformance.seen import Seen

__all__ = ["INVARIANTS", "Invariant", "Judged", "Seen", "check_policy", "check_reducer", "conversation", "told"]
