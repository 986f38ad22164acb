"""Any bytes, any JSON in any place, cut anywhere: the fold never raises, and its result can always be written."""

from __future__ import annotations

import copy
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agenteval.clock import cpu_seconds
from agenteval.stream import Fold, Reply, fold_whole
from tests.stream.cutting import folded, pieces
from tests.stream.frames import DONE, call, counted, event, frame

TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=6)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
WORDS = st.sampled_from(
    [
        "index",
        "id",
        "name",
        "arguments",
        "function",
        "tool_calls",
        "content",
        "reasoning",
        "delta",
        "message",
        "choices",
        "usage",
        "completion_tokens",
        "timings",
        "predicted_n",
        "error",
        "detail",
        "finish_reason",
        "token_ids",
    ]
)
NEAR_JSON = st.recursive(
    JSON, lambda inner: st.dictionaries(WORDS, inner, max_size=4) | st.lists(inner, max_size=3), max_leaves=8
)

FULL: Any = json.loads(
    frame(
        {"content": "a", "reasoning": "b", "reasoning_content": "b", "function_call": None}
        | call(0, "{}", "f", "call_1"),
        "stop",
        usage=counted(3) | {"prompt_tokens_details": {"cached_tokens": 1}},
        timings={"predicted_n": 3, "cache_n": 1, "prompt_n": 2},
        error=None,
        token_ids=[1, 2],
    )[6:]
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value inside a value."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [path, *(place for key in keys for place in places(value[key], (*path, key)))]


def planted(path: tuple[Any, ...], value: Any) -> Any:
    """The full frame with a value put into one place."""
    if not path:
        return value
    result = copy.deepcopy(FULL)
    target = result
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    return result


PLACES = st.sampled_from(places(FULL))
BROKEN = st.builds(planted, PLACES, NEAR_JSON).map(event)
SURROGATES = st.sampled_from([b'data: {"choices":[{"delta":{"content":"\\ud83d"}}]}\n\n'])
EVENTS = BROKEN | NEAR_JSON.map(event) | st.just(event(FULL)) | st.just(DONE) | st.binary(max_size=30) | SURROGATES
CUTS = st.lists(st.integers(0, 2000), max_size=8)


def assert_sound(reply: Reply) -> None:
    """It can be written as UTF-8 JSON, and holds no text that says nothing."""
    msgspec.json.encode(reply)
    assert reply.content != ""
    assert reply.usage is None or reply.error is None


@given(st.lists(EVENTS, max_size=5).map(b"".join), CUTS)
@settings(max_examples=400)
def test_any_stream_folds_the_same_wherever_it_is_cut(data: bytes, cuts: list[int]) -> None:
    whole, timeline = folded([data])
    assert_sound(whole)
    assert folded(pieces(data, cuts))[0] == whole
    assert list(timeline.chunk_times) == sorted(timeline.chunk_times)


@given(st.binary(max_size=300), CUTS)
def test_any_bytes_fold_the_same_wherever_they_are_cut(data: bytes, cuts: list[int]) -> None:
    whole = folded([data])[0]
    assert_sound(whole)
    assert folded(pieces(data, cuts))[0] == whole


@given(st.binary(max_size=100) | BROKEN.map(lambda data: data[6:]) | NEAR_JSON.map(lambda value: event(value)[6:]))
def test_any_body_folds(body: bytes) -> None:
    assert_sound(fold_whole(body, sent_at=0, ended_at=1)[0])


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"error":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"error":' + b"[" * 900 + b"]" * 900 + b"}",
        b'{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":'
        + b"[" * 900
        + b"]" * 900
        + b"}}]}}]}",
        b"1" * 10_000,
        b'{"usage":{"completion_tokens":' + b"9" * 400 + b"}}",
        b'{"choices":[{"index":1e999}]}',
        b'{"choices":[{"delta":{"tool_calls":[{"index":' + b"9" * 300 + b"}]}}]}",
    ],
)
def test_deep_and_huge_json_does_no_harm(body: bytes) -> None:
    assert_sound(folded([b"data: " + body + b"\n\n"])[0])
    assert_sound(fold_whole(body, sent_at=0, ended_at=1)[0])


@pytest.mark.parametrize(
    ("start", "end"),
    [(b'{"error":', b"}"), (b'{"choices":[{"delta":{"tool_calls":[{"function":{"arguments":', b"}}]}}]}")],
)
def test_json_as_deep_as_the_reader_takes_it_does_no_harm(start: bytes, end: bytes) -> None:
    """Somewhere here, what can still be read cannot be written again."""
    for depth in range(800, 1000):
        assert_sound(folded([b"data: " + start + b"[" * depth + b"]" * depth + end + b"\n\n"])[0])


def test_time_is_linear_in_the_bytes_fed_one_at_a_time() -> None:
    """Ten times the bytes of one event may take thirty times as long, and would take a hundred if quadratic."""

    def seconds(size: int) -> float:
        fold = Fold()
        data = frame({"content": "x" * size})
        began = cpu_seconds()
        for i in range(len(data)):
            fold.feed(data[i : i + 1], i)
        return cpu_seconds() - began

    seconds(1000)
    assert seconds(200_000) < 30 * seconds(20_000)
