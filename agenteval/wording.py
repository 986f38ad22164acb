"""The words of an answer: how texts are compared, and how several spellings of one thing are told.

A text is found as whole words and whole numbers: where it begins or ends with a letter, no letter may touch it,
and where with a digit, no digit, also not across the `. , : '` of 1,128 or 12:30, and no minus. A number may have
zeros behind its point (189 is 189.00, 34.5 is 34.50); a unit may touch it (12s). A `*` lets a word or number go on
(`cancel*`), or begin earlier (`*lampe`). Letters of scripts without blanks between words (Han, kana, Thai, …), and of
Hangul with its particles, may touch anything. Not covered: thousands that are set apart by blanks.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from unicodedata import normalize

import regex

_PLAIN = str.maketrans(
    {
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2212", "-"),
        **dict.fromkeys("\u2018\u2019", "'"),
        **dict.fromkeys("\u201c\u201d", '"'),
    }
)

_UNSPACED = "".join(
    rf"\p{{Script_Extensions={script}}}"
    for script in ("Han", "Hiragana", "Katakana", "Hangul", "Thai", "Lao", "Khmer", "Myanmar")
)
_LETTER = rf"[[\p{{L}}\p{{M}}]--[{_UNSPACED}]]"
_BEFORE_NUMBER = r"(?<!\d|\d[.,:']|(?<!\w)-)"
_AFTER_NUMBER = r"(?!\d|[.,:']\d)"
_ZEROS = r"(?:[.,]00?)?"
_MORE_ZEROS = "0?"
_AROUND = r"(?:[\w\-]|(?<=\d)[.,:'](?=\d)){0,40}"


def folded(text: str) -> str:
    """A text as answers are compared: case, spacing, and how accents, hyphens and quotes are written do not count."""
    plain = normalize("NFC", normalize("NFD", text.translate(_PLAIN)).casefold())
    return " ".join(plain.split())


def stem(text: str) -> str:
    """A spelling without the `*` at its ends: the shortest text in which it is found."""
    return text[_opens(text) : len(text) - _goes_on(text)]


def _opens(text: str) -> bool:
    return text[:1] == "*" and text[1:2].isalnum()


def _goes_on(text: str) -> bool:
    return text[-1:] == "*" and text[-2:-1].isalnum()


def says(answer: str, spellings: Iterable[str]) -> bool:
    """Whether at least one of the spellings stands in an answer."""
    said = folded(answer)
    return any(_whole(text).search(said) for text in spellings)


def nearest(answer: str, spellings: Iterable[str]) -> str | None:
    """The longer word or number within which one of the spellings stands, at most 80 characters around it."""
    said = folded(answer)
    around = (regex.search(_AROUND + regex.escape(folded(stem(text))) + _AROUND, said) for text in spellings)
    return next((found[0] for found in around if found), None)


def either(spellings: Iterable[str]) -> str:
    """`'12:30' or 'half past twelve'`."""
    return " or ".join(map(repr, spellings))


def near_miss(answer: str, spellings: Iterable[str]) -> str:
    """` (only 'refunded' is there)`, to stand behind what an answer lacks; nothing if nothing like it is there."""
    within = nearest(answer, spellings)
    return f" (only {within!r} is there)" if within else ""


@lru_cache(maxsize=1_000)
def _whole(spelling: str) -> regex.Pattern[str]:
    """What finds a spelling in a folded text."""
    text = folded(stem(spelling))
    before = "" if _opens(spelling) else _before(text[:1])
    after = "" if _goes_on(spelling) else _after(text)
    return regex.compile(before + regex.escape(text) + after, regex.V1)


def _before(first: str) -> str:
    if regex.match(r"\d", first):
        return _BEFORE_NUMBER
    return f"(?<!{_LETTER})" if regex.match(_LETTER, first, regex.V1) else ""


def _after(text: str) -> str:
    if regex.search(r"\d\Z", text):
        return (_MORE_ZEROS if regex.search(r"\d[.,]\d\Z", text) else _ZEROS) + _AFTER_NUMBER
    return f"(?!{_LETTER})" if regex.match(_LETTER, text[-1:], regex.V1) else ""
