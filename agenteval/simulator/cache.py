"""The prefix cache of one engine: token sequences in blocks, the longest cached prefix of a new one.

A block is known by its tokens and all blocks before it, so that equal blocks behind different beginnings stay apart.
Not covered: memory that is shared with running requests; eviction is least recently used, block by block, ends first.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

BLOCK = 16


def chained(tokens: Sequence[int], before: int = 0, block: int = BLOCK) -> list[int]:
    """The marks of all whole blocks of a sequence that follows the block with the mark `before`: each depends on all
    tokens up to its end (64 bits; a chance collision is not expected)."""
    marks: list[int] = []
    for start in range(0, len(tokens) - block + 1, block):
        before = hash((before, *tokens[start : start + block]))
        marks.append(before)
    return marks


def salted(marks: Sequence[int], salt: str) -> Sequence[int]:
    """The marks of the same blocks, which those under another salt never equal."""
    return [hash((salt, mark)) for mark in marks] if salt else marks


@dataclass(slots=True)
class _Node:
    """A cached block: the one before it, how many follow it, and when it was last used, alone or on the way to one
    that follows."""

    parent: _Node | None
    mark: int
    used: int = 0
    following: int = 0


class PrefixCache:
    """Remembers blocks by their marks, at most `capacity` tokens of them."""

    def __init__(self, capacity: int, block: int = BLOCK) -> None:
        self._nodes: dict[int, _Node] = {}
        self._capacity = capacity // block
        self._block = block
        self._now = 0
        self._ends: list[tuple[int, int]] = []

    def matched(self, marks: Sequence[int], tokens: int) -> int:
        """How many leading tokens are cached of a sequence of so many. The last token never is: it has to be computed
        for the first output."""
        known = self._known(marks[: max(0, tokens - 1) // self._block])
        if known:
            self._use(self._nodes[marks[known - 1]])
        return known * self._block

    def remember(self, marks: Sequence[int]) -> None:
        """Cache all blocks of a sequence."""
        known = self._known(marks)
        node = self._nodes[marks[known - 1]] if known else None
        for mark in marks[known:]:
            if node is not None:
                node.following += 1
            node = self._nodes[mark] = _Node(node, mark)
        if node is not None:
            self._use(node)
        while len(self._nodes) > self._capacity:
            self._forget_oldest()

    def _known(self, marks: Sequence[int]) -> int:
        """How many of the blocks are cached: all up to one, since ends are forgotten first."""
        return bisect_left(range(len(marks)), True, key=lambda at: marks[at] not in self._nodes)

    def _use(self, node: _Node) -> None:
        self._now += 1
        node.used = self._now
        if not node.following:
            heappush(self._ends, (node.used, node.mark))

    def _forget_oldest(self) -> None:
        """Of the blocks that nothing follows the one that was not used for longest."""
        while True:
            used, mark = heappop(self._ends)
            node = self._nodes.get(mark)
            if node is not None and node.used == used and not node.following:
                break
        del self._nodes[mark]
        if node.parent is not None:
            node.parent.following -= 1
            node.parent.used = max(node.parent.used, used)
            if not node.parent.following:
                heappush(self._ends, (node.parent.used, node.parent.mark))
