"""A prefix cache for each conversation, so that none is faster because another one came before it.

Where the server salts its cache (SGLang, vLLM: `cache_salt`), every request of a conversation carries its salt;
elsewhere its system prompt begins with a line of its own, as long as that of every other. Both depend on the run and
the cell, so that a run that is gone on with keeps them, and a second run starts cold.
"""

from __future__ import annotations

import random
from typing import Literal

from agenteval.canonical import seed_of, short_hash

Isolation = Literal["salt", "line"]


def salt_of(run: str, cell: str) -> str:
    """32 hex digits."""
    return short_hash(["salt", run, cell], 32)


def first_line(run: str, cell: str) -> str:
    """`Conversation 123-456-789-012.`: groups of three digits, which vocabularies know as one token each."""
    draw = random.Random(seed_of("line", run, cell))
    return f"Conversation {'-'.join(str(draw.randrange(100, 1000)) for _ in range(4))}.\n"
