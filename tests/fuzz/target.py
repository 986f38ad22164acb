"""What one execution of the fuzzer is: bytes become a text, its cuts and the choices of a run, and the invariants are
checked on them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from agenteval.parsers import Family, ParsedMessage, fold
from agenteval.regress import rules
from agenteval.regress.cuts import Cutter
from agenteval.regress.subject import Question
from tests.parsers.tools import TOOLS

HEAD = 8
"""Bytes before the text: the choices, how the prompt ended, the cut."""

WORDS = (
    "get",
    "save",
    "calc",
    "path",
    "text",
    "n",
    "any",
    ' "name": "',
    '", "arguments": {',
    '"a": ',
    "{}",
    "42",
    "\n\n",
)
LOOKS = 400
"""Characters that a parser may look at for each one that it is fed, see `work`: a name, or a marker's beginning, may be
looked at again with each character."""


@dataclass(frozen=True, slots=True)
class Execution:
    """A text, what stands beside it, and one way to cut it."""

    family: Family
    question: Question
    text: str
    pieces: tuple[str, ...]


class Target:
    """Executions of one family."""

    def __init__(self, family: Family) -> None:
        self._family = family
        strings = (*family.markers, *family.tags)
        halves = [part for string in strings for part in (string[: len(string) // 2], string[1:])]
        self._pieces = (*strings, *WORDS, *halves)[:128]
        self._several = [policy for policy in family.policies if len(policy.options) > 1]

    def read(self, data: bytes) -> Execution:
        """What bytes stand for: those from 128 on in the text for strings of the format."""
        head, body = data[:HEAD].ljust(HEAD, b"\0"), data[HEAD:]
        choices, number = {}, int.from_bytes(head[:4], "little")
        for policy in self._several:
            number, option = divmod(number, len(policy.options))
            choices[policy.name] = tuple(policy.options)[option]
        text = "".join(chr(byte) if byte < 128 else self._pieces[byte % len(self._pieces)] for byte in body)
        question = Question(TOOLS, bool(head[4] & 1), choices)
        return Execution(self._family, question, text, tuple(_cut(text, head[5], head[6:])))

    def run(self, data: bytes) -> None:
        """One execution. Raises AssertionError where an invariant does not hold, and whatever the parser raises."""
        execution = self.read(data)
        whole = _outcome(execution, (execution.text,))
        assert rules.marker_flaw(self._family, whole) is None, execution
        assert _outcome(execution, execution.pieces) == whole, execution


def _outcome(execution: Execution, pieces: tuple[str, ...]) -> ParsedMessage:
    """The message of a text cut so, with the contract of deltas, an end that stays one, and bounded work."""
    question = execution.question
    parser = execution.family.parser(question.tools, question.thinking, question.choices)
    deltas = [delta for piece in pieces for delta in parser.feed(piece)]
    deltas += parser.flush()
    assert rules.protocol_flaw(deltas) is None, execution
    assert parser.feed("x") == [], execution
    assert parser.flush() == [], execution
    assert parser.work <= LOOKS * (len(execution.text) + 1), execution
    return fold(deltas)


def _cut(text: str, kind: int, seed: bytes) -> Iterator[str]:
    """One by one, in two, or in groups."""
    if kind % 4 == 0:
        yield from text
    elif kind % 4 == 1:
        at = int.from_bytes(seed, "little") % (len(text) + 1)
        yield from (text[:at], text[at:])
    else:
        yield from Cutter(()).grouping(text, int.from_bytes(seed, "little"), longest=2 + kind // 16)
