"""Virtual time: it takes no time, and keeps order."""

from __future__ import annotations

import asyncio

import pytest

from agenteval.clock import NS_PER_S, LoopClock, run_virtual


def test_hours_pass_at_once_and_in_order() -> None:
    clock = LoopClock()
    woken: list[tuple[str, int]] = []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((name, clock.now()))

    async def main() -> int:
        await asyncio.gather(sleeper("late", 7200.0), sleeper("early", 0.25), sleeper("middle", 60.0))
        return clock.now()

    assert run_virtual(main()) == 7200 * NS_PER_S
    assert woken == [("early", NS_PER_S // 4), ("middle", 60 * NS_PER_S), ("late", 7200 * NS_PER_S)]


def test_time_outs_fire_in_virtual_time() -> None:
    async def main() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(300):
                await asyncio.Event().wait()
        return asyncio.get_running_loop().time()

    assert run_virtual(main()) == 300


def test_waiting_for_nothing_is_a_bug_and_no_hang() -> None:
    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="nothing left to wait for"):
        run_virtual(main())
