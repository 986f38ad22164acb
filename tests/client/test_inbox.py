"""Turns of many connections: in order, and in a burst never all at one go."""

from __future__ import annotations

import asyncio
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from agenteval.client.inbox import ON_THE_HEELS_NS, SLICE, Inbox
from agenteval.clock import RealClock


class Desk:
    """An inbox on a clock that the test moves, and what came out of it."""

    def __init__(self) -> None:
        self.time = 10 * ON_THE_HEELS_NS
        self.inbox = Inbox(lambda: self.time)
        self.put_in: list[int] = []
        self.came: list[int] = []

    def put(self, wait: int = 0) -> None:
        self.time += wait
        number = len(self.put_in)
        self.put_in.append(number)
        self.inbox.put(lambda: self.came.append(number), self.time)


@given(st.lists(st.one_of(st.just("turn"), st.sampled_from([0, 1, ON_THE_HEELS_NS])), max_size=60))
def test_each_has_its_turn_in_order(moves: list[str | int]) -> None:
    async def main() -> Desk:
        desk = Desk()
        for move in moves:
            if move == "turn":
                await RealClock().sleep(0)
            else:
                assert isinstance(move, int)
                desk.put(move)
            assert desk.came == desk.put_in[: len(desk.came)]
        while len(desk.came) < len(desk.put_in):
            await RealClock().sleep(0)
        return desk

    desk = asyncio.run(main())
    assert desk.came == desk.put_in


def test_a_read_alone_is_understood_at_once() -> None:
    async def main() -> None:
        desk = Desk()
        for n in range(1, 4):
            desk.put(ON_THE_HEELS_NS)
            assert len(desk.came) == n

    asyncio.run(main())


def test_in_a_burst_the_loop_looks_for_more_between_slices() -> None:
    async def main() -> list[int]:
        desk, seen = Desk(), []
        for _ in range(6):
            desk.put()
        while len(desk.came) < len(desk.put_in):
            seen.append(len(desk.came))
            await RealClock().sleep(0)
        return seen

    seen = asyncio.run(main())
    assert seen[0] == 1, "only the first one was alone"
    assert [later - earlier for earlier, later in pairwise(seen)] == [1] * (len(seen) - 1)
    assert len(seen) == 5


def test_a_long_queue_does_not_grow_without_end() -> None:
    """As many ask in every round as there are connections, and each has its turn within some rounds."""

    async def main() -> int:
        desk, most = Desk(), 0
        for _ in range(20 * SLICE):
            for _ in range(16):
                desk.put()
            most = max(most, len(desk.put_in) - len(desk.came))
            await RealClock().sleep(0)
        return most

    assert asyncio.run(main()) <= 17 * SLICE


def test_a_bug_in_one_taker_keeps_no_other_read_waiting() -> None:
    def broken() -> None:
        raise ZeroDivisionError

    async def main() -> tuple[Desk, list[object]]:
        desk, raised = Desk(), list[object]()
        asyncio.get_running_loop().set_exception_handler(lambda _, told: raised.append(type(told.get("exception"))))
        desk.put()
        desk.inbox.put(broken, desk.time)
        for _ in range(4):
            desk.put()
        for _ in range(6):
            await RealClock().sleep(0)
        return desk, raised

    desk, raised = asyncio.run(main())
    assert desk.came == desk.put_in
    assert raised == [ZeroDivisionError]
