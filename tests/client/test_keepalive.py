"""What only shows that a server lives, and what is the beginning of a reply."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenteval.client.address import address_of
from agenteval.client.answer import Answer
from agenteval.client.keepalive import FirstWord
from agenteval.wire import Limits
from tests.client.server import Sink


def heard(*pieces: bytes) -> tuple[int | None, int]:
    """The number of the piece in which the first word stands, and the keep-alives before it."""
    word = FirstWord()
    found = next((number for number, piece in enumerate(pieces) if word.stands_in(piece)), None)
    return found, word.keep_alives


@pytest.mark.parametrize(
    ("body", "says", "keep_alives"),
    [
        (b"", False, 0),
        (b"\r\n \n", False, 0),
        (b": ping\n\n", False, 1),
        (b": ping\n\n: ping - 12:00\r\n\r\n:\n", False, 3),
        (b": data: {}", False, 1),
        (b": a\rdata: {}\r\r", True, 1),
        (b"data: {}\n\n", True, 0),
        (b"event: x\n", True, 0),
        (b'\n{"choices": []}', True, 0),
        (b"<html>", True, 0),
    ],
)
def test_comments_and_blanks_say_nothing(body: bytes, says: bool, keep_alives: int) -> None:
    assert heard(body) == (0 if says else None, keep_alives)


def test_keep_alives_are_signs_of_life_between_frames_and_no_first_frame() -> None:
    """What the time-outs look at: whether anything was said yet, and when anything came last."""

    async def listen() -> list[tuple[bool, int | None]]:
        answer, seen = Answer(Sink(), Limits(), address_of("http://h")), []
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
        for at, piece in enumerate([head, b": ping\n\n", b"data: {}\n\n", b": ping\n\n"]):
            answer.feed(piece, at)
            seen.append((answer.spoken, answer.last_body_at))
        return seen

    assert asyncio.run(listen()) == [(False, None), (False, 1), (True, 2), (True, 3)]


@given(st.lists(st.sampled_from([b": ping", b":", b"\n", b"\r\n", b" ", b"data: x", b"x"]), max_size=8), st.data())
def test_it_is_the_same_however_the_body_is_cut(parts: list[bytes], data: st.DataObject) -> None:
    body = b"".join(parts)
    cut = data.draw(st.integers(0, len(body)))
    whole, pieces, single = (
        heard(body),
        heard(body[:cut], body[cut:]),
        heard(*(body[i : i + 1] for i in range(len(body)))),
    )
    assert (whole[0] is None) == (pieces[0] is None) == (single[0] is None)
    assert whole[1] == pieces[1] == single[1]
