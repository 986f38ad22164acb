"""The prefix cache against a plain count of what two sequences share."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agenteval.simulator.cache import PrefixCache, chained

Tokens = list[int]


class Cache:
    """A prefix cache that is told tokens."""

    def __init__(self, capacity: int, block: int) -> None:
        self._cache = PrefixCache(capacity, block)
        self._block = block

    def matched(self, tokens: Tokens) -> int:
        return self._cache.matched(chained(tokens, block=self._block), len(tokens))

    def remember(self, tokens: Tokens) -> None:
        self._cache.remember(chained(tokens, block=self._block))


few_tokens = st.lists(st.integers(0, 2), max_size=40)


def shared(first: Tokens, second: Tokens) -> int:
    return next(
        (at for at, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), min(len(first), len(second))
    )


def test_an_empty_cache_knows_nothing() -> None:
    assert Cache(1000, 16).matched(list(range(100))) == 0


def test_whole_blocks_match_and_the_last_token_is_always_computed() -> None:
    cache = Cache(1000, block=4)
    cache.remember(list(range(12)))
    assert cache.matched(list(range(11))) == 8
    assert cache.matched(list(range(12))) == 8
    assert cache.matched(list(range(13))) == 12
    assert cache.matched([*range(6), 99, *range(7, 20)]) == 4


def test_equal_blocks_behind_other_beginnings_are_others() -> None:
    cache = Cache(1000, block=2)
    cache.remember([1, 1, 7, 7])
    assert cache.matched([2, 2, 7, 7, 0]) == 0


@given(st.lists(few_tokens, max_size=6), few_tokens)
def test_a_match_is_the_longest_shared_prefix_in_whole_blocks(remembered: list[Tokens], tokens: Tokens) -> None:
    cache = Cache(10_000, block=4)
    for old in remembered:
        cache.remember(old)
    best = max((shared(old[: len(old) // 4 * 4], tokens[:-1]) for old in remembered), default=0)
    assert cache.matched(tokens) == best // 4 * 4


def test_what_was_used_last_stays_when_it_is_full() -> None:
    cache = Cache(capacity=8, block=2)
    cache.remember([1, 1, 2, 2])
    cache.remember([3, 3, 4, 4])
    assert cache.matched([1, 1, 2, 2, 0]) == 4
    cache.remember([5, 5])
    assert cache.matched([1, 1, 2, 2, 0]) == 4
    assert cache.matched([3, 3, 4, 4, 0]) == 2
