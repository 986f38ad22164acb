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

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from agenteval.parsers import ParsedMessage
from agenteval.regress import rules
from agenteval.regress.case import Case
from agenteval.regress.cuts import Cutter, Pieces, Thoroughness, thinned
from agenteval.regress.likeness import differing, same
from agenteval.regress.oddness import oddness
from agenteval.regress.shrink import cut_at, smallest_cut, smallest_text
from agenteval.regress.subject import Countable, Question, Stream, Subject, SubjectError

Kind = Literal[
    "whole",
    "policy",
    "cuts",
    "protocol",
    "markers",
    "finish",
    "truncation",
    "hold_back",
    "flush",
    "linear",
    "raised",
    "crashed",
    "hung",
]


Show = Callable[[Pieces], bool]
"""Whether a cut text shows the failure."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong. `pieces`: the smallest cut that shows it; `expected`, `got`: both readings, where it is about
    them; `times`: how many cuts or prefixes show it; `shrunk`: a smaller input with the same fault, cut as it must
    be."""

    kind: Kind
    detail: str
    pieces: Pieces
    expected: ParsedMessage | None = None
    got: ParsedMessage | None = None
    times: int = 1
    shrunk: Pieces | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """How a case went. `option`: the option of the case's policy that was asked for, or that the parser's answer shows;
    None: the default, or no option. `cuts`: how many ways of cutting were tried."""

    case: Case
    option: str | None
    failures: tuple[Failure, ...]
    cuts: int

    @property
    def whole(self) -> bool:
        """Whether the whole text was read as it should be."""
        return not any(failure.kind in ("whole", "policy", "raised", "crashed", "hung") for failure in self.failures)

    @property
    def depends_on_the_cut(self) -> bool:
        return any(failure.kind in ("cuts", "crashed", "hung") for failure in self.failures)

    @property
    def clean(self) -> bool:
        """The same, under every cut."""
        return self.whole and not any(failure.kind in ("cuts", "protocol", "markers") for failure in self.failures)


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
        sitting = _Sitting(self, case, question)
        try:
            option = sitting.read_whole(meanings)
            if self.subject.traits.streams:
                sitting.cut()
                if case.well_formed and self.cut is None:
                    sitting.truncate()
            sitting.count()
        except SubjectError as error:
            sitting.fail(_kind(error), error.detail, (case.raw,))
            option = None
        return Result(case, option, tuple(sitting.failures.values()), sitting.cuts)


def _kind(error: SubjectError) -> Kind:
    return "hung" if error.kind == "hung" else "crashed" if error.kind == "crashed" else "raised"


class _Sitting:
    """One case on its way. Of each kind the smallest failure is kept."""

    def __init__(self, exam: Exam, case: Case, question: Question) -> None:
        self.failures: dict[Kind, Failure] = {}
        self.cuts = 0
        self._exam, self._case, self._question = exam, case, question
        self._subject, self._exact = exam.subject, exam.subject.traits.exact
        self._whole = ParsedMessage()

    def fail(
        self,
        kind: Kind,
        detail: str,
        pieces: Pieces,
        expected: ParsedMessage | None = None,
        got: ParsedMessage | None = None,
    ) -> None:
        """Take note of a failure; of several of one kind, the one with the fewest cuts stays."""
        known = self.failures.get(kind)
        times = known.times + 1 if known else 1
        pieces = pieces or ("",)
        if known and len(known.pieces) <= len(pieces):
            self.failures[kind] = replace(known, times=times)
        else:
            self.failures[kind] = Failure(kind, detail, pieces, expected, got, times)

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
        self._look_for_markers(self._whole, (raw,))
        for option, meaning in meanings.items():
            if same(self._whole, meaning, exact=self._exact):
                return option
        ours = self._case.well_formed or self._subject.traits.chooses
        kind: Kind = "whole" if ours else "policy"
        self.fail(kind, "", (raw,), wanted, self._whole)
        self._shrink_whole(kind, wanted)
        return None

    def cut(self) -> None:
        for pieces in self._exam.cuts(self._case.raw):
            self.cuts += 1
            stream = self._streamed(pieces)
            if stream is None:
                continue
            deltas = stream.deltas
            if flaw := rules.protocol_flaw(deltas, exact=self._exact):
                self.fail("protocol", flaw, pieces)
            if flaw := rules.finish_flaw(stream):
                self.fail("finish", flaw, pieces)
            if not same(stream.message, self._whole, exact=self._exact):
                self.fail("cuts", "", pieces, self._whole, stream.message)
                self._look_for_markers(stream.message, pieces)
        self._shrink_cuts()

    def truncate(self) -> None:
        places = self._exam.cutter.places(self._case.raw)[:-1]
        for end in places if self._exam.thoroughness == "all" else thinned(places):
            for kind, detail in self._prefix_flaws(self._case.raw[:end]):
                self.fail(kind, detail, (self._case.raw[:end],))

    def _prefix_flaws(self, text: str) -> Iterator[tuple[Kind, str]]:
        family = self._subject.family
        several = tuple(filter(None, self._exam.cutter.grouping(text, seed=len(text))))
        given, regrouped = self._streamed((text,)), self._streamed(several)
        if given is None or regrouped is None:
            return
        part = given.message
        if not same(part, regrouped.message, exact=self._exact):
            yield "truncation", f"one piece says {part}, several say {regrouped.message}"
        if flaw := rules.invention_flaw(part, self._whole):
            yield "truncation", flaw
        if self._exact and (flaw := rules.lost_words_flaw(family, part, self._whole)):
            yield "truncation", flaw
        if flaw := rules.held_back_flaw(family, text, given, exact=self._exact):
            yield "hold_back", flaw

    def count(self) -> None:
        """What only some parsers can be asked."""
        if not isinstance(self._subject, Countable):
            return
        raw = self._case.raw
        if said := self._subject.after_the_end(self._question, raw):
            self.fail("flush", f"after the end: {said}", (raw,))
        if self._exam.thoroughness == "all" and (flaw := superlinear(self._subject, self._question, raw)):
            self.fail("linear", flaw, (raw,))

    def _streamed(self, pieces: Pieces) -> Stream | None:
        try:
            return self._subject.stream(self._question, pieces)
        except SubjectError as error:
            if error.kind != "raised":
                raise
            self.fail("raised", error.detail, pieces)
            return None

    def _look_for_markers(self, message: ParsedMessage, pieces: Pieces) -> None:
        if flaw := rules.marker_flaw(self._subject.family, message):
            self.fail("markers", flaw, pieces)

    # --- making it small ------------------------------------------------------------------------------------------

    def _shrink_cuts(self) -> None:
        failure = self.failures.get("cuts")
        if failure and failure.expected and failure.got and self._shrinks:
            signature = differing(failure.expected, failure.got)

            def differs(pieces: Pieces) -> bool:
                stream, whole = self._read(pieces), self._whole_or_none("".join(pieces))
                if stream is None or whole is None or same(stream.message, whole, exact=self._exact):
                    return False
                return differing(whole, stream.message) == signature

            self._make_small("cuts", failure, differs)
        if (failure := self.failures.get("protocol")) and self._shrinks:
            self._make_small("protocol", failure, self._breaks_protocol)

    @property
    def _shrinks(self) -> bool:
        return self._exam.shrinking and self._exam.cut is None

    def _make_small(self, kind: Kind, failure: Failure, shows: Show) -> None:
        pieces = smallest_cut(failure.pieces, shows)
        stream = self._read(pieces)
        shrunk = smallest_text(pieces, self._exam.cutter, self._no_odder(shows))
        got = stream.message if stream and failure.got else failure.got
        self.failures[kind] = replace(failure, pieces=pieces, got=got, shrunk=shrunk)

    def _shrink_whole(self, kind: Kind, wanted: ParsedMessage) -> None:
        oracle = self._exam.oracle
        if oracle is None or not self._shrinks:
            return
        signature = differing(wanted, self._whole)

        def disagrees(pieces: Pieces) -> bool:
            text = "".join(pieces)
            said = self._whole_or_none(text)
            return said is not None and differing(oracle.whole(self._question, text), said) == signature

        raw = (self._case.raw,)
        if signature and disagrees(raw):
            shrunk = smallest_text(raw, self._exam.cutter, self._no_odder(disagrees))
            self.failures[kind] = replace(self.failures[kind], shrunk=shrunk)

    def _no_odder(self, shows: Show) -> Show:
        """Shows it with a text that is no odder than the case's own: it would be another fault."""
        family, question = self._subject.family, self._question
        known = oddness(family, question, self._case.raw)

        def shows_it(pieces: Pieces) -> bool:
            return oddness(family, question, "".join(pieces)).within(known) and shows(pieces)

        return shows_it

    def _breaks_protocol(self, pieces: Pieces) -> bool:
        stream = self._read(pieces)
        return stream is not None and rules.protocol_flaw(stream.deltas, exact=self._exact) is not None

    def _read(self, pieces: Pieces) -> Stream | None:
        try:
            return self._subject.stream(self._question, pieces)
        except SubjectError:
            return None

    def _whole_or_none(self, text: str) -> ParsedMessage | None:
        try:
            return self._subject.whole(self._question, text)
        except SubjectError:
            return None


def superlinear(subject: Countable, question: Question, text: str, copies: int = 4) -> str | None:
    """Whether twice the text costs more than twice the work, counted, with the text coming character by character."""
    once, twice = (subject.work(question, text * times) for times in (copies, 2 * copies))
    return f"work {once} for {copies} copies, {twice} for twice as many" if twice > 2.1 * once + 64 else None
