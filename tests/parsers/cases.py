"""What a hand-written case is: a raw reply of a family and what it means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agenteval.parsers import ParsedCall, ParsedMessage


@dataclass(frozen=True, slots=True)
class Case:
    """A raw reply and what it means. `why`: the defect or the policy; `guards`: public reports of it; `choices`: the
    options that differ from the defaults."""

    why: str
    raw: str
    expected: ParsedMessage
    guards: str = ""
    thinking: bool = False
    choices: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cases:
    """A family's cases: replies as its models write them, and for each policy replies that need it."""

    well_formed: list[Case]
    by_policy: dict[str, list[Case]]

    def all(self) -> list[Case]:
        return self.well_formed + [case for cases in self.by_policy.values() for case in cases]


def said(content: str = "", *calls: tuple[str, str], reasoning: str = "") -> ParsedMessage:
    return ParsedMessage(reasoning, content, tuple(ParsedCall(*call) for call in calls))
