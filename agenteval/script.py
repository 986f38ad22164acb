"""Scenario values: what a scenario file says, after loading. `${…}` still stands in them until they are bound.

The format is described in the README of `scenarios/`. Matchers (`$any`, `$regex`, …) stay plain JSON here;
`match` interprets them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from agenteval.messages import ToolSpec

Json = Any
"""A JSON value: None, bool, int, float, str, list or dict."""


@dataclass(frozen=True, slots=True)
class Change:
    """One effect of a rule on the world. `target` is a path below the world, e.g. `files[args.path]`."""

    verb: Literal["set", "append", "delete", "replace"]
    target: str
    value: Json = None


@dataclass(frozen=True, slots=True)
class Rule:
    """The first rule whose `when` (arguments) and `state` (world) hold answers: it changes the world, then returns.

    `error` is not None for a rule that answers with an error; `returns` is the result otherwise.
    """

    when: Mapping[str, Json] = field(default_factory=dict)
    state: Mapping[str, Json] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    returns: Json = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class MockTool:
    spec: ToolSpec
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class ExpectedCall:
    """A call that should be made (or, under `forbid`, must not be). An absent argument map accepts any arguments."""

    name: str
    arguments: Mapping[str, Json] | None = None


@dataclass(frozen=True, slots=True)
class ExpectedAnswer:
    """What the turn's last text must hold: one spelling of each of `contains`, none of `excludes`.

    The first spelling is the one that golden history uses; `example` is a whole right answer.
    """

    contains: tuple[tuple[str, ...], ...] = ()
    excludes: tuple[str, ...] = ()
    example: str | None = None


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a turn should bring about. `calls` None: not checked; empty: no call may be made.

    `extra`: further calls may be made. `any_way`: other calls may be made in their place, the state decides.
    `parallel`: the oracle makes all calls in one step (a model may still make them one by one).
    """

    calls: tuple[ExpectedCall, ...] | None = None
    order: Literal["exact", "any"] = "exact"
    extra: bool = False
    any_way: bool = False
    parallel: bool = False
    forbid: tuple[ExpectedCall, ...] = ()
    answer: ExpectedAnswer | None = None
    state: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Turn:
    user: str
    expect: Expectation = field(default_factory=Expectation)


@dataclass(frozen=True, slots=True)
class PastCall:
    """A call that was made before turn 1, as the model wrote it, and what it got to read; `failed`: an error."""

    name: str
    arguments_text: str
    result: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class PastTurn:
    """A turn that was played before turn 1: its calls, one by one or in one step, and the final words."""

    user: str
    answer: str
    calls: tuple[PastCall, ...] = ()
    parallel: bool = False

    @property
    def texts(self) -> tuple[str, ...]:
        called = (text for call in self.calls for text in (call.arguments_text, call.result))
        return (self.user, *called, self.answer)


FactKind = Literal["id", "number", "rule", "correction", "deletion"]


@dataclass(frozen=True, slots=True)
class Fact:
    """What a conversation has to carry from where it is stated to where it is needed. Turns and calls count from 1, the
    system prompt and the history are turn 0. `value`: what a right call or answer holds, of a `rule` its words;
    `stale`: what stood in its place before."""

    name: str
    kind: FactKind
    value: str
    stated: int
    needed: int
    stated_call: int | None = None
    needed_call: int | None = None
    stale: tuple[str, ...] = ()

    @property
    def age_unit(self) -> Literal["turns", "calls"]:
        return "calls" if self.stated == self.needed else "turns"

    @property
    def age(self) -> int:
        """In turns; where it is stated and needed in the same turn, in calls."""
        if self.stated != self.needed:
            return self.needed - self.stated
        return (self.needed_call or 0) - (self.stated_call or 0)


@dataclass(frozen=True, slots=True)
class Defaults:
    """Settings of a scenario; a suite's file and the command line may override them."""

    max_steps: int = 8
    max_tokens: int = 1024
    temperature: float | None = 0.0


@dataclass(frozen=True, slots=True)
class ValueSpec:
    """A seeded value. `nonce`: a pattern in which # becomes a digit and @ a capital letter; `choice`: one of these."""

    nonce: str | None = None
    choice: tuple[str | int | float, ...] = ()


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario, bound (no `${value}` left) or not. `hash` identifies the loaded content incl. its `$file`s; `idle`:
    policies of its suite that have little to do in it, and why; `history`: what was said before turn 1."""

    name: str
    description: str
    tags: tuple[str, ...]
    system: str
    tools: tuple[MockTool, ...]
    turns: tuple[Turn, ...]
    world: Json
    values: Mapping[str, ValueSpec]
    defaults: Defaults
    source: str
    hash: str
    facts: tuple[Fact, ...] = ()
    idle: Mapping[str, str] = field(default_factory=dict)
    history: tuple[PastTurn, ...] = ()

    @property
    def tool_specs(self) -> tuple[ToolSpec, ...]:
        return tuple(tool.spec for tool in self.tools)


@dataclass(frozen=True, slots=True)
class Suite:
    """An ordered set of scenarios; names are unique. `policies`: those that it was made to tell apart."""

    name: str
    scenarios: tuple[Scenario, ...]
    policies: tuple[str, ...] = ()
