"""A prefix cache for each conversation: by salt or by a first line, as a server gets it."""

from __future__ import annotations

from agenteval.simulator.cache import PrefixCache, chained, salted
from tests.run.scripted import ScriptedTransport, play_over, right


def bodies(isolation: str | None, run: str = "r") -> list[dict[str, object]]:
    transport = ScriptedTransport(right)
    play_over(transport, isolation=isolation, run=run)
    return transport.bodies


def test_every_request_of_a_conversation_carries_its_salt() -> None:
    salts = {str(body["cache_salt"]) for body in bodies("salt")}
    assert len(salts) == 1
    assert salts != {str(body["cache_salt"]) for body in bodies("salt", run="another")}, "a second run starts cold"
    assert all("cache_salt" not in body for body in bodies(None))


def test_a_first_line_is_the_same_throughout_and_as_long_in_every_run() -> None:
    heads = [{body["messages"][0]["content"] for body in bodies("line", run=run)} for run in ("r", "another")]  # type: ignore[index]
    (one,), (other,) = heads
    assert one != other
    assert len(one) == len(other)
    assert one.split("\n", 1)[1] == "You are a coding agent."


def test_salted_blocks_are_found_under_their_own_salt_only() -> None:
    cache, marks = PrefixCache(1_000), chained(range(64))
    cache.remember(salted(marks, "a"))
    assert [cache.matched(salted(marks, salt), 65) for salt in ("a", "b", "")] == [64, 0, 0]
