"""What has arrived and is still to be understood: so that work on one connection delays no other one's stamps."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TypeAlias

ON_THE_HEELS_NS = 30_000
"""A read that follows the work on another one so soon was ready while that work went on: others may be, too."""

SLICE = 64
"""Of a queue so many times shorter have their turn before the loop looks at its sockets again, and one at least."""

Taker: TypeAlias = Callable[[], None]
"""Understands what one connection has read and stamped."""


class Inbox:
    """Gives the connections that have read something their turns, in the order in which they ask.

    One that asks alone has its turn at once. In a burst only stamps are taken at once; the turns come later, and in
    between the loop looks for further reads, to stamp them.
    """

    __slots__ = ("_free_since", "_now", "_waiting")

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._waiting: deque[Taker] = deque()
        self._free_since = 0

    def put(self, taker: Taker, at: int) -> None:
        """A turn for one whose last bytes arrived at `at`."""
        if self._waiting:
            self._waiting.append(taker)
        elif at - self._free_since < ON_THE_HEELS_NS:
            self._waiting.append(taker)
            asyncio.get_running_loop().call_soon(self._work)
        else:
            taker()
            self._free_since = self._now()

    def _work(self) -> None:
        waiting = len(self._waiting)
        try:
            self._hand_on(min(waiting, max(1, waiting // SLICE)))
        finally:  # a taker that raises is a bug, but one connection's: the others have their turns
            if self._waiting:
                asyncio.get_running_loop().call_soon(self._work)

    def _hand_on(self, count: int) -> None:
        for _ in range(count):
            self._waiting.popleft()()
        self._free_since = self._now()
