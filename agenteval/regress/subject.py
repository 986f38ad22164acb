"""A parser under test, whoever's it is: a question in, what it says out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from agenteval.errors import AgentevalError
from agenteval.messages import ToolSpec
from agenteval.parsers import Choices, Delta, Family, ParsedMessage, fold


@dataclass(frozen=True, slots=True)
class Question:
    """What stands beside a reply's text. `thinking`: the prompt ended inside reasoning; `choices`: options of policies,
    for parsers that have a choice."""

    tools: tuple[ToolSpec, ...]
    thinking: bool = False
    choices: Choices = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stream:
    """What a parser said to a text that came in pieces: the deltas of each piece, those of the end last."""

    feeds: tuple[tuple[Delta, ...], ...]
    finish_reason: str | None = None

    @property
    def deltas(self) -> list[Delta]:
        return [delta for feed in self.feeds for delta in feed]

    @property
    def message(self) -> ParsedMessage:
        return fold(self.deltas)


class SubjectError(AgentevalError):
    """A parser gave no answer to a question: it raised, died or did not come back. A finding, not our error.

    `kind`: `raised`, `crashed` or `hung`; `detail`: what it left behind, the end of its stderr.
    """

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind, self.detail = kind, detail


@dataclass(frozen=True, slots=True)
class Traits:
    """What can be asked of a parser. `whole_tokens`: it is only ever given whole tokens; `exact`: it must answer to the
    letter (else outer whitespace of texts, and the spelling of JSON, are its own affair); `streams`: it can be fed
    piece by piece; `chooses`: it takes options of policies."""

    whole_tokens: bool = True
    exact: bool = False
    streams: bool = True
    chooses: bool = False


class Subject(Protocol):
    """A parser under test. Every method but `close` raises SubjectError where the parser gives no answer."""

    @property
    def name(self) -> str:
        """`ENGINE:FAMILY`."""
        ...

    @property
    def family(self) -> Family: ...

    @property
    def version(self) -> str | None:
        """What the engine says of itself; None if it says nothing."""
        ...

    @property
    def traits(self) -> Traits: ...

    def whole(self, question: Question, text: str) -> ParsedMessage:
        """The text at once, through what the parser has for that."""
        ...

    def stream(self, question: Question, pieces: Sequence[str]) -> Stream:
        """The text piece by piece, through a fresh parser."""
        ...


@runtime_checkable
class Countable(Protocol):
    """A subject whose effort can be counted, and whose end can be told twice."""

    def work(self, question: Question, pieces: Iterable[str]) -> int:
        """Characters that the parser looks at."""
        ...

    def after_the_end(self, question: Question, text: str) -> list[Delta]:
        """What it says after its first flush."""
        ...
