"""Sentences: what failed, why chunks are not tokens, and what to try next. Each rests on rows, none on a guess."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from agenteval.outcome import StepRecord
from agenteval.summary.engaged import is_control
from agenteval.summary.rows import ArmRow, TurnRow
from agenteval.summary.taken import Arm, Part, arm_of

CHUNK_COUNTING_LIES_ABOVE = 1.1
"""Tokens per chunk from which counting chunks would visibly understate the speed."""

NAMED = 3
"""So many policies that heal a conversation are named."""


def failing_sentence(arm: ArmRow, part: Part | None) -> str:
    """Which turn breaks first, the length of the prompt at which it does, and what its policy had taken away."""
    step = f", step {arm.failing_step}," if (arm.failing_step or 1) > 1 else ""
    context = "unknown" if arm.failing_context is None else f"about {arm.failing_context:,}"
    messages = "" if arm.failing_messages is None else f" ({arm.failing_messages:,} of them messages)"
    where = f"{_where(arm)}: first failing turn {arm.first_failing_turn}{step} at {context} context tokens{messages}"
    if part is None or not part.took(arm.first_failing_turn):
        return f"{where}."
    return f"{where}; its policy had taken away what that turn needed: {part.words(arm.first_failing_turn)}."


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


def advise(
    arms: Sequence[ArmRow], turns: Sequence[TurnRow], taken: Mapping[Arm, Part], history: str
) -> tuple[str, ...]:
    """What to try next, most telling first; empty if nothing failed. `taken`: what policies have to do with failures;
    `history`: live or golden, as it was run."""
    kinds = Counter(kind for row in turns for kind, count in row.findings.items() for _ in range(count))
    hints = [*_silence_hints(arms, turns), *_late_hints(arms, turns, taken, history)]
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
    return [
        f"No call was made at all{_among(silent, arms)}: the server's tool-call parser is off, its chat template shows "
        "the model no tools, or the model has not learnt to call any; the text of one reply tells which."
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


def _late_hints(
    arms: Sequence[ArmRow], turns: Sequence[TurnRow], taken: Mapping[Arm, Part], history: str
) -> Iterator[str]:
    """What it may mean that all turns from one on fail: of the first arm whose own policy is not known to be the cause,
    and of the first whose policy is."""
    late = [arm for arm in arms if _breaks_late(arm, turns)]
    own = [arm for arm in late if (part := taken.get(arm_of(arm))) and part.took(arm.first_failing_turn)]
    others = sorted((arm for arm in late if arm not in own), key=lambda arm: not is_control(arm.policy))
    for arm in others[:1]:
        part, turn = taken.get(arm_of(arm)), arm.first_failing_turn or 0
        causes = "length or history is the likely cause"
        if part and part.may_have_part(turn):
            causes = f"length, history or what {arm.policy} made of it is the likely cause"
        yield f"{_from_some_turn_on(others, arms)}: {causes}."
    for arm in own[:1]:
        yield (
            f"{_from_some_turn_on(own, arms)}: {arm.policy} had taken away what turns needed: "
            f"{taken[arm_of(arm)].words()}. Have it keep more (agenteval policies show NAME), or take another."
        )
    if late and history == "live":
        yield "Whether later turns fail on their own: the same run with --history golden."
    yield from (_healing(arm, arms) for arm in others[:1] if is_control(arm.policy))


def _healing(arm: ArmRow, arms: Sequence[ArmRow]) -> str:
    """Whether another policy heals what fails under full history: how to find out, or what was found."""
    beside = [
        other
        for other in arms
        if (other.scenario, other.thinking) == (arm.scenario, arm.thinking) and not is_control(other.policy)
    ]
    if not beside:
        return "Whether a shorter history heals it: the same run with --policy full_history --policy sliding_window."
    where = f"{arm.scenario}, thinking {arm.thinking}"
    healed = [o.policy for o in beside if o.first_failing_turn is None and o.turns_judged >= arm.turns_judged]
    if healed:
        return (
            f"What is sent heals it: no turn of {where} fails under {' or '.join(healed[:NAMED])}. What that costs: "
            "agenteval compare RUN."
        )
    return (
        f"None of the other policies here heals all of {where}: what each fixes and breaks tells agenteval compare "
        "RUN, and agenteval policies list has more."
    )


def _from_some_turn_on(found: Sequence[ArmRow], arms: Sequence[ArmRow]) -> str:
    turn = found[0].first_failing_turn
    if all(arm.first_failing_turn == turn for arm in found):
        return f"Every turn from {turn} on fails{_among(found, arms)}"
    return (
        f"In {len(found)} of {len(arms)} arms all turns from some turn on fail (first {_where(found[0])}: from {turn})"
    )


def _among(found: Sequence[ArmRow], arms: Sequence[ArmRow]) -> str:
    """Which of the arms something is said of; empty if of all."""
    return "" if len(found) == len(arms) else f" in {len(found)} of {len(arms)} arms (first {_where(found[0])})"


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
