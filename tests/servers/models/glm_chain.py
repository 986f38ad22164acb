"""What the wired GLM says: an exact Markov chain over its tokens, and what follows from it. Pure.

It thinks, then calls tools until it has seen three results, then answers. The rates at which its calls are wrong are
known, so the counts of an evaluator can be checked against them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from itertools import combinations
from math import factorial, prod

THINK = (
    *(" need", " look", " first", " then", " check", " maybe", " plan", " file", " because", " user", " wants"),
    *(" should", " step", " next", " call", " tool", " result", " verify", " before", " again", " since"),
)
ANSWER = (
    *(" done", " answer", " here", " summary", " found", " value", " report", " shows", " total", " final"),
    *(" works", " fixed", " test", " passes", " change", " small", " note", " please", " review", " thanks"),
)
NAMES: Mapping[str, float] = {"get_weather": 0.35, "read_file": 0.35, "search_docs": 0.25, "no_such_tool": 0.05}
KEYS: Mapping[str, float] = {"path": 0.85, "limit": 0.12, "bogus_key": 0.03}
VALUES: Mapping[str, float] = {"src/main.py": 0.4, "README.md": 0.2, "tests/test_a.py": 0.2, "42": 0.15, "true": 0.05}
NO_ARGUMENTS, MORE_ARGUMENTS, MORE_CALLS, END_OF_WORDS = 0.03, 0.2, 0.2, 0.05
CALLS_UNTIL_RESULTS = 3


def _evenly(words: Iterable[str], share: float = 1.0) -> dict[str, float]:
    found = tuple(words)
    return {word: share / len(found) for word in found}


CHAIN: Mapping[str, Mapping[str, float]] = {
    "<|assistant|>": {"<think>": 1.0},
    "<think>": _evenly(THINK),
    "<tool_call>": NAMES,
    "<arg_key>": KEYS,
    "</arg_key>": {"<arg_value>": 1.0},
    "<arg_value>": VALUES,
    "</arg_value>": {"</tool_call>": 1 - MORE_ARGUMENTS, "<arg_key>": MORE_ARGUMENTS},
    "</tool_call>": {"<|observation|>": 1 - MORE_CALLS, "<tool_call>": MORE_CALLS},
    **{word: {**_evenly(THINK, 1 - END_OF_WORDS), "</think>": END_OF_WORDS} for word in THINK},
    **{word: {**_evenly(ANSWER, 1 - END_OF_WORDS), "<|user|>": END_OF_WORDS} for word in ANSWER},
    **{name: {"<arg_key>": 1 - NO_ARGUMENTS, "</tool_call>": NO_ARGUMENTS} for name in NAMES},
    **{key: {"</arg_key>": 1.0} for key in KEYS},
    **{value: {"</arg_value>": 1.0} for value in VALUES},
}
"""Token → next token → probability. What follows `</think>` depends on the number of results, see `mkglm.py`."""

MOST_ARGUMENTS = 12
UNKNOWN_TOOL = NAMES["no_such_tool"]


def among(keys: Iterable[str]) -> dict[str, float]:
    """The shares of these keys when no others can be written."""
    found = {key: KEYS[key] for key in keys}
    return {key: share / sum(found.values()) for key, share in found.items()}


def missing_key(keys: Mapping[str, float] = KEYS) -> float:
    """Share of calls without `path`, which is required."""
    return NO_ARGUMENTS + (1 - NO_ARGUMENTS) * _without("path", keys)


def strange_key(keys: Mapping[str, float] = KEYS) -> float:
    """Share of calls with a key that no tool has."""
    return (1 - NO_ARGUMENTS) * (1 - _without("bogus_key", keys))


def repeated_key(keys: Mapping[str, float] = KEYS) -> float:
    """Share of calls in which a key stands twice."""
    return (1 - NO_ARGUMENTS) * (1 - _all_different(keys.values()))


def missing_and_none_repeated(keys: Mapping[str, float] = KEYS) -> float:
    others = [share for key, share in keys.items() if key != "path"]
    return NO_ARGUMENTS + (1 - NO_ARGUMENTS) * _all_different(others)


def _without(key: str, keys: Mapping[str, float]) -> float:
    """Probability that a call with arguments has none of a key: their number is geometric, their keys are drawn."""
    counts = ((1 - MORE_ARGUMENTS) * MORE_ARGUMENTS ** (n - 1) for n in range(1, MOST_ARGUMENTS + 1))
    return sum(share * (1 - keys.get(key, 0.0)) ** n for n, share in enumerate(counts, start=1))


def _all_different(shares: Collection[float]) -> float:
    """Probability that a call with arguments has only keys of these shares, and none of them twice."""
    more = (factorial(n) * MORE_ARGUMENTS ** (n - 1) * _products(shares, n) for n in range(1, len(shares) + 1))
    return (1 - MORE_ARGUMENTS) * sum(more)


def _products(shares: Collection[float], of: int) -> float:
    return sum(prod(chosen) for chosen in combinations(shares, of))
