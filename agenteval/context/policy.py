"""The policy seam: transcript + state → a view, or first a request to a model (a summary)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from agenteval.messages import Message, ToolCall, ToolSpec, Transcript

Count: TypeAlias = Callable[[Transcript], int]
"""Tokens of the rendered prompt of these messages, tools included."""

State: TypeAlias = Any
"""A policy's own memory between steps: an immutable value that only the policy reads."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What the endpoint allows: `window` tokens of prompt and reply together; None: it does not say."""

    window: int | None = None


@dataclass(frozen=True, slots=True)
class PolicyReport:
    """What a policy did at one step.

    `tokens_before` and `tokens_after` are counts of the rendered prompt; `first_changed` is the index of the first
    message of the transcript that the view lacks or alters (None: the view is the transcript).
    """

    acted: bool
    policy: str
    tokens_before: int | None = None
    tokens_after: int | None = None
    first_changed: int | None = None
    dropped_messages: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """The messages for the model, the policy's next state, and its report."""

    messages: Transcript
    state: State
    report: PolicyReport


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """A request that the policy needs answered (by `resume`) before it can give a view."""

    messages: Transcript
    max_tokens: int
    state: State


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

    def resume(self, state: State, reply: Message) -> View | ModelRequest: ...

    def recall(self, call: ToolCall, transcript: Transcript, state: State) -> str: ...


class WithoutModel:
    """What a policy that asks no model and offers no tools has no use for."""

    __slots__ = ()

    def resume(self, state: State, reply: Message) -> View | ModelRequest:
        raise AssertionError("this policy asks no model")

    def recall(self, call: ToolCall, transcript: Transcript, state: State) -> str:
        raise AssertionError("this policy offers no tools")
