"""What becomes of the facts that a turn needs: was the value there, and was it used? See `outcome.FactOutcome`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from agenteval.errors import UsageError
from agenteval.match import example_of
from agenteval.messages import Transcript
from agenteval.outcome import FactOutcome, Finding, Instead, RecordedFact
from agenteval.scoring.calls import ReadCall
from agenteval.scoring.shown import said_text, stands
from agenteval.script import Expectation, ExpectedCall, Fact
from agenteval.wording import says

Place: TypeAlias = tuple[str, tuple[str | int, ...]]
"""Where in a call a value is wanted: the tool, and the way through its arguments."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A fact while its turn is played. `places` want it in calls, `others` are what else is right there; `in_view`: at
    the step that decided, or the last one so far; `got`: the first wrong value; `shown`: whether it stood in the view.
    """

    fact: Fact
    places: tuple[Place, ...]
    others: tuple[str, ...]
    in_answer: bool
    used: bool = False
    decided: bool = False
    in_view: bool = False
    got: str | None = None
    shown: bool = False

    def after(self, calls: Sequence[ReadCall], findings: Sequence[Finding], shown: Callable[[], str]) -> Watched:
        """After one step of the turn; `shown`: all that stood in its view."""
        if self.used:
            return self
        if self.fact.kind == "rule":
            broken = self.decided or any(finding.kind == "forbidden_call" for finding in findings)
            return self if self.decided else replace(self, decided=broken, in_view=stands(self.fact.value, shown()))
        taken = [text for call in calls for text in self._taken(call)]
        right = any(self.fact.value in text for text in taken)
        wrong = next((text for text in taken if text not in self.others), None)
        if self.decided and not right:
            return self
        watched = replace(
            self, in_view=stands(self.fact.value, shown()), used=right, decided=right or wrong is not None
        )
        return watched if right or wrong is None else replace(watched, got=wrong, shown=stands(wrong, shown()))

    def _taken(self, call: ReadCall) -> Iterator[str]:
        """What a call holds where the fact is wanted."""
        for tool, path in self.places:
            value = _at(call.arguments, path) if tool == call.name else None
            if isinstance(value, str | int | float) and not isinstance(value, bool):
                yield str(value)

    def judged(self, answer: str, transcript: Transcript) -> RecordedFact:
        """When the turn is over; `transcript`: all that the policy could choose from."""
        fact, instead = self.fact, self._instead(answer)
        outcome = self._outcome(answer, transcript, instead)
        taken = instead if outcome in ("lost", "stale", "invented") else None
        return RecordedFact(fact.name, fact.kind, fact.age, fact.age_unit, outcome, self.in_view, self.got, taken)

    def _outcome(self, answer: str, transcript: Transcript, instead: Instead | None) -> FactOutcome:
        fact = self.fact
        kept = not self.decided if fact.kind == "rule" else self.used
        if kept or (self.in_answer and says(answer, (fact.value,))):
            return "used"
        if not stands(fact.value, said_text(transcript)):
            return "unstated"
        return (instead or "unused") if self.in_view else "lost"

    def _instead(self, answer: str) -> Instead | None:
        """What was said in place of the value, if it is of a kind."""
        taken = self.got or ""
        if any(old in taken or (self.in_answer and says(answer, (old,))) for old in self.fact.stale):
            return "stale"
        return "invented" if self.got is not None and not self.shown else None


def watched(facts: Sequence[Fact], turn: int, expect: Expectation) -> tuple[Watched, ...]:
    """The facts that a turn (from 1) needs."""
    return tuple(_watched(fact, expect) for fact in facts if fact.needed == turn)


def _watched(fact: Fact, expect: Expectation) -> Watched:
    wanted = [(call.name, path, text) for call in expect.calls or () for path, text in leaves_of(call)]
    places = tuple(dict.fromkeys((name, path) for name, path, text in wanted if fact.value in text))
    others = tuple(text for name, path, text in wanted if (name, path) in places and fact.value not in text)
    answer = expect.answer
    said = answer is not None and any(fact.value in text for texts in answer.contains for text in texts)
    return Watched(fact, places, others, said)


def leaves_of(call: ExpectedCall) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The texts and numbers in a right call's arguments, each with the way to it."""
    try:
        yield from _leaves(example_of(dict(call.arguments or {})), ())
    except UsageError:  # a matcher that anything fits
        return


def _leaves(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        yield path, str(value)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, (*path, str(key)))
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from _leaves(item, (*path, at))


def _at(value: Any, path: Sequence[str | int]) -> Any:
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value
