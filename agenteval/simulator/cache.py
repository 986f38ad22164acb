"""The prefix cache of one engine: token sequences in blocks, the longest cached prefix of a new one.

A block is found under the block before it, so that equal blocks behind different beginnings stay apart. Not covered:
memory that is shared with running requests; eviction is least recently used, block by block, ends first.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence

BLOCK = 16

_Key = tuple[int, tuple[int, ...]]


class PrefixCache:
    """Remembers whole blocks of token sequences, at most `capacity` tokens of them."""

    def __init__(self, capacity: int, block: int = BLOCK) -> None:
        self._blocks: OrderedDict[_Key, int] = OrderedDict()
        self._capacity = capacity // block
        self._block = block
        self._next_id = 1

    def matched(self, tokens: Sequence[int]) -> int:
        """How many leading tokens are cached. The last token never is: it has to be computed for the first output."""
        known = self._known(tokens[:-1])
        self._touch(known)
        return len(known) * self._block

    def remember(self, tokens: Sequence[int]) -> None:
        """Cache all whole blocks of a sequence."""
        path: list[_Key] = []
        parent = 0
        for block in self._cut(tokens):
            key = (parent, block)
            if key not in self._blocks:
                self._blocks[key] = self._next_id
                self._next_id += 1
            parent = self._blocks[key]
            path.append(key)
        self._touch(path)
        while len(self._blocks) > self._capacity:
            self._blocks.popitem(last=False)

    def _known(self, tokens: Sequence[int]) -> list[_Key]:
        path: list[_Key] = []
        parent = 0
        for block in self._cut(tokens):
            key = (parent, block)
            if key not in self._blocks:
                break
            parent = self._blocks[key]
            path.append(key)
        return path

    def _touch(self, path: list[_Key]) -> None:
        for key in reversed(path):
            self._blocks.move_to_end(key)

    def _cut(self, tokens: Sequence[int]) -> Iterator[tuple[int, ...]]:
        for start in range(0, len(tokens) - self._block + 1, self._block):
            yield tuple(tokens[start : start + self._block])
