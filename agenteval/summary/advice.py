"""Sentences: what failed, why chunks are not tokens, and what to try next. Each rests on rows, none on a guess."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from agenteval.outcome import StepRecord
from agenteval.summary.rows import ArmRow, TurnRow

CHUNK_COUNTING_LIES_ABOVE = 1.1
"""Tokens per chunk from which counting chunks would visibly understate the speed."""


def failing_sentence(arm: ArmRow) -> str:
    """Which turn breaks first, and the length of the prompt at which it does."""
    step = f", step {arm.failing_step}," if (arm.failing_step or 1) > 1 else ""
    context = "unknown" if arm.failing_context is None else f"about {arm.failing_context:,}"
    messages = "" if arm.failing_messages is None else f" ({arm.failing_messages:,} of them messages)"
    return f"{_where(arm)}: first failing turn {arm.first_failing_turn}{step} at {context} context tokens{messages}."


def explain_speed(arms: Sequence[ArmRow]) -> list[str]:
    """Why a client that counts chunks would report another speed; nothing if it would not."""
    merged = [arm for arm in arms if (arm.tokens_per_chunk or 0) > CHUNK_COUNTING_LIES_ABOVE]
    rates = [arm for arm in merged if arm.chunk_rate and arm.decode_tok_s]
    if not rates:
        return []
    worst = max(rates, key=lambda arm: arm.tokens_per_chunk or 0)
    return [
        f"Each chunk carries about {worst.tokens_per_chunk:.1f} tokens (speculative decoding, merged frames or hidden "
        f"markup): counting chunks would report {worst.chunk_rate:.1f} tok/s where {worst.decode_tok_s:.1f} were "
        "decoded."
    ]


def advise(arms: Sequence[ArmRow], turns: Sequence[TurnRow], history: str) -> tuple[str, ...]:
    """What to try next, most telling first; empty if nothing failed. `history`: live or golden, as it was run."""
    kinds = Counter(kind for row in turns for kind, count in row.findings.items() for _ in range(count))
    late = next((arm for arm in arms if _breaks_late(arm, turns)), None)
    hints = _silence_hints(arms, turns)
    if late is not None:
        hints += _late_hints(late, history)
    hints += [text for kind, text in HINTS if kinds[kind]]
    return tuple(hints[:5])


def failing_step(arms: Sequence[ArmRow], steps: Sequence[StepRecord]) -> StepRecord | None:
    """The first failing step of the first turn that fails; None if none does."""
    for arm in arms:
        place = (arm.scenario, arm.thinking, arm.policy, arm.first_failing_turn)
        mine = (step for step in steps if (step.scenario, step.thinking, step.policy, step.turn) == place)
        found = next((step for step in mine if step.judged and not step.ok), None)
        if found is not None:
            return found
    return None


def _silence_hints(arms: Sequence[ArmRow], turns: Sequence[TurnRow]) -> list[str]:
    """What it may mean that a model never calls, where calls were expected."""
    missed = {(row.scenario, row.thinking, row.policy) for row in turns if "no_tool_call" in row.findings}
    silent = [arm for arm in arms if not arm.calls and (arm.scenario, arm.thinking, arm.policy) in missed]
    if not silent:
        return []
    first = silent[0]
    where = "" if len(silent) == len(arms) else f" in {len(silent)} of {len(arms)} arms (first {_where(first)})"
    return [
        f"No call was made at all{where}: the server's tool-call parser is off, its chat template shows the model no "
        "tools, or the model has not learnt to call any; the text of one reply tells which."
    ]


def _where(arm: ArmRow) -> str:
    return f"{arm.scenario}, thinking {arm.thinking}, {arm.policy}"


def _breaks_late(arm: ArmRow, turns: Sequence[TurnRow]) -> bool:
    """All judged turns from the first failing one on fail, at least two of them, and the first two turns worked."""
    if arm.first_failing_turn is None or arm.first_failing_turn <= 2:
        return False
    mine = [r for r in turns if (r.scenario, r.thinking, r.policy) == (arm.scenario, arm.thinking, arm.policy)]
    late = [row for row in mine if row.turn >= arm.first_failing_turn and row.judged_trials]
    return len(late) >= 2 and not any(row.ok_trials for row in late)


def _late_hints(arm: ArmRow, history: str) -> list[str]:
    hints = [f"Every turn from {arm.first_failing_turn} on fails: length or history is the likely cause."]
    if history == "live":
        hints.append("Whether later turns fail on their own: the same run with --history golden.")
    if arm.policy == "full_history":
        hints.append(
            "Whether a shorter history heals it: the same run with --policy full_history --policy sliding_window."
        )
    return hints


HINTS: tuple[tuple[str, str], ...] = (
    (
        "call_as_text",
        "Calls stand as text: check the server's --tool-call-parser, and whether the history is rendered as calls.",
    ),
    (
        "call_in_reasoning",
        "Calls stand in the reasoning: check the server's --reasoning-parser, or try --thinking off.",
    ),
    ("leaked_markup", "Markup leaks: the server's tool-call or reasoning parser does not fit the model."),
    ("truncated", "Replies are cut: raise --max-tokens (reasoning counts, too)."),
    (
        "reasoning_missing",
        "No reasoning came back: check that the server has a reasoning parser for this model.",
    ),
    (
        "reasoning_unexpected",
        "The model thinks although thinking is off: its chat template may not know enable_thinking.",
    ),
    (
        "invalid_json",
        "Arguments are no JSON: compare streaming with non-streaming; parsers often differ there.",
    ),
    (
        "schema_violation",
        "Arguments break their schema: see the paths in the findings; strict tools may help.",
    ),
    ("bad_call_id", "Call ids are missing or repeated: agents will attach results to the wrong call."),
    ("stream_protocol", "The stream breaks the contract: the raw frames are kept in frames/."),
)
"""Finding kind → what to try."""
