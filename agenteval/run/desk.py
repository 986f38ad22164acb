"""What a session needs beside its cell: finished objects, no configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agenteval.client import Chat, chat
from agenteval.context import Budget, Policy, build_policy
from agenteval.dialects import Dialect
from agenteval.outcome import StepRecord
from agenteval.run.accounting import Accountant
from agenteval.run.breaker import Breaker
from agenteval.run.isolation import Isolation
from agenteval.run.plan import Plan
from agenteval.run.retries import Retries
from agenteval.wire import Limits, Recording, Transport


@dataclass(frozen=True, slots=True)
class Desk:
    """The endpoint, ready to be asked, and where records go. `extra` is merged into every request body;
    `thinking_switched`: whether the thinking mode of a cell really is asked for; `chat`: how a request is asked;
    `stream`: whether replies are streamed (their latencies are refused if not); `raw_text`: whether the server is asked
    for what the model wrote, too; `breaker`: of the whole run; `untimed`: why the times of replies mean nothing here,
    None if they do mean something; `isolation`: how each conversation gets a prefix cache of its own (None: it does
    not)."""

    run: str
    plan: Plan
    transport: Transport
    dialect: Dialect
    model: str
    accountant: Accountant
    journal: Callable[[StepRecord, Recording | None], None]
    simulated: bool = False
    thinking_switched: bool = True
    extra: Mapping[str, Any] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    retries: Retries = field(default_factory=Retries)
    breaker: Breaker = field(default_factory=Breaker)
    policy: Callable[[str], Policy] = build_policy
    budget: Budget = field(default_factory=Budget)
    family: str | None = None
    chat: Chat = chat
    stream: bool = True
    raw_text: bool = False
    untimed: str | None = None
    isolation: Isolation | None = None
