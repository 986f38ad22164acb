"""The words of an answer: how texts are compared, and how several spellings of one thing are told."""

from __future__ import annotations

from collections.abc import Iterable

_PLAIN = str.maketrans(
    {
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2212", "-"),
        **dict.fromkeys("\u2018\u2019", "'"),
        **dict.fromkeys("\u201c\u201d", '"'),
    }
)


def folded(text: str) -> str:
    """A text as answers are compared: without regard to case, spacing, and how hyphens and quotes are drawn."""
    return " ".join(text.translate(_PLAIN).casefold().split())


def says(answer: str, spellings: Iterable[str]) -> bool:
    """Whether at least one of the spellings stands in an answer."""
    said = folded(answer)
    return any(folded(text) in said for text in spellings)


def either(spellings: Iterable[str]) -> str:
    """`'12:30' or 'half past twelve'`."""
    return " or ".join(map(repr, spellings))
