"""The smallest input that still shows a failure (Zeller's delta debugging)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import TypeVar

from agenteval.regress.cuts import Cutter, Pieces

T = TypeVar("T")
PATIENCE = 150
"""How many tries a shrinking may cost."""


def smallest(items: Sequence[T], fails: Callable[[Sequence[T]], bool], patience: int = PATIENCE) -> list[T]:
    """A small part of `items` (which fails as a whole) that still fails: no single item can be left out, unless the
    patience ran out."""
    kept, parts, left = list(items), 2, patience
    while len(kept) > 1 and left > 0:
        size = -(-len(kept) // parts)
        for start in range(0, len(kept), size):
            left -= 1
            rest = kept[:start] + kept[start + size :]
            if rest and fails(rest):
                kept, parts = rest, max(parts - 1, 2)
                break
            if left <= 0:
                break
        else:
            if size == 1:
                break
            parts = min(len(kept), parts * 2)
    return kept


def smallest_cut(pieces: Pieces, fails: Callable[[Pieces], bool]) -> Pieces:
    """The same text with as few of its cuts as still fail."""
    text, places = "".join(pieces), places_of(pieces)
    if fails((text,)):
        return (text,)
    kept = smallest(places, lambda some: fails(cut_at(text, some))) if len(places) > 1 else places
    return cut_at(text, kept)


def smallest_text(pieces: Pieces, cutter: Cutter, fails: Callable[[Pieces], bool]) -> Pieces:
    """As little of the text as still fails, cut in the same places."""
    letters = [(number, letter) for number, piece in enumerate(pieces) for letter in cutter.letters(piece)]
    return _joined(smallest(letters, lambda some: fails(_joined(some))))


def cut_at(text: str, places: Sequence[int]) -> Pieces:
    """The text, cut at these places; a place that stands twice makes an empty piece."""
    ends = [*places, len(text)]
    return tuple(text[start:end] for start, end in zip([0, *places], ends, strict=True))


def places_of(pieces: Pieces) -> list[int]:
    """Where a text was cut."""
    places, at = list[int](), 0
    for piece in pieces[:-1]:
        at += len(piece)
        places.append(at)
    return places


def _joined(letters: Sequence[tuple[int, str]]) -> Pieces:
    return tuple("".join(letter for _, letter in group) for _, group in groupby(letters, key=lambda item: item[0]))
