"""How our own parser reads a raw text, under every policy; and whether another one read it so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agenteval.parsers import Family, ParsedMessage
from agenteval.regress.case import Case
from agenteval.regress.likeness import same
from agenteval.regress.own import Own
from agenteval.regress.subject import Question


@dataclass(frozen=True, slots=True)
class Reading:
    """`expected`: under the policies' defaults; `otherwise`: (policy, other option) → what comes out under it, where
    that is something else."""

    question: Question
    raw: str
    family: Family
    expected: ParsedMessage
    otherwise: Mapping[tuple[str, str], ParsedMessage]

    def option_of(self, said: ParsedMessage) -> str | None:
        """How somebody who read this agrees with us: `` with our default, `POLICY=OPTION` with another option; None:
        not at all."""
        if same(self.expected, said, exact=False):
            return ""
        alike = [key for key, meaning in self.otherwise.items() if same(meaning, said, exact=False)]
        return "=".join(alike[0]) if alike else None

    def case(self, name: str, why: str) -> Case:
        """The text as a case of the corpus; about the first policy that it asks about, if it does."""
        policy = next((policy for policy, _ in self.otherwise), None)
        options = {option: said for (name, option), said in self.otherwise.items() if name == policy}
        return Case(
            family=self.family.name,
            name=name,
            why=why,
            guards=(),
            tools=self.question.tools,
            raw=self.raw,
            expected=self.expected,
            thinking=self.question.thinking,
            policy=policy,
            otherwise=options,
        )


def reading(family: Family, question: Question, raw: str) -> Reading:
    """Read a raw text under each option of each policy."""
    own = Own(family)
    expected = own.whole(question, raw)
    otherwise = {}
    for policy in family.policies:
        for option in policy.options:
            if option != policy.default:
                asked = Question(question.tools, question.thinking, {policy.name: option})
                said = own.whole(asked, raw)
                if said != expected:
                    otherwise[policy.name, option] = said
    return Reading(question, raw, family, expected, otherwise)
