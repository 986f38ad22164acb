"""Texts in which secrets are masked, set beside the texts that they were."""

from __future__ import annotations

from typing import Any

MASK = "[secret]"


def alike(masked: Any, plain: Any) -> bool:
    """Whether two JSON values are the same, where each mask in the first may stand for any text."""
    if isinstance(masked, str) and isinstance(plain, str):
        return _alike(masked.split(MASK), plain)
    if isinstance(masked, dict) and isinstance(plain, dict):
        return masked.keys() == plain.keys() and all(alike(value, plain[key]) for key, value in masked.items())
    if isinstance(masked, list | tuple) and isinstance(plain, list | tuple):
        return len(masked) == len(plain) and all(map(alike, masked, plain))
    return bool(masked == plain)


def holds_mask(value: Any) -> bool:
    """Whether a mask stands in some text of a JSON value."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return any(map(holds_mask, value))
    return isinstance(value, str) and MASK in value


def _alike(pieces: list[str], plain: str) -> bool:
    """Whether the pieces stand in a text in their order, the first at its beginning, the last at its end."""
    first, *others = pieces
    if not others:
        return first == plain
    *inner, last = others
    at, end = len(first), len(plain) - len(last)
    if at > end or not (plain.startswith(first) and plain.endswith(last)):
        return False
    for piece in inner:
        found = plain.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True
