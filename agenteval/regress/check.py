"""Parsers under the exam: every case of a corpus, for each of them, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from agenteval.parsers import FAMILIES, Choices, Family
from agenteval.regress.case import Case
from agenteval.regress.cuts import Thoroughness
from agenteval.regress.exam import Exam
from agenteval.regress.failure import Failure, Result
from agenteval.regress.own import Own
from agenteval.regress.subject import Question, Subject

NO_CHOICES: Choices = {}
Progress = Callable[[str, Result], None]


@dataclass(frozen=True, slots=True)
class Paper:
    """One parser's results. `version`: of the engine, None where it does not say."""

    subject: str
    family: str
    version: str | None
    results: tuple[Result, ...]

    @property
    def failures(self) -> list[tuple[Result, Failure]]:
        return [(result, failure) for result in self.results for failure in result.failures]


@dataclass(frozen=True, slots=True)
class Tally:
    """How many of some sittings went well. `whole`: read rightly as a whole text; `clean`: and under every cut;
    `other_option`: clean, and shows another option than our default; `passed`: nothing at all to complain of."""

    all: int
    whole: int
    clean: int
    other_option: int
    passed: int


def tally(results: Iterable[Result]) -> Tally:
    some = list(results)
    return Tally(
        len(some),
        sum(result.whole for result in some),
        sum(result.clean for result in some),
        sum(result.clean and result.option is not None for result in some),
        sum(not result.failures for result in some),
    )


@dataclass(frozen=True, slots=True)
class Options:
    """How an exam is held. `choices`: the options of policies that are right, by policy; `cut`: places, if only this
    way of cutting is tried; `shrinking`: whether failures are made small, which takes long with slow parsers."""

    thoroughness: Thoroughness = "all"
    choices: Choices = field(default_factory=dict)
    cut: tuple[int, ...] | None = None
    shrinking: bool = True


def check(subject: Subject, corpus: Sequence[Case], options: Options, see: Progress | None = None) -> Paper:
    """The exam of one parser over the cases of its family."""
    oracle = None if subject.traits.exact else Own(subject.family)
    exam = Exam(subject, options.thoroughness, oracle, options.cut, options.shrinking)
    choices = _of(subject.family, options.choices)
    results = []
    for case in corpus:
        if case.family == subject.family.name:
            for result in exam.sit(case, choices):
                results.append(result)
                if see:
                    see(subject.name, result)
    return Paper(subject.name, subject.family.name, subject.version, tuple(results))


def _of(family: Family, choices: Choices) -> Choices:
    """Those that the family has."""
    known = {policy.name for policy in family.policies}
    return {name: option for name, option in choices.items() if name in known}


def rewritten(case: Case, raw: str, choices: Choices = NO_CHOICES) -> Case:
    """The case with another text, which means what our own parser reads in it, under these options of its policies."""
    family = FAMILIES[case.family]
    said = Own(family).whole(Question(case.tools, case.thinking, _of(family, choices)), raw)
    return replace(case, raw=raw, expected=said, otherwise={})
