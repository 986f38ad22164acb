"""What a run observed: findings and step records, exactly as they stand in `steps.jsonl`.

Unknown is None, never 0. A step is ok when it was judged and has no finding, apart from harmless ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from agenteval.script import FactKind
from agenteval.thinking import Thinking
from agenteval.timing import Timing
from agenteval.tokens import CountSource

SCHEMA = 1

UNPLAYED = "[simulated endpoint]"
"""How the embedded endpoint's answer begins to a request that it cannot play."""

FindingKind = Literal[
    "no_tool_call",
    "call_as_text",
    "call_in_reasoning",
    "truncated",
    "missing_tool_call",
    "extra_tool_call",
    "unexpected_tool_call",
    "wrong_tool",
    "unknown_tool",
    "invalid_json",
    "arguments_not_object",
    "schema_violation",
    "wrong_argument",
    "stale_argument",
    "invented_argument",
    "forbidden_call",
    "leaked_markup",
    "empty_reply",
    "finish_reason_mismatch",
    "bad_call_id",
    "stream_protocol",
    "reasoning_missing",
    "reasoning_unexpected",
    "wrong_answer",
    "state_mismatch",
    "endpoint_error",
]

FINDING_KINDS: tuple[FindingKind, ...] = get_args(FindingKind)

CALL_FINDINGS: frozenset[FindingKind] = frozenset(FINDING_KINDS[: FINDING_KINDS.index("leaked_markup")])
"""Findings about a call that was or should have been made; the others are about the reply as a whole."""

FactOutcome = Literal["used", "unused", "lost", "stale", "invented", "unstated"]
"""What became of a fact in the turn that needs it: `used`: the right value, or a rule that was kept. Else, in this
order: `unstated`: it never came up in this conversation (an earlier turn went wrong), which says nothing about memory;
`lost`: it does not stand in the view, whatever the model then said; else it stands there, and `stale`: an earlier value
was taken; `invented`: one that stands nowhere in the view; `unused`: another that stands there, or none."""

Instead = Literal["stale", "invented"]
"""The kind of a wrong value in a fact's place, as in FactOutcome."""

PrefixBreak = Literal["policy", "template", "history"]
"""Who changed what a request before had sent, so that a prefix cache ends there: the context policy; the chat template
or the thinking mode, which leave out reasoning of earlier turns; golden history, which puts what was expected there."""

Purpose = Literal["agent", "summary", "probe", "fork"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One classified defect. `path` names the place in the arguments or the world, `$`-rooted, if there is one.

    `harmless`: a breach of the stream contract that cost nothing of the reply; it is told and fails no step.
    """

    kind: FindingKind
    detail: str
    path: str | None = None
    harmless: bool = False


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """A call of the reply; `arguments` is the parsed text, None if it is no JSON."""

    id: str | None
    name: str | None
    arguments_text: str
    arguments: Any = None


@dataclass(frozen=True, slots=True)
class RecordedReply:
    content: str | None
    reasoning: str | None
    finish_reason: str | None
    tool_calls: tuple[RecordedCall, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordedExpectation:
    name: str
    arguments: Any = None


@dataclass(frozen=True, slots=True)
class RecordedResult:
    """What a mock tool answered to the call of the same id."""

    id: str
    name: str
    content: str
    is_error: bool


@dataclass(frozen=True, slots=True)
class RecordedFact:
    """What became of one fact that this turn needs; it stands on the turn's last step. `age`: turns (or calls, within a
    turn) since it was last said; `in_view`: whether it stood in the view of the step that decided: the one with the
    right value, else the first with a wrong one in its place, else the last; `got`: that wrong value; `instead`: its
    kind, if it is stale or invented, also where the fact was lost."""

    name: str
    kind: FactKind
    age: int
    age_unit: Literal["turns", "calls"]
    outcome: FactOutcome
    in_view: bool
    got: str | None = None
    instead: Instead | None = None


@dataclass(frozen=True, slots=True)
class Tokens:
    """Token counts of one request. `context` is the whole rendered prompt, with its source.

    `messages` and `tools` split it by a local rendering (o200k), so with a server's own `context` they need not add
    up to it. `prompt`, `cached`, `completion` and `reasoning` are the server's; `completion_source` tells when the
    completion had to be counted locally. `reusable`: tokens at the start of the prompt that
    stood there in the request before, reply included (a local rendering); `broken_by`: who changed what else had stood
    there, None if nobody did, or if this is not known.
    """

    context: int | None = None
    context_source: CountSource | None = None
    messages: int | None = None
    tools: int | None = None
    prompt: int | None = None
    cached: int | None = None
    completion: int | None = None
    reasoning: int | None = None
    completion_source: CountSource | None = None
    reusable: int | None = None
    broken_by: PrefixBreak | None = None


@dataclass(frozen=True, slots=True)
class Repair:
    """Something in the history that could not be sent back as the model wrote it, and what was sent instead."""

    call_id: str
    problem: str
    sent: str


@dataclass(frozen=True, slots=True)
class StepError:
    """Why a request could not be judged. `kind` is a transport fault (see `wire`), `http_status`, `error_in_stream`,
    `aborted`, `no_reply` or `cut`; `stopped` if it was not even made (then it stands in no record)."""

    kind: str
    detail: str
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Transfer:
    """How the exchange went on the wire. `connect_ms`: None if a connection was open already; `reads`: how often body
    bytes arrived; `resent`: a kept connection turned out to be closed, and the request went out once more;
    `send_lag_ms`: how late the request left after it was due (serialising included, connecting not); `merged`: chunks
    that came in one read with the chunk before, so that they share its stamp; `policy_ms`: CPU time of the context
    policy for this request (None in simulated runs, which are the same every time)."""

    connect_ms: float | None = None
    reads: int = 0
    resent: bool = False
    send_lag_ms: float | None = None
    merged: int | None = None
    policy_ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecord:
    """One model request: one line of `steps.jsonl`. `seed` is what values and the server's sampling were seeded with;
    `last_of_turn` marks the step on which a turn's answer and state were judged; on it stand the `facts` it needed."""

    schema: int = SCHEMA
    id: str
    run: str
    cell: str
    scenario: str
    thinking: Thinking
    policy: str
    trial: int
    turn: int
    step: int
    attempt: int
    purpose: Purpose
    ok: bool
    judged: bool
    findings: tuple[Finding, ...]
    expected: tuple[RecordedExpectation, ...] | None
    view_hash: str
    tool_results: tuple[RecordedResult, ...]
    reply: RecordedReply | None
    tokens: Tokens
    timing: Timing | None
    policy_report: Mapping[str, Any]
    repairs: tuple[Repair, ...]
    error: StepError | None
    transfer: Transfer = Transfer()
    simulated: bool
    started_at: str
    seed: int
    last_of_turn: bool = False
    facts: tuple[RecordedFact, ...] = ()
