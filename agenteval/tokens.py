"""Token counts without a server: a packaged vocabulary, and estimates calibrated on what a server has said.

The vocabulary is o200k_base, read from the package and never from the network. It counts exactly what gpt-oss
counts and is a stand-in for every other model. Counts of different sources are never mixed.
"""

from __future__ import annotations

import re
from binascii import a2b_base64
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib.resources import files
from typing import Literal

from tiktoken import Encoding

from agenteval.canonical import tagged_hash
from agenteval.errors import UsageError

CountSource = Literal["server", "server_tokenize", "tokenizer", "estimate"]

_FILE = "data/o200k_base.tiktoken"
_HASH = "sha256:446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"
_FIRST_SPECIAL = 200_000
"""Ids of special strings begin above all ranks. They are ours: no model's own ids."""

_WORD_END = "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
PATTERN = "|".join(
    [
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+" + _WORD_END,
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*" + _WORD_END,
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    ]
)
"""How o200k cuts text into words, as tiktoken publishes it."""

REMEMBERED_PARTS = 8192
_LONGEST_BLANK = 100_000
_BLANK = re.compile(rf"\s{{1,{_LONGEST_BLANK}}}+")


class Vocabulary:
    """o200k_base with some strings as single tokens. Encodes any text and never raises."""

    def __init__(self, encoding: Encoding, special: tuple[str, ...]) -> None:
        self._encoding = encoding
        self._ids = {text: _FIRST_SPECIAL + number for number, text in enumerate(special)}
        self._bytes = {number: text.encode() for text, number in self._ids.items()}
        self._count_ordinary = lru_cache(maxsize=REMEMBERED_PARTS)(self._count_afresh)
        longest_first = sorted(special, key=len, reverse=True)
        self._special = re.compile(f"({'|'.join(map(re.escape, longest_first))})") if special else None

    def encode(self, text: str) -> list[int]:
        """Token ids; those of special strings are numbered from 200000 in the order given."""
        found: list[int] = []
        for part in self._special.split(text) if self._special else [text]:
            if part in self._ids:
                found.append(self._ids[part])
            else:
                for piece in _bearable(part):
                    found += self._encoding.encode_ordinary(piece)
        return found

    def count(self, text: str) -> int:
        """How many tokens a text has. Parts between special strings are remembered: prompts repeat their history."""
        parts = self._special.split(text) if self._special else [text]
        return sum(1 if part in self._ids else self._count_ordinary(part) for part in parts)

    def _count_afresh(self, part: str) -> int:
        return sum(len(self._encoding.encode_ordinary(piece)) for piece in _bearable(part))

    def pieces(self, text: str) -> list[bytes]:
        """The bytes of each token. A character may be spread over several of them."""
        single = self._encoding.decode_single_token_bytes
        return [self._bytes.get(number) or single(number) for number in self.encode(text)]


def _bearable(text: str) -> Iterator[str]:
    """The text in pieces without an endless run of blanks, on which the tokenizer's regex engine dies."""
    start = 0
    if len(text) > _LONGEST_BLANK:
        for blank in _BLANK.finditer(text):
            if len(blank.group()) == _LONGEST_BLANK:
                yield text[start : blank.end()]
                start = blank.end()
    yield text[start:]


@cache
def vocabulary(special: tuple[str, ...] = ()) -> Vocabulary:
    """The vocabulary with a family's special strings as single tokens, made once per set of strings."""
    return Vocabulary(_encoding(), special)


@cache
def _encoding() -> Encoding:
    data = files("agenteval").joinpath(_FILE).read_bytes()
    if tagged_hash(data) != _HASH:
        raise UsageError(f"agenteval/{_FILE} is damaged; install agenteval again")
    words = data.split()  # token in base64, rank, token, rank, …
    ranks = dict(zip(map(a2b_base64, words[::2]), map(int, words[1::2]), strict=True))
    return Encoding("o200k_base", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens={})


@dataclass(frozen=True, slots=True)
class TokenCount:
    """A number of tokens and who counted them.

    `server`: usage of a reply; `server_tokenize`: the server's tokenize endpoint; `tokenizer`: a local
    vocabulary; `estimate`: from the number of characters.
    """

    value: int
    source: CountSource


UNCALIBRATED_CHARACTERS_PER_TOKEN = 4.0
"""What an estimate assumes before a server has said anything: about right for English and code."""

_TRUST: dict[CountSource, int] = {"server": 2, "server_tokenize": 1, "tokenizer": 0, "estimate": 0}


@dataclass(frozen=True, slots=True)
class Calibration:
    """Units per token of one endpoint, from what that endpoint itself has counted. A unit is a character, or a token of
    a local rendering; one calibration holds one kind.

    Only counts of the most trusted source seen so far are evidence: `server` replaces `server_tokenize`; what
    is not the server's own word teaches nothing. The ratio is all tokens over all units, so fixed costs
    of a chat template are spread over the text and short prompts are estimated too low.
    """

    source: CountSource | None = None
    pairs: int = 0
    units: int = 0
    tokens: int = 0

    @property
    def units_per_token(self) -> float:
        """The ratio that `estimate` uses."""
        return self.units / self.tokens if self.pairs else UNCALIBRATED_CHARACTERS_PER_TOKEN

    def learn(self, units: int, count: TokenCount) -> Calibration:
        """This calibration with one more pair as evidence."""
        trust, present = _TRUST[count.source], _TRUST[self.source] if self.source else 0
        if units <= 0 or count.value <= 0 or trust == 0 or trust < present:
            return self
        known = self if trust == present else Calibration()
        return replace(
            known,
            source=count.source,
            pairs=known.pairs + 1,
            units=known.units + units,
            tokens=known.tokens + count.value,
        )

    def estimate(self, units: int) -> TokenCount:
        """Tokens of a prompt of this many units."""
        return TokenCount(round(units / self.units_per_token), "estimate")
