"""Our own families as subjects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agenteval import __version__
from agenteval.parsers import Delta, Family, ParsedMessage
from agenteval.regress.subject import Question, Stream, Traits

TRAITS = Traits(whole_tokens=False, exact=True, chooses=True)


@dataclass(frozen=True, slots=True)
class Own:
    """A family of ours: any cut, exact answers, counted work."""

    family: Family

    @property
    def name(self) -> str:
        return f"agenteval:{self.family.name}"

    @property
    def version(self) -> str | None:
        return f"agenteval {__version__}"

    @property
    def traits(self) -> Traits:
        return TRAITS

    def whole(self, question: Question, text: str) -> ParsedMessage:
        return self.family.parse(text, question.tools, question.thinking, question.choices)

    def stream(self, question: Question, pieces: Sequence[str]) -> Stream:
        parser = self.family.parser(question.tools, question.thinking, question.choices)
        return Stream((*(tuple(parser.feed(piece)) for piece in pieces), tuple(parser.flush())))

    def work(self, question: Question, pieces: Iterable[str]) -> int:
        parser = self.family.parser(question.tools, question.thinking, question.choices)
        for piece in pieces:
            parser.feed(piece)
        parser.flush()
        return parser.work

    def after_the_end(self, question: Question, text: str) -> list[Delta]:
        parser = self.family.parser(question.tools, question.thinking, question.choices)
        parser.feed(text)
        parser.flush()
        return [*parser.flush(), *parser.feed(text), *parser.flush()]
