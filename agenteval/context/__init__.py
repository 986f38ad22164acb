"""Context policies: which messages of the transcript the model gets to see at one step.

Pure: a policy never does I/O and never edits the transcript. `POLICIES` is the table of all of them.
"""

from __future__ import annotations

from agenteval.context.asking import ASK, ContextReset, MaskThenSummarize, Summarize
from agenteval.context.clearing import ClearThinking, ClearToolUses, ObservationMasking
from agenteval.context.controls import Again, FullHistory, OracleContext
from agenteval.context.dropping import ExtractiveLedger, HeadTail, SlidingWindow
from agenteval.context.entry import Offload, ReciteState, ToolOutputLimit
from agenteval.context.own import OwnPolicy, Reducer, from_wire, load_reducer, reduced, to_wire
from agenteval.context.pipeline import Pipeline
from agenteval.context.policy import Action, Budget, Count, ModelReply, ModelRequest, Policy, PolicyReport, View
from agenteval.context.pruning import DedupeToolResults, PruneErrors
from agenteval.context.rule import KNOBS, Rule
from agenteval.context.spec import OWN, knobs_of, parse_rules, shortest, spelled
from agenteval.context.words import without_note
from agenteval.errors import UsageError

POLICIES: dict[str, type[Rule]] = {
    "full_history": FullHistory,
    "oracle_context": OracleContext,
    "again": Again,
    "tool_output_limit": ToolOutputLimit,
    "sliding_window": SlidingWindow,
    "head_tail": HeadTail,
    "observation_masking": ObservationMasking,
    "clear_tool_uses": ClearToolUses,
    "clear_thinking": ClearThinking,
    "dedupe_tool_results": DedupeToolResults,
    "prune_errors": PruneErrors,
    "recite_state": ReciteState,
    "offload": Offload,
    "extractive_ledger": ExtractiveLedger,
    "summarize": Summarize,
    "mask_then_summarize": MaskThenSummarize,
    "context_reset": ContextReset,
}


def build_policy(text: str, *, allow_code: bool = False) -> Policy:
    """A policy from `NAME[:key=value,…]`, several joined by `+`, or a user's own `module:function`, which runs only if
    it is allowed. Raises UsageError with the names and knobs that exist."""
    if names_code(text):
        if not allow_code:
            raise UsageError(f"policy {text}: your own code runs only with --allow-code")
        return OwnPolicy(text, load_reducer(text))
    return Pipeline(parse_rules(text, POLICIES))


def names_code(text: str) -> bool:
    """Whether a policy is a user's own `module:function`."""
    return text.partition(":")[0] not in POLICIES and OWN.fullmatch(text) is not None


def marked_rules(text: str) -> tuple[Rule, ...]:
    """The rules of a policy that act above so many tokens; none of a user's own. Raises UsageError."""
    return () if names_code(text) else tuple(r for r in parse_rules(text, POLICIES) if r.trigger.tokens is not None)


def canonical_policy(text: str) -> str:
    """The one spelling of a policy however it is written: two texts mean the same policy if theirs are equal.

    What is no policy here, e.g. one of a later version in a stored run, stands for itself.
    """
    try:
        return "+".join(shortest(rule) for rule in parse_rules(text, POLICIES))
    except UsageError:
        return text


__all__ = [
    "ASK",
    "KNOBS",
    "OWN",
    "POLICIES",
    "Action",
    "Budget",
    "Count",
    "ModelReply",
    "ModelRequest",
    "OwnPolicy",
    "Pipeline",
    "Policy",
    "PolicyReport",
    "Reducer",
    "Rule",
    "View",
    "build_policy",
    "canonical_policy",
    "from_wire",
    "knobs_of",
    "load_reducer",
    "marked_rules",
    "names_code",
    "parse_rules",
    "reduced",
    "shortest",
    "spelled",
    "to_wire",
    "without_note",
]
