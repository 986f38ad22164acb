"""Server-sent events, as the standard has them and as servers bend it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenteval.stream.sse import ErrorPayload, SseDecoder
from tests.stream.cutting import decoded, pieces


@pytest.mark.parametrize(
    ("data", "payloads"),
    [
        (b'data: {"a":1}\n\n', [b'{"a":1}']),
        (b"data: a\n\ndata: b\n\n", [b"a", b"b"]),
        (b"data:a\n\n", [b"a"]),
        (b"data:  a \n\n", [b" a "]),
        (b"data: a\r\n\r\ndata: b\r\n\r\n", [b"a", b"b"]),
        (b"data: a\r\rdata: b\r\r", [b"a", b"b"]),
        (b"data: a\r\n\ndata: b\n\r\n", [b"a", b"b"]),
        (b"data: a\ndata: b\n\n", [b"a\nb"]),
        (b"data: a\ndata\ndata: b\n\n", [b"a\n\nb"]),
        (b"data: a\ndata: b", [b"a\nb"]),
        (b"data: a", [b"a"]),
        (b"\xef\xbb\xbfdata: a\n\n", [b"a"]),
        (b'\xef\xbb\xbfdata: {"a":1}\n\n', [b'{"a":1}']),
        (b": ping\n\ndata: a\n\n:\n", [b"a"]),
        (b"data: a\n: within\ndata: b\n\n", [b"a\nb"]),
        (b"event: message\nid: 7\nretry: 10\ndata: a\n\n", [b"a"]),
        (b"data:\n\n", []),
        (b"\n\n\n\n", []),
        (b"", []),
        (b"data: a\n\n\n\n\n", [b"a"]),
        ("data: \u2028\x85é\n\n".encode(), ["\u2028\x85é".encode()]),
        (b'{"error":"bare"}\n\n', [b'{"error":"bare"}']),
        (b"Internal Server Error\n", []),
    ],
)
def test_payloads_under_every_cut(data: bytes, payloads: list[bytes]) -> None:
    whole = decoded([data])
    assert whole[0] == payloads
    assert all(decoded(pieces(data, [cut])) == whole for cut in range(len(data)))
    assert decoded(data[i : i + 1] for i in range(len(data))) == whole


def test_keep_alives_and_stray_lines_are_counted_apart() -> None:
    decoder = SseDecoder()
    decoder.feed(b": ping\n:\n\nwhat is this\ndatum: 1\ndata: a\n\n")
    assert (decoder.comments, decoder.stray, decoder.first_stray) == (2, 2, b"what is this")


@pytest.mark.parametrize(
    "data", [b"event: error\ndata: boom\n\n", b"error: boom\n\n", b"event:error\r\ndata:boom\r\n\r\n"]
)
def test_events_that_the_server_calls_errors_are_marked(data: bytes) -> None:
    payloads = SseDecoder().feed(data + b"data: fine\n\n")
    assert payloads == [b"boom", b"fine"]
    assert [type(payload) for payload in payloads] == [ErrorPayload, bytes]


LIMIT = 20


@pytest.mark.parametrize(
    ("event", "kept"),
    [
        (b"data: " + b"x" * (LIMIT - 7), True),
        (b"data: " + b"x" * (LIMIT - 6), False),
        (b"data: {" + b"x" * (LIMIT - 8), True),
        (b"data: {" + b"x" * (LIMIT - 7), False),
        (b"data: abc\ndata: abc", True),
        (b"data: abc\ndata: abcd", False),
        (b"data: abc\ndata: abcd\ndata: e\n: comment", False),
        (b":" + b"x" * LIMIT + b"\ndata: a", False),
        (b"data: a\n:" + b"x" * 9, True),
        (b"x" * 200, False),
    ],
)
def test_an_event_beyond_the_bound_is_dropped_alone_under_every_cut(event: bytes, kept: bool) -> None:
    data = b"data: first\n\n" + event + b"\n\ndata: last\n\n"
    whole = decoded([data], LIMIT)
    assert (whole[0][0], whole[0][-1], whole[3]) == (b"first", b"last", 0 if kept else 1)
    assert len(whole[0]) == (3 if kept else 2)
    assert all(decoded(pieces(data, [cut]), LIMIT) == whole for cut in range(len(data)))
    assert decoded((data[i : i + 1] for i in range(len(data))), LIMIT) == whole


def test_an_endless_event_does_not_fill_the_memory() -> None:
    decoder = SseDecoder(max_event=1000)
    for _ in range(100):
        assert decoder.feed(b"data: " + b"x" * 100) == []
        assert decoder.feed(b"\ndata: x") == []
    assert decoder.dropped == 1
    assert len(decoder._tail) <= 1000
    assert decoder.feed(b"\n\ndata: back\n\n") == [b"back"]


LINES = st.sampled_from(
    [b"data: a", b"data:", b"data", b": c", b"", b"event: error", b"error: e", b"junk", b'{"j": 1}', b"id: 1", b"\xff"]
)
ENDS = st.sampled_from([b"\n", b"\r", b"\r\n", b"\n\n"])
TEXTS = st.lists(st.tuples(LINES, ENDS).map(b"".join), max_size=12).map(b"".join)


@given(TEXTS | st.binary(max_size=60), st.lists(st.integers(0, 80), max_size=6), st.integers(5, 40))
def test_where_bytes_are_cut_does_not_matter(data: bytes, cuts: list[int], limit: int) -> None:
    assert decoded(pieces(data, cuts), limit) == decoded([data], limit)
