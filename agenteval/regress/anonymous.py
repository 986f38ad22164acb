"""A recorded reply without what it said: every word becomes another of the same shape, the same word always the same.

Kept are the family's markup, punctuation, blanks, escapes, the look of numbers, and which words are equal: what decides
how a parser reads a text. A replacement is drawn at random and depends on its word's length and letters' cases only, so
that nothing leads back. Descriptions, examples and patterns of tools are dropped.

Not covered: the lengths of words, how often they occur, and what punctuation alone may tell.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from random import Random
from typing import Any

from agenteval.messages import ToolSpec
from agenteval.parsers import Family, ParsedCall, ParsedMessage
from agenteval.regress.reading import Reading, reading
from agenteval.regress.subject import Question

KEPT_WORDS = frozenset(
    {
        *("true", "false", "null", "NaN", "Infinity", "functions", "function", "assistant", "analysis", "commentary"),
        *("final", "json", "to", "code", "name", "arguments", "parameters", "parameter", "invoke", "string", "call"),
        *("thought", "type"),
    }
)
"""Words that formats give a meaning."""

SCHEMA_WORDS = ("description", "title", "examples", "example", "default", "pattern", "$comment", "format")
"""Keywords of a schema that say something to people only, or about values that are no longer there."""

_TOKEN = re.compile(
    r"(?P<escape>\\u[0-9a-fA-F]{4}|\\.)|(?P<number>(?<![\w.])\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.]))|(?P<word>[^\W_]+)"
)
_WIDE = {2: "éñøßžλ", 3: "語漢字文名時"}
"""Letters by how many bytes they take, so that tokens and cuts stay alike."""


class Disguise:
    """Other words for those of one family's replies and tools; the same in every call."""

    def __init__(self, family: Family, rng: Random) -> None:
        self._rng = rng
        self._words: dict[str, str] = {}
        fixed = sorted({*family.markers, *family.tags}, key=len, reverse=True)
        self._fixed = re.compile("|".join(map(re.escape, fixed))) if fixed else None
        self._taken: set[str] = set()

    def text(self, text: str) -> str:
        """A text with all its words replaced."""
        parts, end = [], 0
        for mark in self._fixed.finditer(text) if self._fixed else ():
            parts += [_TOKEN.sub(self._other, text[end : mark.start()]), mark.group()]
            end = mark.end()
        return "".join([*parts, _TOKEN.sub(self._other, text[end:])])

    def tool(self, tool: ToolSpec) -> ToolSpec:
        """A tool under another name, with other names in its schema."""
        return ToolSpec(self.text(tool.name), "", self._schema(tool.parameters))

    def message(self, said: ParsedMessage) -> ParsedMessage:
        """What was read in a text, as it is read in the other one."""
        calls = tuple(ParsedCall(self.text(call.name), self.text(call.arguments_text)) for call in said.calls)
        return ParsedMessage(self.text(said.reasoning), self.text(said.content), calls)

    def _schema(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        return {key: self._under(key, value) for key, value in schema.items() if key not in SCHEMA_WORDS}

    def _under(self, key: str, value: Any) -> Any:
        """The value of a schema's keyword."""
        if key in ("properties", "$defs", "definitions", "patternProperties") and isinstance(value, Mapping):
            return {self.text(name): self._schema(it) if isinstance(it, Mapping) else it for name, it in value.items()}
        if key in ("enum", "const", "required", "$ref"):
            return self._value(value) if key != "$ref" else _reference(value, self)
        if isinstance(value, Mapping):
            return self._schema(value)
        if isinstance(value, list):
            return [self._schema(item) if isinstance(item, Mapping) else item for item in value]
        return value

    def _value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(name): self._value(item) for name, item in value.items()}
        return [self._value(item) for item in value] if isinstance(value, list) else value

    def _other(self, found: re.Match[str]) -> str:
        word = found.group()
        if found.lastgroup == "escape":
            return self._escape(word)
        if word in KEPT_WORDS or (word.isascii() and not any(char.isalnum() for char in word)):
            return word
        if word not in self._words:
            self._words[word] = self._drawn(word, number=found.lastgroup == "number")
        return self._words[word]

    def _drawn(self, word: str, *, number: bool) -> str:
        """A word of the same shape that stands for no other one, as long as there are such."""
        for _ in range(50):
            other = "".join(char if number and char in "eE" else self._letter(char) for char in word)
            if other not in self._taken and other not in KEPT_WORDS:
                break
        self._taken.add(other)
        return other

    def _escape(self, escape: str) -> str:
        if len(escape) == 6 and chr(int(escape[2:], 16)).isalnum():
            return f"\\u{ord(self._rng.choice(string.ascii_lowercase)):04x}"
        return escape

    def _letter(self, char: str) -> str:
        if char in string.digits:
            return char if char == "0" else self._rng.choice("123456789")
        if char in string.ascii_letters:
            return self._rng.choice(string.ascii_lowercase if char.islower() else string.ascii_uppercase)
        return self._rng.choice(_WIDE.get(len(char.encode()), char))


def _reference(value: Any, disguise: Disguise) -> Any:
    """A `$ref` into the schema itself: the last step is a name."""
    head, slash, name = value.rpartition("/") if isinstance(value, str) else ("", "", "")
    return f"{head}{slash}{disguise.text(name)}" if slash else value


def disguised(found: Reading, disguise: Disguise) -> Reading | None:
    """The same reading in other words; None if the text is not read alike then."""
    tools = tuple(disguise.tool(tool) for tool in found.question.tools)
    question = Question(tools, found.question.thinking)
    other = reading(found.family, question, disguise.text(found.raw))
    alike = _shape(found.expected) == _shape(other.expected) and found.otherwise.keys() == other.otherwise.keys()
    return other if alike else None


def _shape(said: ParsedMessage) -> tuple[Any, ...]:
    calls = [(len(call.name), re.sub(r"[^\W_]", "x", call.arguments_text)) for call in said.calls]
    return bool(said.reasoning), len(said.content), calls
