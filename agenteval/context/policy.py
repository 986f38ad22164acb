"""The policy seam: transcript + state → a view, or first a request to a model (a summary)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from agenteval.messages import ToolCall, ToolSpec, Transcript

Count: TypeAlias = Callable[[Transcript], int]
"""Tokens of the rendered prompt of these messages, tools included."""

State: TypeAlias = Any
"""A policy's own memory between steps: an immutable value that only the policy reads."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What the endpoint allows: `window` tokens of prompt and reply together; None: it does not say. `needed`: the
    texts that a right answer to this turn holds, which only the control `oracle_context` may look at; `tools`: those
    that are offered, as far as known."""

    window: int | None = None
    needed: tuple[str, ...] = ()
    tools: tuple[ToolSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that was done: by which rule, why, what, and the tokens of the prompt before and after. `above`: the
    high mark that was passed, `target`: the low one; None where the rule has no mark in tokens."""

    rule: str
    why: str
    what: str
    before: int | None = None
    after: int | None = None
    above: int | None = None
    target: int | None = None


@dataclass(frozen=True, slots=True)
class PolicyReport:
    """What a policy did at one step.

    `tokens_before` and `tokens_after` are counts of the rendered prompt (None: not counted); `first_changed` is the
    index of the first message of the transcript that the view lacks or alters (None: the view is the transcript);
    `dropped_messages` and `changed_messages` say how many it lacks and alters in all, `removed_ids` the calls whose
    results went or were altered at this step. `rejected`: what was not done, and why; `missed_target`: tokens above the
    low mark (of several rules the lowest) after all that was done at this step, None if it was reached; `otherwise`:
    what was done in another way than a knob asks for, and why. What a summary cost stands in the record of its own
    request (`purpose: summary`).
    """

    acted: bool
    policy: str
    tokens_before: int | None = None
    tokens_after: int | None = None
    first_changed: int | None = None
    dropped_messages: int = 0
    changed_messages: int = 0
    removed_ids: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()
    rejected: tuple[str, ...] = ()
    missed_target: int | None = None
    otherwise: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """The messages for the model, the policy's next state, and its report."""

    messages: Transcript
    state: State
    report: PolicyReport


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """A request that the policy needs answered (by `resume`) before it can give a view. `offers_tools`: the tools are
    declared so that the server's prefix cache holds; a call in the answer is never carried out."""

    messages: Transcript
    max_tokens: int
    state: State
    offers_tools: bool = False


@dataclass(frozen=True, slots=True)
class ModelReply:
    """What a model answered to a ModelRequest; `calls`: how many tools it tried to call."""

    content: str | None
    finish_reason: str | None = None
    calls: int = 0


class Policy(Protocol):
    """`begin` → state; `step` → View or ModelRequest; `resume` continues after a ModelRequest.

    `tools` are offered to the model beside the scenario's own; `recall` answers calls to them, and they are exempt from
    expectations. All pure: whoever runs the policy does the asking.
    """

    @property
    def name(self) -> str: ...

    @property
    def tools(self) -> tuple[ToolSpec, ...]: ...

    def begin(self) -> State: ...

    def step(self, transcript: Transcript, state: State, budget: Budget, count: Count) -> View | ModelRequest: ...

    def resume(self, state: State, reply: ModelReply) -> View | ModelRequest: ...

    def recall(self, call: ToolCall, transcript: Transcript, state: State) -> str: ...
