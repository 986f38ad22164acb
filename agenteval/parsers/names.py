"""What a tool may be called, so that its calls can be told from prose about them."""

from __future__ import annotations

import re

LETTER = r"[^\s<>{}\[\]()`\"',;]"
NAME_PATTERN = rf"{LETTER}{{1,128}}"
NAME = re.compile(NAME_PATTERN)

BLANK = r"\s{0,8}"
"""What may stand around a name."""
