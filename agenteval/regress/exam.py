"""The exam: one case, one parser, everything that must hold. A failure comes with its smallest cut and input.

1. The whole text means what the case says (of malformed text: under one of the options of its policy).
2. Every cut means what the whole text means.
3. The deltas keep the stream contract, no special string leaks, and the finish reason, where one is given, fits.
4. A reply that breaks off invents nothing. (Only well-formed ones: what is malformed may mean something else when it is
   cut.)
5. Nothing is held back that cannot become a marker.
6. Where a parser can be asked: nothing comes after the end, and the work is linear in the text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from agenteval.parsers import ParsedMessage
from agenteval.regress import rules
from agenteval.regress.case import Case
from agenteval.regress.cuts import Cutter, Pieces, Thoroughness, thinned
from agenteval.regress.failure import Failure, Kind, Place, Result
from agenteval.regress.likeness import same
from agenteval.regress.shrink import cut_at
from agenteval.regress.smaller import Smaller
from agenteval.regress.subject import Countable, Question, Stream, Subject, SubjectError


@dataclass(frozen=True, slots=True)
class Exam:
    """A parser's exam. `oracle`: a parser to compare shrunk inputs with, where there is one that reads the case
    rightly; `cut`: places, if only this way of cutting is tried, and nothing that cuts otherwise;
    `shrinking`: whether failures are made small."""

    subject: Subject
    thoroughness: Thoroughness = "all"
    oracle: Subject | None = None
    cut: tuple[int, ...] | None = None
    shrinking: bool = True

    @property
    def cutter(self) -> Cutter:
        return Cutter(self.subject.family.special, self.subject.traits.whole_tokens)

    def cuts(self, text: str) -> Iterable[Pieces]:
        if self.cut is not None:
            return [cut_at(text, [min(place, len(text)) for place in self.cut])]
        return self.cutter.cuts(text, self.thoroughness)

    def sit(self, case: Case, choices: Mapping[str, str]) -> list[Result]:
        """A case, once for each of its options where the parser can choose; `choices` narrows them."""
        meanings = case.meanings()
        if case.policy is not None and case.policy in choices:
            default = next(policy.default for policy in self.subject.family.policies if policy.name == case.policy)
            wanted = choices[case.policy]
            meanings = {option: said for option, said in meanings.items() if (option or default) == wanted}
        if not meanings:
            return []
        question = Question(case.tools, case.thinking)
        if not self.subject.traits.chooses:
            return [self.judged(case, question, meanings)]
        asked = [(self._choosing(question, case, option), option) for option in meanings]
        return [self.judged(case, question, {option: meanings[option]}) for question, option in asked]

    @staticmethod
    def _choosing(question: Question, case: Case, option: str | None) -> Question:
        return question if option is None or not case.policy else replace(question, choices={case.policy: option})

    def judged(self, case: Case, question: Question, meanings: Mapping[str | None, ParsedMessage]) -> Result:
        """One sitting. `meanings`: the readings that are right."""
        sitting, option = _Sitting(self, case, question), None
        try:
            option = sitting.read_whole(meanings)
            if self.subject.traits.streams:
                sitting.cut()
                if case.well_formed and self.cut is None:
                    sitting.truncate()
            sitting.count()
        except SubjectError as error:
            if not sitting.died:
                sitting.fail(_kind(error), error.detail, (case.raw,))
        if self.shrinking and self.cut is None:
            sitting.make_small()
        return Result(case, option, tuple(sitting.failures.values()), sitting.cuts)


def _kind(error: SubjectError) -> Kind:
    return "hung" if error.kind == "hung" else "crashed" if error.kind == "crashed" else "raised"


class _Sitting:
    """One case on its way. Of each kind the smallest failure is kept."""

    def __init__(self, exam: Exam, case: Case, question: Question) -> None:
        self.failures: dict[Kind, Failure] = {}
        self.cuts = 0
        self.died = False  # and that was taken note of
        self._exam, self._case, self._question = exam, case, question
        self._subject, self._exact = exam.subject, exam.subject.traits.exact
        self._whole = ParsedMessage()

    def fail(self, kind: Kind, detail: str, pieces: Pieces, at: Place = "whole") -> None:
        """Take note of a failure; of several of one kind, the one with the fewest cuts stays."""
        self._note(Failure(kind, at, detail, pieces or ("",)))

    def _note(self, failure: Failure) -> None:
        known = self.failures.get(failure.kind)
        least = known if known and len(known.pieces) <= len(failure.pieces) else failure
        self.failures[failure.kind] = replace(least, times=known.times + 1 if known else 1)

    def make_small(self) -> None:
        exam = self._exam
        smaller = Smaller(self._subject, self._question, exam.cutter, self._case.raw, exam.oracle)
        self.failures = {kind: smaller.made(failure) for kind, failure in self.failures.items()}

    def read_whole(self, meanings: Mapping[str | None, ParsedMessage]) -> str | None:
        """The option whose meaning the whole text has; None for the default, or if it has none."""
        raw, wanted = self._case.raw, next(iter(meanings.values()))
        try:
            self._whole = self._subject.whole(self._question, raw)
        except SubjectError as error:
            if error.kind != "raised":
                raise
            self._whole = wanted
            self.fail("raised", error.detail, (raw,))
            return None
        self._look_for_markers(self._whole, (raw,), "whole")
        for option, meaning in meanings.items():
            if same(self._whole, meaning, exact=self._exact):
                return option
        ours = self._case.well_formed or self._subject.traits.chooses
        kind: Kind = "whole" if ours else "policy"
        self._note(Failure(kind, "whole", "", (raw,), wanted, self._whole))
        return None

    def cut(self) -> None:
        for pieces in self._exam.cuts(self._case.raw):
            self.cuts += 1
            stream = self._streamed(pieces, "cut")
            if stream is None:
                continue
            if flaw := rules.protocol_flaw(stream.deltas, exact=self._exact):
                self.fail("protocol", flaw, pieces, "cut")
            if flaw := rules.finish_flaw(stream):
                self.fail("finish", flaw, pieces, "cut")
            if not same(stream.message, self._whole, exact=self._exact):
                self._note(Failure("cuts", "cut", "", pieces, self._whole, stream.message))
                self._look_for_markers(stream.message, pieces, "cut")

    def truncate(self) -> None:
        places = self._exam.cutter.places(self._case.raw)[:-1]
        for end in places if self._exam.thoroughness == "all" else thinned(places):
            for kind, detail, pieces in self._prefix_flaws(self._case.raw[:end]):
                self.fail(kind, detail, pieces, "prefix")

    def _prefix_flaws(self, text: str) -> Iterator[tuple[Kind, str, Pieces]]:
        family, one = self._subject.family, (text,)
        several = tuple(filter(None, self._exam.cutter.grouping(text, seed=len(text))))
        given, regrouped = self._streamed(one, "prefix"), self._streamed(several, "prefix")
        if given is None or regrouped is None:
            return
        part = given.message
        if flaw := rules.invention_flaw(part, self._whole):
            yield "truncation", flaw, one
        if self._exact and (flaw := rules.lost_words_flaw(family, part, self._whole)):
            yield "truncation", flaw, one
        if not same(part, regrouped.message, exact=self._exact):
            yield "truncation", f"one piece says {part}, several say {regrouped.message}", several
        if flaw := rules.held_back_flaw(family, text, given, exact=self._exact):
            yield "hold_back", flaw, one
        oracle = self._exam.oracle
        if oracle and (flaw := rules.held_calls_flaw(regrouped, oracle.stream(self._question, several))):
            yield "hold_back", flaw, several

    def count(self) -> None:
        """What only some parsers can be asked."""
        if not isinstance(self._subject, Countable):
            return
        raw = self._case.raw
        if said := self._subject.after_the_end(self._question, raw):
            self.fail("flush", f"after the end: {said}", (raw,))
        if self._exam.thoroughness == "all" and (flaw := superlinear(self._subject, self._question, raw)):
            self.fail("linear", flaw, (raw,))

    def _streamed(self, pieces: Pieces, at: Place) -> Stream | None:
        """None where the parser raises. Raises SubjectError where it dies: each further question starts it again."""
        try:
            return self._subject.stream(self._question, pieces)
        except SubjectError as error:
            self.fail(_kind(error), error.detail, pieces, at)
            self.died = error.kind != "raised"
            if self.died:
                raise
            return None

    def _look_for_markers(self, message: ParsedMessage, pieces: Pieces, at: Place) -> None:
        if flaw := rules.marker_flaw(self._subject.family, message):
            self.fail("markers", flaw, pieces, at)


def superlinear(subject: Countable, question: Question, text: str, copies: int = 4) -> str | None:
    """Whether twice the text costs more than twice the work, counted, with the text coming character by character."""
    once, twice = (subject.work(question, text * times) for times in (copies, 2 * copies))
    return f"work {once} for {copies} copies, {twice} for twice as many" if twice > 2.1 * once + 64 else None
