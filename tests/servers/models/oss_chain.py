"""What the wired gpt-oss says: a Markov chain over tokens of o200k_harmony, and what follows from it. Pure.

As in `glm_chain`: it thinks and calls tools until it has seen three calls, then answers at once. A few states need more
than the last token: what follows `<|message|>` depends on the token before it, what follows `<|channel|>` on the calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

THINK = (
    *(" need", " look", " first", " then", " check", " maybe", " plan", " file", " because", " user", " wants"),
    *(" should", " step", " next", " call", " verify", " before", " again", " since", " result"),
)
ANSWER = (
    *(" done", " answer", " here", " summary", " found", " value", " report", " shows", " total", " final"),
    *(" works", " fixed", " test", " passes", " change", " small", " note", " please", " review", " thanks"),
)
END_OF_WORDS, ANALYSIS, NO_PATH, LEFT_OPEN = 0.06, 0.5, 0.1, 0.05
PYTHON_FILE = 0.8
CALLS_UNTIL = 3


def _evenly(words: Iterable[str], share: float = 1.0) -> dict[str, float]:
    found = tuple(words)
    return {word: share / len(found) for word in found}


CHAIN: Mapping[str, Mapping[str, float]] = {
    "assistant": {"<|channel|>": 1.0},
    "<|channel|>": {"analysis": ANALYSIS, "comment": 1 - ANALYSIS, "final": 0.0},
    "analysis": {"<|message|>": 1.0},
    "final": {"<|message|>": 1.0},
    "comment": {"ary": 1.0},
    "ary": {" to": 1.0},
    " to": {"=": 1.0},
    "=": {"functions": 1.0},
    "functions": {".read": 0.4, ".search": 0.35, ".get": 0.25},
    ".read": {"_file": 1.0},
    ".search": {"_docs": 1.0},
    ".get": {"_weather": 1.0},
    **{name: {" ": 1.0} for name in ("_file", "_docs", "_weather")},
    " ": {"<|constrain|>": 1.0},
    "<|constrain|>": {"json": 1.0},
    "json": {"<|message|>": 1.0},
    '{"': {"path": 1 - NO_PATH, "limit": NO_PATH},
    "path": {'":"': 1.0},
    '":"': {"src": 0.5, "tests": 0.3, "README": 0.2},
    "limit": {'":': 1.0},
    '":': {"42": 1.0},
    "42": {"}": 1.0},
    "src": {"/main": 1.0},
    "/main": {".py": 1.0},
    "tests": {"/test": 1.0},
    "/test": {".py": 1.0},
    "README": {".md": 1.0},
    ".py": {'"}': 1 - LEFT_OPEN, "}": LEFT_OPEN},
    ".md": {'"}': 1.0},
    '"}': {"<|call|>": 1.0},
    "}": {"<|call|>": 1.0},
    **{word: {**_evenly(THINK, 1 - END_OF_WORDS), "<|end|>": END_OF_WORDS} for word in THINK},
    **{word: {**_evenly(ANSWER, 1 - END_OF_WORDS), "<|return|>": END_OF_WORDS} for word in ANSWER},
    "<|end|>": {"<|start|>": 1.0},
    "<|start|>": {"assistant": 1.0},
    "<|message|>": {},
}
"""Token → next token → probability."""

AFTER_MESSAGE: Mapping[str, Mapping[str, float]] = {
    "analysis": _evenly(THINK),
    "final": _evenly(ANSWER),
    "json": {'{"': 1.0},
}
"""The token before `<|message|>` → how the text begins."""

MISSING_KEY = NO_PATH
"""Share of calls whose arguments are valid JSON without `path`, which is required."""
BROKEN_JSON = (1 - NO_PATH) * PYTHON_FILE * LEFT_OPEN
"""Share of calls whose arguments end inside a string."""
