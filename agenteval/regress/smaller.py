"""A failure made small: first the fewest cuts that show it, then as little text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from agenteval.parsers import ParsedMessage
from agenteval.regress import rules
from agenteval.regress.cuts import Cutter, Pieces
from agenteval.regress.failure import Failure
from agenteval.regress.likeness import differing, same
from agenteval.regress.oddness import oddness
from agenteval.regress.shrink import smallest_cut, smallest_text
from agenteval.regress.subject import Question, Stream, Subject, SubjectError

Said = TypeVar("Said")
Show = Callable[[Pieces], bool]
"""Whether a cut text shows the failure."""


@dataclass(frozen=True, slots=True)
class Smaller:
    """Makes failures of one case small. `oracle`: a parser that reads it rightly, where there is one."""

    subject: Subject
    question: Question
    cutter: Cutter
    raw: str
    oracle: Subject | None

    def made(self, failure: Failure) -> Failure:
        """The failure with its smallest cut and, but for a prefix, the smallest text; as it is, where that would cost
        too much: each try with what kills a parser starts it again."""
        shows = self._shown(failure)
        if shows is None:
            return failure
        try:
            small = self._with_fewest_cuts(failure, shows)
        except SubjectError:
            return failure
        try:
            return small if small.at == "prefix" else replace(small, shrunk=self._text(small.pieces, shows))
        except SubjectError:  # a smaller input kills it: that is another fault, and each one takes long
            return small

    def _with_fewest_cuts(self, failure: Failure, shows: Show) -> Failure:
        if failure.at == "whole":
            return failure
        pieces = smallest_cut(failure.pieces, shows)
        stream = self._read(pieces)
        got = stream.message if stream and failure.got else failure.got
        return replace(failure, pieces=pieces, got=got)

    def _shown(self, failure: Failure) -> Show | None:
        if failure.kind == "raised":
            return self._raises_whole(failure) if failure.at == "whole" else self._raises(failure)
        if failure.kind == "protocol":
            return self._breaks_protocol
        if failure.kind == "truncation" and len(failure.pieces) > 1:
            return self._depends_on_the_cut
        if failure.expected is None or failure.got is None:
            return None
        signature = differing(failure.expected, failure.got)
        if failure.kind == "cuts":
            return lambda pieces: self._differs(pieces, signature)
        oracle = self.oracle
        if failure.kind not in ("whole", "policy") or oracle is None or not signature:
            return None
        return lambda pieces: self._misread("".join(pieces), oracle, signature)

    def _text(self, pieces: Pieces, shows: Show) -> Pieces | None:
        """A text that is no odder than the case's own: it would be another fault. None where the whole one does not
        show the failure again."""
        if not shows(pieces):
            return None
        family, question = self.subject.family, self.question
        known = oddness(family, question, self.raw)

        def shows_it(pieces: Pieces) -> bool:
            return oddness(family, question, "".join(pieces)).within(known) and shows(pieces)

        return smallest_text(pieces, self.cutter, shows_it)

    def _differs(self, pieces: Pieces, signature: frozenset[str]) -> bool:
        stream, whole = self._read(pieces), self._whole("".join(pieces))
        if stream is None or whole is None or self._same(stream.message, whole):
            return False
        return differing(whole, stream.message) == signature

    def _misread(self, text: str, oracle: Subject, signature: frozenset[str]) -> bool:
        said = self._whole(text)
        return said is not None and differing(oracle.whole(self.question, text), said) == signature

    def _depends_on_the_cut(self, pieces: Pieces) -> bool:
        one, several = self._read(("".join(pieces),)), self._read(pieces)
        return one is not None and several is not None and not self._same(one.message, several.message)

    def _breaks_protocol(self, pieces: Pieces) -> bool:
        stream = self._read(pieces)
        return stream is not None and rules.protocol_flaw(stream.deltas, exact=self.subject.traits.exact) is not None

    def _raises(self, failure: Failure) -> Show:
        return lambda pieces: _error_of(lambda: self.subject.stream(self.question, pieces)) == _name(failure.detail)

    def _raises_whole(self, failure: Failure) -> Show:
        return lambda pieces: (
            _error_of(lambda: self.subject.whole(self.question, "".join(pieces))) == _name(failure.detail)
        )

    def _same(self, one: ParsedMessage, other: ParsedMessage) -> bool:
        return same(one, other, exact=self.subject.traits.exact)

    def _read(self, pieces: Pieces) -> Stream | None:
        return _answer(lambda: self.subject.stream(self.question, pieces))

    def _whole(self, text: str) -> ParsedMessage | None:
        return _answer(lambda: self.subject.whole(self.question, text))


def _answer(ask: Callable[[], Said]) -> Said | None:
    """None where the parser raises. Raises SubjectError where it dies."""
    try:
        return ask()
    except SubjectError as error:
        if error.kind != "raised":
            raise
        return None


def _error_of(ask: Callable[[], object]) -> str | None:
    """Which error the parser raises, if any. Raises SubjectError where it dies."""
    try:
        ask()
    except SubjectError as error:
        if error.kind != "raised":
            raise
        return _name(error.detail)
    return None


def _name(detail: str) -> str:
    """Of the error that a parser raised: what stands before the colon of the last line."""
    return detail.strip().rpartition("\n")[2].partition(":")[0]
