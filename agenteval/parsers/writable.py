"""What no family's format can carry inside a text: its own markers, and half characters."""

from __future__ import annotations

from collections.abc import Iterable

from agenteval.errors import UnrenderableError


def without_markers(text: str, markers: Iterable[str], what: str) -> str:
    """The text itself; raises UnrenderableError if a marker stands in it."""
    for marker in markers:
        if marker in text:
            raise UnrenderableError(f"{what} holds {marker}")
    return text


def whole_characters(text: str) -> str:
    """The text itself; raises UnrenderableError if it holds half a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UnrenderableError("half a surrogate pair is no text") from error
    return text
