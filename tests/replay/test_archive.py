"""Which recorded reply answers which request."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenteval.replay.archive import Archive, Links, Miss
from agenteval.store import Place

SYSTEM = {"role": "system", "content": "You are an agent."}
NOWHERE = Place(Path("nowhere"), 0)


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def called(call_id: str, **more: Any) -> list[dict[str, Any]]:
    """A call and its result."""
    function = {"name": "read", "arguments": "{}"}
    call = {"id": call_id, "type": "function", "function": function}
    said = {"role": "assistant", "content": "", "tool_calls": [call], **more}
    return [said, {"role": "tool", "tool_call_id": call_id, "content": "text"}]


def body(*messages: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [SYSTEM, *messages], "stream": True, **fields}


def archive(*bodies: dict[str, Any]) -> Archive:
    """Steps are numbered from 1."""
    found = Archive()
    for number, asked in enumerate(bodies, start=1):
        found.add(str(number), asked, NOWHERE)
    return found


def steps(of: Archive, *bodies: dict[str, Any]) -> list[str | None]:
    answers = [of.find(asked) for asked in bodies]
    return [None if isinstance(answer, Miss) else answer.step for answer in answers]


def test_requests_are_known_by_what_they_say_not_by_their_order() -> None:
    one, two, three = body(user("a")), body(user("b")), body(user("a"), *called("x"))
    assert steps(archive(one, two, three), three, one, two) == ["3", "1", "2"]


def test_the_same_request_gets_its_replies_in_order_and_then_the_last_again() -> None:
    same = body(user("a"))
    assert steps(archive(same, same, same), *[same] * 5) == ["1", "2", "3", "3", "3"]


def test_of_the_same_messages_the_fields_decide() -> None:
    off, on = ({"chat_template_kwargs": {"enable_thinking": mode}} for mode in (False, True))
    found = archive(body(user("a"), seed=1, **off), body(user("a"), seed=1, **on), body(user("a"), seed=2, **on))
    assert steps(found, body(user("a"), seed=2, **on), body(user("a"), seed=1, **on)) == ["3", "2"]
    assert steps(found, body(user("a"), seed=1, **off)) == ["1"]
    assert steps(found, {"messages": [SYSTEM, user("a")], "stream": True, "seed": 2}) == ["3"], "the best there is"


def test_ids_of_calls_are_no_more_than_names() -> None:
    recorded = body(user("a"), *called("call_17"), *called("call_18"))
    assert steps(archive(recorded), body(user("a"), *called("x"), *called("y"))) == ["1"]
    assert steps(archive(recorded), body(user("a"), *called("x"), *called("x"))) == [None], "two are not one"


def test_null_is_absent() -> None:
    recorded = body(user("a"), *called("x", reasoning_content=None))
    assert steps(archive(recorded), body(user("a"), *called("x", refusal=None), temperature=None)) == ["1"]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (body(user("z")), "the nearest, 1, has the first 1 of them, and another one where message 2 (role user)"),
        (body(user("a"), *called("x"), user("z")), "the nearest, 2, has the first 4 of them"),
        (body(user("a"), called("x")[0]), "no recorded request ends after these 3 messages; 2 goes on from them"),
        ({"messages": [user("a")]}, "no recorded request begins with these messages"),
        ({"messages": "hello"}, "no recorded request begins with these messages"),
        ({}, "no recorded request begins with these messages"),
    ],
)
def test_what_was_not_recorded_is_told_with_the_nearest(asked: dict[str, Any], says: str) -> None:
    answer = archive(body(user("a")), body(user("a"), *called("x"), user("b"))).find(asked)
    assert isinstance(answer, Miss)
    assert says in answer.reason
    assert not answer.known


def test_a_stream_is_not_given_for_a_whole_reply() -> None:
    answer = archive(body(user("a"))).find(body(user("a"), stream=False))
    assert isinstance(answer, Miss)
    assert answer.known
    assert "(1) was recorded as a stream" in answer.reason


CONVERSATIONS = st.lists(st.lists(st.sampled_from("abc"), max_size=5).map(lambda said: [*map(user, said)]), max_size=8)


@given(CONVERSATIONS)
def test_everything_recorded_is_found_again(conversations: list[list[dict[str, Any]]]) -> None:
    bodies = [body(*said) for said in conversations]
    found = archive(*bodies)
    assert found.replies == len(bodies)
    for asked in bodies:
        answer = found.find(asked)
        assert not isinstance(answer, Miss)
        assert bodies[int(answer.step) - 1] == asked


@given(CONVERSATIONS)
def test_links_do_not_depend_on_what_came_before(conversations: list[list[dict[str, Any]]]) -> None:
    """What two conversations share is hashed once; the result must be the same."""
    shared: Sequence[dict[str, Any]] = ()
    links = Links()
    for said in conversations:
        grown = [*shared, *said, *called(f"id-{len(said)}")]
        assert links.of(grown) == Links().of(grown)
        shared = grown[:-1]
