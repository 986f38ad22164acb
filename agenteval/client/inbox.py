"""What has arrived and is still to be understood: so that work on one connection delays no other one's stamps."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TypeAlias

ON_THE_HEELS_NS = 30_000
"""A read that follows the work on another one so soon was ready while that work went on: others may be, too."""

SLICE = 8
"""So many reads are taken in before the loop looks at its sockets again; of a long queue a sixteenth."""

Taker: TypeAlias = Callable[[bytes, int], None]
"""Takes in what one connection has read, with its stamp."""


class Inbox:
    """Hands stamped reads of all connections on, in the order in which they came.

    A read that comes alone is handed on at once. In a burst only the stamp is taken at once; the bytes wait their turn,
    and in between the loop looks for further reads, to stamp them.
    """

    __slots__ = ("_free_since", "_now", "_waiting")

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._waiting: deque[tuple[Taker, bytes, int]] = deque()
        self._free_since = 0

    def put(self, taker: Taker, data: bytes, at: int) -> None:
        """Bytes that arrived at `at`."""
        if self._waiting:
            self._waiting.append((taker, data, at))
        elif at - self._free_since < ON_THE_HEELS_NS:
            self._waiting.append((taker, data, at))
            asyncio.get_running_loop().call_soon(self._work)
        else:
            taker(data, at)
            self._free_since = self._now()

    def settle(self) -> None:
        """Hand on all that waits."""
        self._hand_on(len(self._waiting))

    def _work(self) -> None:
        waiting = len(self._waiting)
        try:
            self._hand_on(min(waiting, max(SLICE, waiting // 16)))
        finally:  # a taker that raises is a bug, but one connection's: the others' reads are handed on
            if self._waiting:
                asyncio.get_running_loop().call_soon(self._work)

    def _hand_on(self, count: int) -> None:
        for _ in range(count):
            taker, data, at = self._waiting.popleft()
            taker(data, at)
        self._free_since = self._now()
