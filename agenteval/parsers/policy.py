"""Policies: what a parser does where its format leaves a question open, as data, with a choice per run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from agenteval.errors import UsageError

Choices: TypeAlias = Mapping[str, str]
"""Policy name → the option that a run wants; what is not named stays at its default."""


@dataclass(frozen=True, slots=True)
class Policy:
    """One question that a format leaves open, for ambiguous and malformed text.

    `options`: what can be chosen, and what it does; one option where only one thing is sane. `elsewhere`: what others
    do, by the name of an engine (`vllm`, `sglang`, `llamacpp`), of a library or `template`. Whatever is chosen, the
    result does not depend on how the text was cut.
    """

    name: str
    question: str
    options: Mapping[str, str]
    default: str
    elsewhere: Mapping[str, str] = field(default_factory=dict)


def only(name: str, question: str, answer: str, does: str, **elsewhere: str) -> Policy:
    """A policy without a choice."""
    return Policy(name, question, {answer: does}, answer, elsewhere)


def settled(family: str, policies: Iterable[Policy], wanted: Choices) -> dict[str, str]:
    """Every policy's option: the one wanted, else the default. Raises UsageError for a policy or an option that the
    family does not have."""
    known = {policy.name: policy for policy in policies}
    for name, option in wanted.items():
        if name not in known:
            raise UsageError(f"{family} has no policy called {name!r}; there are: {', '.join(known)}")
        if option not in known[name].options:
            there = ", ".join(known[name].options)
            raise UsageError(f"{family}'s policy {name} has no option {option!r}; there are: {there}")
    return {name: wanted.get(name, policy.default) for name, policy in known.items()}
