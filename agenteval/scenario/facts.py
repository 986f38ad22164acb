"""Whether declared facts are as declared: said where they say, needed where they say, and not said again in between."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agenteval.document.reader import Path
from agenteval.errors import Problem
from agenteval.messages import Message, Transcript
from agenteval.scenario.loader import Source
from agenteval.scoring.facts import watched
from agenteval.scoring.shown import message_texts, stands
from agenteval.script import Fact, Scenario
from agenteval.tools import GoldenTurn, beginning


def fact_problems(source: Source, bound: Scenario, golden: Sequence[GoldenTurn]) -> Iterator[Problem]:
    """`bound` is the scenario of `source` under some seed, `golden` its golden course."""
    for fact in bound.facts:
        for key, message in _Check(fact, bound, golden).problems():
            path: Path = ("facts", fact.name, *key)
            yield source.document.problem(path, message)


@dataclass(frozen=True, slots=True)
class _Check:
    fact: Fact
    scenario: Scenario
    golden: Sequence[GoldenTurn]

    def problems(self) -> Iterator[tuple[Path, str]]:
        fact, turns = self.fact, len(self.golden)
        if fact.needed > turns:
            yield ("needed",), f"there is no turn {fact.needed}: the scenario has {turns}"
        elif fact.age < 1:
            yield ("needed",), "it is needed before it is stated; within a turn, give `stated_call` and `needed_call`"
        else:
            yield from self._places()

    def _places(self) -> Iterator[tuple[Path, str]]:
        fact = self.fact
        if not self._is_needed():
            what = "forbids no call" if fact.kind == "rule" else "expects it in no call and no answer"
            yield ("needed",), f"turn {fact.needed} {what}"
        first = self._messages(fact.stated, fact.stated_call)
        if not stands(fact.value, _text(first[-1:] if fact.stated_call else first)):
            yield ("stated",), f"{fact.value!r} is not said there"
        between = [m for turn in range(fact.stated + 1, fact.needed) for m in self._turn(turn)]
        if fact.stated == fact.needed:
            between = list(self._messages(fact.needed, (fact.needed_call or 1) - 1)[len(first) :])
        elif fact.needed_call is None:
            between.append(self.golden[fact.needed - 1].user)
        else:
            between += self._messages(fact.needed, fact.needed_call - 1)
        if stands(fact.value, _text(between)):
            yield ("value",), f"{fact.value!r} is said again before it is needed, so it is not as old as that"
        before = [m for turn in range(fact.needed) for m in self._turn(turn)]
        for at, old in enumerate(fact.stale):
            if not stands(old, _text([*before, *between])):
                yield ("stale", at), f"{old!r} is never said before, so nobody can take it"
        if fact.kind in ("correction", "deletion") and not fact.stale:
            yield ("kind",), f"a {fact.kind} needs `stale`: what was right before"

    def _is_needed(self) -> bool:
        expect = self.scenario.turns[self.fact.needed - 1].expect
        if self.fact.kind == "rule":
            return bool(expect.forbid)
        (found,) = watched((self.fact,), self.fact.needed, expect)
        return bool(found.places) or found.in_answer

    def _turn(self, turn: int) -> Transcript:
        """All messages of a turn; of turn 0 the system prompt and the history."""
        if turn == 0:
            return beginning(self.scenario)
        return (self.golden[turn - 1].user, *self.golden[turn - 1].messages)

    def _messages(self, turn: int, call: int | None) -> Transcript:
        """Those of a turn up to the result of a call; all without one."""
        messages = self._turn(turn)
        if call is None:
            return messages
        results = [at for at, message in enumerate(messages) if message.role == "tool"]
        return messages[: results[min(call, len(results)) - 1] + 1] if results and call else messages[:1]


def _text(messages: Sequence[Message]) -> str:
    return "\n".join(text for message in messages for text in message_texts(message))
