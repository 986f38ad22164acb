"""Newlines that a format writes around texts, and that are no part of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Framing:
    """How many newlines a format writes: before content that begins a reply (`start`), behind the opener and before
    the closer of reasoning (`thought`), behind that closer (`answer`), between content and a call (`call`), and behind
    a call, before the tag that ends all calls (`called`).

    A text may lack them; of more than these, the rest is the text's own.
    """

    start: int = 0
    thought: int = 0
    answer: int = 0
    call: int = 0
    called: int = 0


UNFRAMED = Framing()
