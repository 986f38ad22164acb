"""Headers of harmony messages: who speaks to whom, on which channel. What they mean is told in `harmony`.

A header comes in parts: the author's behind `<|start|>` (or where that token is missing, between two messages), the
channel's behind `<|channel|>`, the content type's behind `<|constrain|>`. Each part has a grammar; text that does not
fit is the message's body, whose own marker is missing. With every text that fits, all its beginnings fit: otherwise
the answer would depend on cuts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from agenteval.parsers.names import LETTER

CHANNELS = ("analysis", "commentary", "final")
FUNCTIONS = "functions."
ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True)
class _Atom:
    """A piece of a grammar: the pattern of the whole, and the pattern of its beginnings."""

    whole: str
    begun: str


def _words(*words: str) -> _Atom:
    return _Atom(f"(?:{'|'.join(words)})", f"(?:{'|'.join(map(_beginning, words))})")


def _beginning(word: str) -> str:
    pattern = ""
    for letter in reversed(word):
        pattern = f"(?:{letter}{pattern})?"
    return pattern


def _maybe(atom: _Atom) -> _Atom:
    return _Atom(f"{atom.whole}?", atom.begun)


def _some(letter: str, least: int, most: int) -> _Atom:
    return _Atom(f"{letter}{{{least},{most}}}", f"{letter}{{0,{most}}}")


_BLANK, _GAP = _some(r"\s", 0, 8), _some(r"\s", 1, 8)
_CHANNEL, _TYPE = _words(*CHANNELS), _words("json", "code")
_TO = (_words("to="), _some(LETTER, 1, 140), _BLANK)


def _grammar(*paths: tuple[_Atom, ...]) -> re.Pattern[str]:
    """All that begins as one of these sequences begins."""
    return re.compile("|".join(map(_path, paths)))


def _path(atoms: tuple[_Atom, ...]) -> str:
    pattern = ""
    for atom in reversed(atoms):
        pattern = f"(?:{atom.begun}|{atom.whole}{pattern})"
    return pattern


class Part(Enum):
    """A part of a header, named by what opened it."""

    BETWEEN = "nothing"
    AUTHOR = "<|start|>"
    CHANNEL = "<|channel|>"
    TYPE = "<|constrain|>"

    def fits(self, text: str) -> bool:
        """Whether a text may be this part, or its beginning."""
        return _GRAMMARS[self].fullmatch(text) is not None


_GRAMMARS = {
    Part.BETWEEN: _grammar((_BLANK, _maybe(_words(ASSISTANT)), _BLANK, *_TO)),
    Part.AUTHOR: _grammar((_BLANK, _some(LETTER, 1, 140), _GAP, *_TO)),
    Part.CHANNEL: _grammar(
        (_BLANK, _maybe(_CHANNEL), _BLANK, *_TO, _TYPE, _BLANK),
        (_BLANK, _CHANNEL, _BLANK, _TYPE, _BLANK),
        (_BLANK, _some("[a-z_]", 1, 24), _BLANK),
    ),
    Part.TYPE: _grammar((_BLANK, _some("[a-z]", 1, 24), _BLANK, *_TO)),
}

_READ = re.compile(
    rf"(?P<front>\s*(?:{ASSISTANT})?(?P<channel>{_CHANNEL.whole})?\s*)(?:{_TYPE.whole}(?![A-Za-z]))?"
    rf"\s*(?:to=(?P<recipient>{LETTER}+)\s*{_TYPE.whole}?)?\s*"
)


@dataclass(frozen=True, slots=True)
class Header:
    """What is known of a message before its body. `foreign`: its author is not the assistant."""

    channel: str | None = None
    recipient: str | None = None
    foreign: bool = False

    def with_part(self, part: Part, text: str) -> Header:
        """The header and one more part of it; of what is said twice the last counts."""
        read = _read(text)
        return Header(
            channel=read["channel"] or self.channel,
            recipient=read["recipient"] or self.recipient,
            foreign=self.foreign or (part is Part.AUTHOR and not _by_assistant(text)),
        )


def _read(text: str) -> re.Match[str]:
    found = _READ.match(text)
    assert found is not None  # every part of the pattern may be absent
    return found


def _by_assistant(text: str) -> bool:
    return not text.strip() or text.lstrip().startswith(ASSISTANT)


def is_author(text: str) -> bool:
    """Whether text between two messages is an author's part, and not words that only begin like one."""
    rest = text.strip().removeprefix(ASSISTANT).strip()
    return not rest or (rest.startswith("to=") and rest != "to=")


def body_start(part: Part, fitting: str) -> int:
    """Where the body begins in a part that goes over into it without a marker; `fitting`: what was still the part."""
    if part is Part.BETWEEN or (part is Part.AUTHOR and not _by_assistant(fitting)):
        return 0
    read = _read(fitting)
    return read.end() if read["recipient"] or part is Part.TYPE else read.end("front")
