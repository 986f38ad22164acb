"""What one execution of the fuzzer is: bytes become a text, a way to cut it and the choices of a run; the text is read
whole and cut, and the invariants are checked on both. The dearer checks are made for a sample of the inputs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from random import Random
from zlib import crc32

from agenteval.errors import UnrenderableError
from agenteval.messages import Message, ToolCall
from agenteval.parsers import Family, ParsedMessage, fold
from agenteval.parsers.policy import settled
from agenteval.regress import rules
from tests.parsers.tools import TOOLS

HEAD = 3
"""Bytes before the text: how the prompt ended, the choices."""

NAMES = ("get", "save", "calc", "path", "text", "n", "any")
WORDS = (*NAMES, *(' "name": "', '", "arguments": {', '"a": ', '\\"', '"}', "{}", "42", "\n\n"))
_CALLS = [("save", '{"path": "any", "text": "\\"\\n"}'), ("calc", '{"n": 42, "any": [{"a": null}]}'), ("get", "{}")]
MESSAGES = [
    Message("assistant", content, reasoning=reasoning, tool_calls=tuple(ToolCall("", *call) for call in calls))
    for content in ("", "text")
    for reasoning in ("", "n")
    for calls in ([], *([call] for call in _CALLS), [("get", "{}")] * 4, _CALLS[1:])
]
"""What the fuzzer begins with, written by each family, as far as it can and inputs are long enough."""
LOOKS = 400
"""Characters that a parser may look at for each one that it is fed, see `work`: a name, or a marker's beginning, may be
looked at again with each character."""
SAMPLE = 64
"""Of so many inputs one is cut into characters, and one repeated. As every cut, that is the checksum's matter: each
change of an input tries another cut, and the fuzzer cannot collect the dear ones."""
REPEATED, PIECE, REPEATED_LOOKS = 2000, 16, 20
"""Characters of a repeated text, of its pieces, and how many of them may be looked at for each one that is fed: the
most seen is 4, and a parser that reads everything again with each piece looks at 60."""


@dataclass(frozen=True, slots=True)
class Execution:
    """A text, what stands beside it, and one way to cut it. `sample`: below SAMPLE, what is checked beside that."""

    text: str
    pieces: tuple[str, ...]
    thinking: bool
    choices: Mapping[str, str]
    sample: int


class Target:
    """Executions of one family."""

    def __init__(self, family: Family) -> None:
        self._family = family
        strings = (*family.markers, *family.tags)
        between = re.compile(f"({'|'.join(map(re.escape, sorted((*strings, *NAMES), key=len, reverse=True)))})")
        self._texts = [(thinking, text) for thinking in (False, True) for text in _written(family, thinking)]
        written = [part for _, text in self._texts for part in between.split(text) if len(part) > 1]
        halves = [part for string in strings for part in (string[: len(string) // 2], string[1:])]
        pieces = list(dict.fromkeys([*strings, *WORDS, *written, *halves]))[:128]
        self._strings = [*map(chr, range(128)), *(pieces[byte % len(pieces)] for byte in range(128, 256))]
        self._choices = cache(self._chosen)

    def seeds(self) -> Iterator[bytes]:
        """Inputs that stand for what the family writes."""
        longest = sorted(set(self._strings), key=len, reverse=True)
        strings = re.compile("|".join(map(re.escape, longest)), re.DOTALL)
        for thinking, text in self._texts:
            yield bytes([thinking, *bytes(HEAD - 1), *map(self._strings.index, strings.findall(text))])

    def read(self, data: bytes) -> Execution:
        """What bytes stand for: those from 128 on in the text for strings of the format."""
        head, (cut, sample) = data[:HEAD].ljust(HEAD, b"\0"), divmod(crc32(data), SAMPLE)
        strings = [self._strings[byte] for byte in data[HEAD:]]
        text = "".join(strings)
        pieces = tuple(text) if sample == 0 else _cut(text, strings, cut)
        return Execution(text, pieces, bool(head[0] & 1), self._choices(head[1] + 256 * head[2]), sample)

    def run(self, data: bytes) -> None:
        """One execution. Raises AssertionError where an invariant does not hold, and whatever the parser raises."""
        execution = self.read(data)
        whole = self._outcome(execution, (execution.text,))
        assert rules.marker_flaw(self._family, whole) is None, execution
        assert self._outcome(execution, execution.pieces) == whole, execution
        if execution.sample == 1:
            self._repeat(execution)

    def _chosen(self, number: int) -> Mapping[str, str]:
        """An option for each policy; of number 0 the defaults."""
        random, policies = Random(number), self._family.policies
        wanted = {policy.name: random.choice(list(policy.options)) for policy in policies} if number else {}
        return settled(self._family.name, policies, wanted)

    def _outcome(self, execution: Execution, pieces: tuple[str, ...], looks: int = LOOKS) -> ParsedMessage:
        """The message of a text cut so, with the contract of deltas, an end that stays one, and bounded work."""
        parser = self._family.reader(TOOLS, execution.thinking, execution.choices)
        deltas = []
        for piece in pieces:
            deltas += parser.feed(piece)
        deltas += parser.flush()
        assert rules.protocol_flaw(deltas) is None, execution
        assert parser.feed("x") == [], execution
        assert parser.flush() == [], execution
        assert parser.work <= looks * (sum(map(len, pieces)) + 1), execution
        return fold(deltas)

    def _repeat(self, execution: Execution) -> None:
        """The text again and again: the work must stay linear, and every cut the same."""
        text = execution.text * (REPEATED // max(1, len(execution.text)) + 1)
        pieces = tuple(text[at : at + PIECE] for at in range(0, len(text), PIECE))
        cut, whole = (self._outcome(execution, cut, REPEATED_LOOKS) for cut in (pieces, (text,)))
        assert cut == whole, execution


def _written(family: Family, thinking: bool) -> Iterator[str]:
    for message in MESSAGES:
        with suppress(UnrenderableError):
            yield family.render(message, TOOLS, thinking)


def _cut(text: str, strings: list[str], number: int) -> tuple[str, ...]:
    """In three, in pieces of one size, or string by string."""
    places, kind = divmod(number, 4)
    if kind < 2:
        first, second = sorted((places % 4096 % (len(text) + 1), places // 4096 % (len(text) + 1)))
        return text[:first], text[first:second], text[second:]
    if kind == 2:
        size, begin = 3 + places % 16, places // 16 % 16
        return text[:begin], *(text[at : at + size] for at in range(begin, len(text), size))
    return tuple(strings)
