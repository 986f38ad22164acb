"""Parsers with one defect each, planted into one of ours: what the exam has to find."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from agenteval.parsers import FAMILIES, CallDelta, ContentDelta, Delta, Family, ParsedMessage
from agenteval.regress.own import Own
from agenteval.regress.subject import Question, Stream, SubjectError, Traits

GLM47 = FAMILIES["glm47"]


@dataclass(frozen=True)
class Broken:
    """Our glm47 with a defect in its stream, or in how it reads a whole text."""

    in_stream: Callable[[Sequence[str], Stream], Stream] | None = None
    in_whole: Callable[[ParsedMessage], ParsedMessage] | None = None
    exact: bool = False
    name: str = "broken:glm47"
    family: Family = GLM47
    version: str | None = None

    @property
    def traits(self) -> Traits:
        return Traits(whole_tokens=True, exact=self.exact)

    def whole(self, question: Question, text: str) -> ParsedMessage:
        said = Own(self.family).whole(question, text)
        return self.in_whole(said) if self.in_whole else said

    def stream(self, question: Question, pieces: Sequence[str]) -> Stream:
        said = Own(self.family).stream(question, pieces)
        return self.in_stream(pieces, said) if self.in_stream else said


def changed(stream: Stream, change: Callable[[Delta], list[Delta]]) -> Stream:
    return replace(stream, feeds=tuple(tuple(new for old in feed for new in change(old)) for feed in stream.feeds))


def loses_whole_calls(pieces: Sequence[str], stream: Stream) -> Stream:
    """A call that comes in one piece is lost (vllm#48020)."""
    if any("<tool_call>" in piece and "</tool_call>" in piece for piece in pieces):
        return changed(stream, lambda delta: [] if isinstance(delta, CallDelta) else [delta])
    return stream


def names_twice(pieces: Sequence[str], stream: Stream) -> Stream:
    return changed(
        stream,
        lambda delta: (
            [delta, CallDelta(delta.index, delta.name)] if isinstance(delta, CallDelta) and delta.name else [delta]
        ),
    )


def leaks_a_closer(pieces: Sequence[str], stream: Stream) -> Stream:
    """A closer that begins a piece is text."""
    leaks = any(piece.startswith("</tool_call>") for piece in pieces)
    return replace(stream, feeds=(*stream.feeds, (ContentDelta("</tool_call>"),))) if leaks else stream


def closes_cut_arguments(pieces: Sequence[str], stream: Stream) -> Stream:
    """Arguments that break off are completed (a cut call looks whole)."""
    calls = stream.message.calls
    if calls and calls[-1].arguments_text.count('"') % 2:
        end = CallDelta(len(calls) - 1, None, '"}')
        return replace(stream, feeds=(*stream.feeds[:-1], (*stream.feeds[-1], end)))
    return stream


def keeps_all_to_the_end(pieces: Sequence[str], stream: Stream) -> Stream:
    return Stream((*(() for _ in pieces), tuple(stream.deltas)))


def wrong_finish(pieces: Sequence[str], stream: Stream) -> Stream:
    return replace(stream, finish_reason="stop")


def raises_on_one_letter(pieces: Sequence[str], stream: Stream) -> Stream:
    if any(len(piece) == 1 for piece in pieces):
        raise SubjectError("raised", "IndexError: list index out of range")
    return stream


def raises_at_a_value(pieces: Sequence[str], stream: Stream) -> Stream:
    """Only where a piece begins with the opener of a value."""
    if any(piece.startswith("<arg_value>") for piece in pieces):
        raise SubjectError("raised", "Traceback\nValueError: no key")
    return stream


def dies_at_a_value(pieces: Sequence[str], stream: Stream) -> Stream:
    if any(piece.startswith("<arg_value>") for piece in pieces):
        raise SubjectError("crashed", "Segmentation fault")
    return stream


def keeps_calls_to_the_end(pieces: Sequence[str], stream: Stream) -> Stream:
    """Text comes in time."""
    calls = tuple(delta for delta in stream.deltas if isinstance(delta, CallDelta))
    texts = changed(stream, lambda delta: [] if isinstance(delta, CallDelta) else [delta])
    return replace(texts, feeds=(*texts.feeds[:-1], (*texts.feeds[-1], *calls)))


def forgets_what_came_before(pieces: Sequence[str], stream: Stream) -> Stream:
    """Of a reply that breaks off in several pieces the text is lost."""
    if len(pieces) == 1 or "".join(pieces).endswith("</tool_call>"):
        return stream
    return changed(stream, lambda delta: [] if isinstance(delta, ContentDelta) else [delta])


@dataclass
class Deadly:
    """Loses whole calls, and dies of any text but one; counts its deaths."""

    text: str
    deaths: int = 0

    def __call__(self, pieces: Sequence[str], stream: Stream) -> Stream:
        if not self.text.startswith("".join(pieces)):
            self.deaths += 1
            raise SubjectError("hung", "no answer within 1 s")
        return loses_whole_calls(pieces, stream)


def dies_on_a_call(said: ParsedMessage) -> ParsedMessage:
    if said.calls:
        raise SubjectError("crashed", "Segmentation fault")
    return said


def drops_blank_values(said: ParsedMessage) -> ParsedMessage:
    """Reads an empty argument as none."""
    calls = tuple(
        replace(call, arguments_text="{}") if call.arguments_text == '{"city": ""}' else call for call in said.calls
    )
    return replace(said, calls=calls)
