"""Strangers' text made safe to show on a terminal: what a model or server says must not move the cursor or colour."""

from __future__ import annotations

import re

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    """The same text with control characters (also those that turn the reading direction) as `\\xNN`; tabs and line
    ends stay."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def on_one_line(text: str) -> str:
    """The same text with single blanks in place of line ends, tabs and longer gaps, and control characters as above."""
    return visible(" ".join(re.split(r"[ \t\r\n\u2028\u2029]+", text.strip())))
