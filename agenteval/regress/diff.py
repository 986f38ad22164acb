"""What two parsers read differently."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from agenteval.errors import UsageError
from agenteval.parsers import ParsedCall, ParsedMessage
from agenteval.regress.case import Case
from agenteval.regress.cuts import Cutter, Pieces, Thoroughness
from agenteval.regress.likeness import same, value_of
from agenteval.regress.shrink import smallest_cut
from agenteval.regress.subject import Question, Subject, SubjectError

Said = ParsedMessage | SubjectError


@dataclass(frozen=True, slots=True)
class Difference:
    """A case that two parsers read differently. `pieces`: the smallest cut that shows it, None: the whole text;
    `times`: how many cuts do; `fields`: what differs, with what each says."""

    case: Case
    pieces: Pieces | None
    times: int
    fields: tuple[tuple[str, str, str], ...]


def diff(one: Subject, other: Subject, corpus: Sequence[Case], thoroughness: Thoroughness) -> list[Difference]:
    """All differences over the cases of the family that both parsers read. Raises UsageError for two families."""
    if one.family.name != other.family.name:
        raise UsageError(f"{one.name} and {other.name} read different families; a diff needs the same one")
    pair = _Pair(one, other)
    return [
        difference
        for case in corpus
        if case.family == one.family.name
        for difference in pair.differences(case, thoroughness)
    ]


@dataclass(frozen=True, slots=True)
class _Pair:
    one: Subject
    other: Subject

    def differences(self, case: Case, thoroughness: Thoroughness) -> Iterator[Difference]:
        question = Question(case.tools, case.thinking)
        whole = (
            _said(lambda: self.one.whole(question, case.raw)),
            _said(lambda: self.other.whole(question, case.raw)),
        )
        if not self._alike(*whole):
            yield Difference(case, None, 1, tuple(fields(*whole)))
        if not (self.one.traits.streams and self.other.traits.streams):
            return
        cutter = Cutter(self.one.family.special, self.one.traits.whole_tokens or self.other.traits.whole_tokens)
        differing = [
            pieces
            for pieces in cutter.cuts(case.raw, thoroughness)
            if not self._alike(*self._streams(question, pieces))
        ]
        if differing:
            few = min(differing, key=len)
            small = smallest_cut(few, lambda pieces: not self._alike(*self._streams(question, pieces)))
            yield Difference(case, small, len(differing), tuple(fields(*self._streams(question, small))))

    def _streams(self, question: Question, pieces: Pieces) -> tuple[Said, Said]:
        return (
            _said(lambda: self.one.stream(question, pieces).message),
            _said(lambda: self.other.stream(question, pieces).message),
        )

    def _alike(self, one: Said, other: Said) -> bool:
        if isinstance(one, SubjectError) or isinstance(other, SubjectError):
            return isinstance(one, SubjectError) and isinstance(other, SubjectError) and one.kind == other.kind
        return same(one, other, exact=self.one.traits.exact and self.other.traits.exact)


def _said(ask: Callable[[], ParsedMessage]) -> Said:
    try:
        return ask()
    except SubjectError as error:
        return error


def fields(one: Said, other: Said, *, exact: bool = True) -> Iterator[tuple[str, str, str]]:
    """What differs: the field, and what each says. `exact`: to the letter; else as `likeness.same` takes it."""
    if isinstance(one, SubjectError) or isinstance(other, SubjectError):
        yield "answer", _short(one), _short(other)
        return
    for name in ("reasoning", "content"):
        here, there = getattr(one, name), getattr(other, name)
        if here != there and (exact or here.strip() != there.strip()):
            yield name, repr(here), repr(there)
    for number, (ours, theirs) in enumerate(zip_longest(one.calls, other.calls)):
        if ours != theirs and (exact or not _alike(ours, theirs)):
            yield (
                f"calls[{number}]",
                f"{ours.name}({ours.arguments_text})" if ours else "none",
                f"{theirs.name}({theirs.arguments_text})" if theirs else "none",
            )


def _alike(one: ParsedCall | None, other: ParsedCall | None) -> bool:
    if one is None or other is None:
        return one is other
    return one.name == other.name and value_of(one.arguments_text) == value_of(other.arguments_text)


def _short(said: Said) -> str:
    return f"{said.kind}: {said.detail.strip().splitlines()[-1:]}" if isinstance(said, SubjectError) else "an answer"
