"""The smallest input that still shows a failure (Zeller's delta debugging)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations, groupby
from typing import TypeAlias, TypeVar

from agenteval.regress.cuts import Cutter, Pieces

T = TypeVar("T")
PATIENCE = 300
"""How many tries a shrinking may cost."""
MOST_TAGS = 40
"""With more places between tags than these, stretches between them are not tried."""

Letter: TypeAlias = tuple[int, str]
"""A word, another character or a special string, and the number of the piece in which it stands."""


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
    """As little of the text as still fails, cut in the same places: whole stretches between tags go first, then words
    and signs; of a word nothing stays, or all."""

    def still(some: Sequence[Letter]) -> bool:
        return fails(_joined(some))

    letters = [(number, atom) for number, piece in enumerate(pieces) for atom in _atoms(cutter.letters(piece))]
    return _joined(smallest(_without_stretches(letters, still), still))


def _atoms(letters: Sequence[str]) -> list[str]:
    """Words, and all else as it comes."""
    groups = groupby(enumerate(letters), key=lambda item: -1 if item[1].isalnum() or item[1] == "_" else item[0])
    return ["".join(letter for _, letter in group) for _, group in groups]


def _without_stretches(letters: list[Letter], fails: Callable[[Sequence[Letter]], bool]) -> list[Letter]:
    """Without the longest stretches from tag to tag that can be left out: a call goes as a whole, or not at all."""
    ends = _ends_of_tags(letters)
    while len(ends) <= MOST_TAGS:
        stretches = sorted(combinations(ends, 2), key=lambda ends: ends[0] - ends[1])
        rests = (letters[:start] + letters[end:] for start, end in stretches)
        shorter = next((rest for rest in rests if rest and fails(rest)), None)
        if shorter is None:
            break
        letters, ends = shorter, _ends_of_tags(shorter)
    return letters


def _ends_of_tags(letters: Sequence[Letter]) -> list[int]:
    """Where tags begin and end, as far as they look like tags."""
    begins = (at for at, (_, letter) in enumerate(letters) if letter[0] in "<[")
    ends = (at for at, (_, letter) in enumerate(letters, 1) if letter[-1] in ">]")
    return sorted({0, len(letters), *begins, *ends})


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


def _joined(letters: Sequence[Letter]) -> Pieces:
    return tuple("".join(letter for _, letter in group) for _, group in groupby(letters, key=lambda item: item[0]))
