"""How long a scenario's prompts are when all goes well, and what of them no context policy can take away."""

from __future__ import annotations

from dataclasses import dataclass

from agenteval.dialects import sent_history
from agenteval.run.accounting import Accountant
from agenteval.script import Scenario
from agenteval.tokens import Calibration
from agenteval.tools import beginning, play


@dataclass(frozen=True, slots=True)
class Lengths:
    """Tokens: of system prompt, tools and first user message alone, which are in every prompt; of the longest one."""

    fixed: int
    longest: int


def lengths(scenario: Scenario, accountant: Accountant, family: str | None) -> Lengths:
    """Of a bound scenario. Counted without thoughts, which no plan knows, and by characters where the family is
    unknown."""
    scale = accountant.scale("off")
    said = [*beginning(scenario), *(message for turn in play(scenario) for message in (turn.user, *turn.messages))]
    first = next(at for at, message in enumerate(said) if message.role == "user")
    while said[-1].role == "assistant":
        said.pop()
    fixed, longest = (
        scale.size(sent_history(tuple(messages), "off", family).messages, scenario.tool_specs).estimate(Calibration())
        for messages in (said[: first + 1], said)
    )
    return Lengths(fixed, longest)
