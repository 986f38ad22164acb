"""Where a text can be cut: every way in which an engine, a network or a buffer may hand it to a parser.

A cut is the list of pieces; joined, they are the text. `special` strings are one token each in the model's vocabulary:
where a parser only ever sees whole tokens (`whole_tokens`), no cut goes through them.
"""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

Thoroughness = Literal["all", "quick"]
SIZES = (2, 3, 5, 7, 16)
SEEDS = 3
QUICK_PLACES = 12
"""How many of the two-way cuts, and of the prefixes, a quick exam takes."""

Pieces = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cutter:
    """Cuts the texts of a family. `whole_tokens`: never through a special string."""

    special: tuple[str, ...]
    whole_tokens: bool = False

    def letters(self, text: str) -> list[str]:
        """The smallest pieces: characters; special strings whole, where no cut goes through them."""
        if not self.whole_tokens:
            return list(text)
        return [letter for part in self._parts(text) for letter in ([part] if part in self.special else part)]

    def places(self, text: str) -> list[int]:
        """Every place where the text may be cut, its ends among them."""
        places = [0]
        for letter in self.letters(text):
            places.append(places[-1] + len(letter))
        return places

    def cuts(self, text: str, thoroughness: Thoroughness) -> Iterator[Pieces]:
        """Cuts of every kind, cheap and telling ones first; without empty pieces, where only tokens come."""
        for pieces in self._cuts(text, thoroughness):
            yield tuple(filter(None, pieces)) if self.whole_tokens else pieces

    def _cuts(self, text: str, thoroughness: Thoroughness) -> Iterator[Pieces]:
        letters = self.letters(text)
        yield tuple(letters)
        whole = thoroughness == "all"
        for size in SIZES if whole else SIZES[1:2]:
            yield tuple("".join(letters[at : at + size]) for at in range(0, len(letters), size))
        for seed in range(SEEDS if whole else 1):
            yield self.grouping(text, seed)
            yield self.tokens(text, seed, burst=1)
            yield self.tokens(text, seed, burst=5)
        for at in self.places(text) if whole else thinned(self.places(text)):
            yield (text[:at], text[at:])

    def grouping(self, text: str, seed: int, longest: int = 12) -> Pieces:
        """A seeded random cut into pieces of up to `longest` letters, empty ones among them."""
        random, letters, pieces, at = Random(seed), self.letters(text), list[str](), 0
        while at < len(letters):
            size = random.randint(0, longest)
            pieces.append("".join(letters[at : at + size]))
            at += size
        return tuple(pieces)

    def tokens(self, text: str, seed: int, burst: int) -> Pieces:
        """A cut as an engine makes it: special strings are one token each, other tokens have a few bytes, and a step
        accepts up to `burst` of them, as speculative decoding does. A character comes with the token that brings its
        last byte."""
        random, tokens = Random(seed), list[bytes]()
        for part in self._parts(text):
            rest = part.encode("utf-8", "surrogatepass")
            while rest:
                size = len(rest) if part in self.special else random.randint(1, 5)
                tokens.append(rest[:size])
                rest = rest[size:]
        decoder, pieces = getincrementaldecoder("utf-8")("surrogatepass"), list[str]()
        while tokens:
            size = random.randint(1, burst)
            pieces.append(decoder.decode(b"".join(tokens[:size])))
            del tokens[:size]
        return tuple(pieces)

    def _parts(self, text: str) -> list[str]:
        """The text as special strings and what stands between them."""
        return re.split("(" + "|".join(map(re.escape, self.special)) + ")", text) if self.special else [text]


def thinned(places: Sequence[int], most: int = QUICK_PLACES) -> list[int]:
    """Some of the places, evenly spread, the ends among them."""
    if len(places) <= most:
        return list(places)
    return [places[number * (len(places) - 1) // (most - 1)] for number in range(most)]
