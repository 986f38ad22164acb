"""Parsers under the exam: every case of a corpus, for each of them, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from agenteval.parsers import Choices
from agenteval.regress.case import Case
from agenteval.regress.cuts import Thoroughness
from agenteval.regress.exam import Exam, Failure, Result
from agenteval.regress.own import Own
from agenteval.regress.subject import Subject

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


def check(
    subject: Subject,
    corpus: Sequence[Case],
    choices: Choices,
    thoroughness: Thoroughness,
    see: Progress | None = None,
) -> Paper:
    """The exam of one parser over the cases of its family."""
    own = Own(subject.family)
    exam = Exam(subject, thoroughness, oracle=None if subject.traits.exact else own)
    wanted: Mapping[str, str] = {
        name: option
        for name, option in choices.items()
        if name in {policy.name for policy in subject.family.policies}
    }
    results = []
    for case in corpus:
        if case.family == subject.family.name:
            for result in exam.sit(case, wanted):
                results.append(result)
                if see:
                    see(subject.name, result)
    return Paper(subject.name, subject.family.name, getattr(subject, "version", None), tuple(results))
