"""What a model family is to the rest of the house: its special strings, a parser, and the parser's
inverse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from agenteval.messages import Message, ToolSpec
from agenteval.parsers.deltas import Delta, ParsedMessage, fold


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


class MakeParser(Protocol):
    def __call__(self, tools: Sequence[ToolSpec], thinking_open: bool) -> Parser:
        """A fresh parser. `thinking_open`: the prompt ended inside reasoning (it wrote the opening tag)."""
        ...


class Render(Protocol):
    def __call__(self, message: Message, tools: Sequence[ToolSpec], thinking_open: bool) -> str:
        """The text that a model of the family would have written; raises UnrenderableError if there is
        none."""
        ...


@dataclass(frozen=True, slots=True)
class Family:
    """A model's native output format.

    `special`: strings that are one token each in the model's vocabulary. `markers`: those that have a meaning
    in a reply; they never stand in content, reasoning or names (inside an argument they may be the argument's
    own text).
    """

    name: str
    special: tuple[str, ...]
    markers: tuple[str, ...]
    parser: MakeParser
    render: Render

    def parse(self, text: str, tools: Sequence[ToolSpec], thinking_open: bool) -> ParsedMessage:
        """A whole reply at once."""
        parser = self.parser(tools, thinking_open)
        return fold([*parser.feed(text), *parser.flush()])
