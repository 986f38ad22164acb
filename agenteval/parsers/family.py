"""What a model family is to the rest of the house: its special strings, a parser, and the parser's
inverse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from agenteval.messages import Message, ToolSpec
from agenteval.parsers.deltas import Delta, ParsedMessage, fold
from agenteval.parsers.framing import UNFRAMED, Framing
from agenteval.parsers.policy import Choices, Policy, settled

DEFAULTS: Choices = {}
"""No choice: every policy at its default."""


class Parser(Protocol):
    """One reply's text in, deltas out. Takes any text, cut anywhere, and never raises; reads no more after
    `flush`.

    The deltas say the same however the text was cut. The work is linear in the text, whatever it holds.
    """

    @property
    def work(self) -> int:
        """Characters looked at so far, counted again each time: how a test knows that the work is linear."""
        ...

    def feed(self, text: str) -> list[Delta]:
        """What this text adds, with nothing held back but what could still become a marker."""
        ...

    def flush(self) -> list[Delta]:
        """The text has ended: what was held back. A second time: nothing."""
        ...


class MakeReader(Protocol):
    def __call__(self, tools: Sequence[ToolSpec], thinking_open: bool, choices: Mapping[str, str]) -> Parser:
        """A fresh parser; `choices` names an option for each of the family's policies."""
        ...


class Render(Protocol):
    def __call__(self, message: Message, tools: Sequence[ToolSpec], thinking_open: bool) -> str:
        """The text that a model of the family would have written; raises UnrenderableError if there is
        none."""
        ...


@dataclass(frozen=True, slots=True)
class Family:
    """A model's native output format.

    `special`: strings that are one token each in the model's vocabulary. `markers`: those strings that have a meaning
    in a reply; they never stand in content, reasoning or names (inside an argument they may be the argument's own
    text). `tags`: further strings that have a meaning, but are plain text where they cannot have it. `framing`: the
    newlines that the format writes around texts. `policies`: what ambiguous and malformed text means.
    """

    name: str
    special: tuple[str, ...]
    markers: tuple[str, ...]
    policies: tuple[Policy, ...]
    reader: MakeReader
    render: Render
    tags: tuple[str, ...] = ()
    framing: Framing = field(default=UNFRAMED)

    def parser(self, tools: Sequence[ToolSpec], thinking_open: bool, choices: Choices = DEFAULTS) -> Parser:
        """A fresh parser. `thinking_open`: the prompt ended inside reasoning (it wrote the opening tag).

        Raises UsageError for a policy or an option that the family does not have.
        """
        return self.reader(tools, thinking_open, settled(self.name, self.policies, choices))

    def parse(
        self, text: str, tools: Sequence[ToolSpec], thinking_open: bool, choices: Choices = DEFAULTS
    ) -> ParsedMessage:
        """A whole reply at once; raises UsageError as `parser` does."""
        parser = self.parser(tools, thinking_open, choices)
        return fold([*parser.feed(text), *parser.flush()])
