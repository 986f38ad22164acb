"""What a stream folds to: the protocol, its dialects, and each defect."""

from __future__ import annotations

from typing import Any

import pytest

from agenteval.stream import CallReply, DefectKind, Fold, Reply, Usage, fold_whole, possible
from tests.stream.cutting import folded, pieces
from tests.stream.frames import DONE, ROLE, call, counted, event, final, frame

STOP = frame({}, "stop")
CALLED = frame({}, "tool_calls")
HI = frame({"content": "hi"})
FINE = HI + STOP + DONE


def fold(*chunks: bytes) -> Reply:
    """The reply to these bytes; any two-way cut gives the same one."""
    data = b"".join(chunks)
    whole = folded([data])[0]
    for cut in range(0, len(data), 1 if len(data) < 400 else 13):
        assert folded(pieces(data, [cut]))[0] == whole
    return whole


def kinds(reply: Reply) -> list[DefectKind]:
    return [defect.kind for defect in reply.defects]


def test_a_plain_answer() -> None:
    reply = fold(ROLE, frame({"content": "Hello"}), frame({"content": " world"}), STOP, final(2), DONE)
    assert reply == Reply(content="Hello world", finish_reason="stop", usage=Usage(10, 2), model="m", id="c", done=True)


@pytest.mark.parametrize("empty", [None, ""])
def test_no_text_is_none_however_the_server_writes_it(empty: str | None) -> None:
    reply = fold(frame({"content": empty, "reasoning_content": empty}), CALLED, DONE)
    assert (reply.content, reply.reasoning, reply.reasoning_field) == (None, None, None)


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_in_either_field(field: str) -> None:
    reply = fold(frame({field: "a"}), frame({field: "b", "content": None}), FINE)
    assert (reply.reasoning, reply.reasoning_field, reply.content) == ("ab", field, "hi")
    assert reply.defects == ()


def test_reasoning_in_both_fields_counts_once() -> None:
    both = frame({"reasoning": "a", "reasoning_content": "a"})
    reply = fold(both, both, FINE)
    assert (reply.reasoning, reply.reasoning_field, reply.defects) == ("aa", "reasoning_content", ())


@pytest.mark.parametrize(
    "frames",
    [
        (frame({"reasoning": "a", "reasoning_content": "b"}),),
        (frame({"reasoning_content": "b"}), frame({"reasoning": "a"})),
    ],
)
def test_reasoning_in_two_fields_that_differ_is_a_defect(frames: tuple[bytes, ...]) -> None:
    assert kinds(fold(*frames, FINE)) == ["reasoning_in_two_fields"]


# --- tool calls ---------------------------------------------------------------------------------------------


def test_interleaved_calls_are_merged_by_index() -> None:
    reply = fold(
        frame(call(1, name="b", id="id_b", arguments="{")),
        frame(call(0, name="a", id="id_a", arguments="[")),
        frame(call(1, "}")),
        frame(call(0, "]")),
        CALLED,
        DONE,
    )
    assert reply.tool_calls == (CallReply("id_a", "a", "[]", 0), CallReply("id_b", "b", "{}", 1))
    assert reply.defects == ()


def test_several_entries_in_one_delta() -> None:
    both = {"tool_calls": [*call(0, "1", "a", "x")["tool_calls"], *call(1, "2", "b", "y")["tool_calls"]]}
    assert fold(frame(both), CALLED, DONE).tool_calls == (CallReply("x", "a", "1", 0), CallReply("y", "b", "2", 1))


def test_nulls_on_later_deltas_do_not_wipe_what_was_given() -> None:
    entry = {"id": None, "index": 0, "type": "function", "function": {"name": None, "arguments": "{}"}}
    later = frame({"role": None, "content": None, "reasoning_content": None, "tool_calls": [entry]})
    reply = fold(frame(call(0, "", "f", "call_1")), later, CALLED, DONE)
    assert reply.tool_calls == (CallReply("call_1", "f", "{}", 0),)
    assert reply.defects == ()


def test_a_name_and_an_id_on_every_delta_are_kept_once() -> None:
    repeated = [frame({**call(0, part, "f", "call_1"), "function_call": {"name": "f"}}) for part in "{}"]
    reply = fold(*repeated, CALLED, DONE)
    assert reply.tool_calls == (CallReply("call_1", "f", "{}", 0),)
    assert reply.defects == ()


def test_a_call_without_arguments_id_or_name_says_so() -> None:
    assert fold(frame(call(0, name="f")), CALLED, DONE).tool_calls == (CallReply(None, "f", "", 0),)
    assert fold(frame(call(0, arguments="{}")), CALLED, DONE).tool_calls == (CallReply(None, None, "{}", 0),)
    assert fold(frame({"tool_calls": [{"index": 0}]}), CALLED, DONE).tool_calls == (CallReply(None, None, "", 0),)


@pytest.mark.parametrize("index", [None, "0", -1, 1.5, True])
def test_calls_without_a_usable_index_follow_their_ids(index: Any) -> None:
    reply = fold(
        frame(call(index, "[", "a", "id_a")),
        frame(call(index, "{", "b", "id_b")),
        frame(call(index, "}")),
        frame(call(index, "]", id="id_a")),
        CALLED,
        DONE,
    )
    assert reply.tool_calls == (CallReply("id_a", "a", "[]", 0), CallReply("id_b", "b", "{}", 1))
    assert [(defect.kind, defect.count) for defect in reply.defects] == [("index_missing", 4)]


def test_without_index_and_id_a_new_name_begins_a_call() -> None:
    reply = fold(frame(call(None, "{}", "a")), frame(call(None, "[]", "b")), CALLED, DONE)
    assert reply.tool_calls == (CallReply(None, "a", "{}", 0), CallReply(None, "b", "[]", 1))


@pytest.mark.parametrize(
    ("value", "text"), [({"path": "é", "n": 1}, '{"path": "é", "n": 1}'), ([1], "[1]"), (5, "5"), (True, "true")]
)
def test_arguments_that_are_no_text_are_kept_as_json(value: Any, text: str) -> None:
    reply = fold(frame(call(0, value, "f", "x")), CALLED, DONE)
    assert reply.tool_calls[0].arguments_text == text
    assert kinds(reply) == ["arguments_not_text"]


def test_the_first_id_and_name_stay_and_others_are_defects() -> None:
    reply = fold(frame(call(0, "1", "a", "x")), frame(call(0, "2", "b", "y")), CALLED, DONE)
    assert reply.tool_calls == (CallReply("x", "a", "12", 0),)
    assert kinds(reply) == ["id_changed", "name_changed"]


def test_a_legacy_function_call_alone_is_a_defect() -> None:
    assert kinds(fold(frame({"function_call": {"name": "f"}}), STOP, DONE)) == ["legacy_function_call"]


# --- counts -------------------------------------------------------------------------------------------------


def test_usage_with_all_its_details() -> None:
    details = {"prompt_tokens_details": {"cached_tokens": 8}, "completion_tokens_details": {"reasoning_tokens": 3}}
    reply = fold(HI, STOP, event({"choices": [], "usage": counted(5) | details}), DONE)
    assert reply.usage == Usage(prompt=10, completion=5, cached=8, reasoning=3)


@pytest.mark.parametrize(
    "details", [{}, {"prompt_tokens_details": None}, {"prompt_tokens_details": {"cached_tokens": None}}]
)
def test_what_usage_does_not_tell_is_not_known(details: dict[str, Any]) -> None:
    reply = fold(HI, STOP, event({"choices": [], "usage": counted(5) | details}), DONE)
    assert reply.usage == Usage(prompt=10, completion=5, cached=None, reasoning=None)
    assert reply.defects == ()


def test_of_running_counts_the_last_known_stay() -> None:
    first = frame({"content": "a"}, usage=counted(1) | {"prompt_tokens_details": {"cached_tokens": 8}})
    reply = fold(first, frame({"content": "b"}, usage=counted(2)), frame({"content": "c"}, usage=None), STOP, DONE)
    assert reply.usage == Usage(10, 2, 8)


@pytest.mark.parametrize("count", ["5", -5, 5.5, True, None, {}])
def test_a_count_that_is_no_count_is_not_known(count: Any) -> None:
    reply = fold(HI, STOP, event({"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": count}}), DONE)
    assert reply.usage == Usage(prompt=10)


@pytest.mark.parametrize(
    ("told", "known"),
    [
        (counted(0), Usage(10)),
        (counted(5, prompt=0), Usage(None, 5)),
        (counted(10_000_001), Usage(10)),
        (counted(5) | {"prompt_tokens_details": {"cached_tokens": 11}}, Usage(10, 5)),
        (counted(5) | {"prompt_tokens_details": {"cached_tokens": "8"}}, Usage(10, 5)),
        (counted(5) | {"completion_tokens_details": {"reasoning_tokens": 6}}, Usage(10, 5)),
    ],
)
def test_counts_that_cannot_be_true_are_not_known_and_told(told: dict[str, Any], known: Usage) -> None:
    reply = fold(HI, STOP, event({"choices": [], "usage": told}), DONE)
    assert reply.usage == known
    assert kinds(reply) == ["bad_usage"]


def test_a_reply_that_says_nothing_may_have_0_tokens() -> None:
    reply = fold(STOP, event({"choices": [], "usage": counted(0)}), DONE)
    assert (reply.usage, reply.defects) == (Usage(10, 0), ())


def test_without_usage_llama_cpps_timings_count() -> None:
    timings = {"cache_n": 7, "prompt_n": 3, "predicted_n": 5, "predicted_ms": 1.5, "note": "x"}
    reply = fold(HI, frame({}, "stop", timings=timings), DONE)
    assert reply.usage == Usage(prompt=10, completion=5, cached=7)
    assert reply.server_timings == {"cache_n": 7, "prompt_n": 3, "predicted_n": 5, "predicted_ms": 1.5}


def test_counts_that_the_request_rules_out_are_not_known() -> None:
    counts = counted(900, 5000) | {"prompt_tokens_details": {"cached_tokens": 7}}
    reply = fold(HI, STOP, event({"choices": [], "usage": counts}), DONE)
    assert possible(reply, None, None) == possible(reply, 5000, 900) == reply
    assert possible(reply, 4999, 900).usage == Usage(completion=900)
    assert possible(reply, None, 100).usage == Usage(prompt=5000, cached=7)
    (defect,) = possible(reply, 4999, 100).defects
    assert "5000 prompt tokens in a context window of 4999" in defect.detail
    assert possible(Reply(), 1, 1) == Reply()


# --- errors -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [
        event({"error": {"message": "boom", "type": "X", "code": 500}}),
        event({"error": "boom"}),
        event({"error": {"error": {"message": "boom"}}}),
        event({"error": ["boom"]}),
        event({"error": {"code": "boom"}}),
        event({"object": "error", "message": "boom", "code": 400}),
        event({"type": "error", "error": {"type": "overloaded", "message": "boom"}}),
        event({"detail": "boom"}),
        event({"code": 500, "msg": "boom"}),
        event({"status": "error", "error_msg": "boom"}),
        event({"detail": [{"loc": ["body"], "msg": "boom"}]}),
        event({"message": "boom"}),
        event({"error": {"message": "boom"}, "choices": []}),
        event({"choices": [{"index": 0, "delta": {}, "error": {"message": "boom"}, "finish_reason": "error"}]}),
        b'event: error\ndata: {"message": "boom"}\n\n',
        b'event: error\ndata: "boom"\n\n',
        b'error: {"code": 500, "message": "boom"}\n\n',
    ],
)
def test_an_error_inside_the_stream_wins_over_the_usage_that_follows(error: bytes) -> None:
    reply = fold(ROLE, HI, error, final(1), DONE)
    assert (reply.error, reply.usage, reply.content, reply.done) == ("boom", None, "hi", True)
    assert reply.defects == ()


def test_an_error_event_of_plain_text_is_an_error_and_a_defect() -> None:
    reply = fold(ROLE, b"event: error\ndata: boom\n\n", DONE)
    assert (reply.error, kinds(reply)) == ("boom", ["bad_json"])


def test_a_bare_json_error_in_an_event_stream_is_an_error() -> None:
    reply = fold(b'{"error": {"message": "boom"}}')
    assert (reply.error, kinds(reply)) == ("boom", ["stray_line", "done_missing"])


def test_an_error_without_words_is_still_an_error() -> None:
    assert fold(event({"error": {}}), DONE).error == "an error without a text"
    assert fold(event({"error": {"status": 500}}), DONE).error == '{"status": 500}'


@pytest.mark.parametrize("error", [None, False, "", {}])
def test_an_empty_error_beside_choices_is_none(error: Any) -> None:
    reply = fold(frame({"content": "hi"}, error=error), STOP, DONE)
    assert (reply.error, reply.content, reply.defects) == (None, "hi", ())


def test_the_first_error_is_the_one() -> None:
    assert fold(event({"error": "first"}), event({"error": "second"}), DONE).error == "first"


# --- defects ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "defects"),
    [
        (FINE, []),
        (FINE + b"\n\n\n", []),
        (b": ping\n\n" + ROLE + ROLE + FINE, []),
        (HI + STOP, ["done_missing"]),
        (FINE + DONE, ["done_repeated"]),
        (FINE + HI, ["after_done"]),
        (HI + DONE, ["finish_missing"]),
        (HI, ["finish_missing", "done_missing"]),
        (b"", ["empty_body"]),
        (b": ping\n\n", ["empty_body"]),
        (DONE, ["finish_missing"]),
        (HI + STOP + HI + DONE, ["late_delta"]),
        (HI + STOP + CALLED + DONE, ["finish_changed"]),
        (HI + STOP + STOP + DONE, []),
        (b"data: {oops\n\n" + FINE, ["bad_json"]),
        (HI + b'data: {"choices":[', ["cut_event", "finish_missing", "done_missing"]),
        (HI + STOP + b"data: [DO", ["cut_event", "done_missing"]),
        (HI + STOP + b"data: [DONE]", []),
        (b'data: {"a": NaN}\n\n' + FINE, ["loose_json"]),
        (b'data: {"a": "\xff"}\n\n' + FINE, ["bad_utf8"]),
        (b"what\n\n" + FINE, ["stray_line"]),
        (event([1]) + FINE, ["bad_type"]),
        (event("text") + FINE, ["bad_type"]),
        (event(None) + FINE, []),
        (event({"choices": {}}) + FINE, ["bad_type"]),
        (event({"choices": None}) + FINE, []),
        (event({"choices": [7]}) + FINE, ["bad_type"]),
        (event({"choices": [{"delta": 7}]}) + FINE, ["bad_type"]),
        (event({"choices": [{}]}) + FINE, []),
        (event({"choices": [], "usage": 7}) + FINE, ["bad_usage"]),
        (event({"choices": [], "usage": {"completion_tokens": -1}}) + FINE, ["bad_usage"]),
        (event({"choices": [], "usage": {"completion_tokens": None}}) + FINE, []),
        (frame({"content": 7}) + FINE, ["bad_type"]),
        (frame({"content": [{"type": "text", "text": "x"}]}) + FINE, ["bad_type"]),
        (frame({"reasoning": {"text": "x"}}) + FINE, ["bad_type"]),
        (frame({"tool_calls": {"0": {}}}) + FINE, ["bad_type"]),
        (frame({"tool_calls": ["x"]}) + FINE, ["bad_type"]),
        (frame({"tool_calls": [{"index": 0, "function": "f"}]}) + FINE, ["bad_type"]),
        (frame(call(0, "{}", ["f"], 7)) + FINE, ["bad_type"]),
        (frame({}, 7) + FINE, ["bad_type"]),
    ],
)
def test_each_defect(data: bytes, defects: list[str]) -> None:
    assert kinds(fold(data)) == defects


def test_of_several_choices_the_first_is_taken() -> None:
    def choice(index: int, text: str) -> dict[str, Any]:
        return {"index": index, "delta": {"content": text}, "finish_reason": "stop"}

    reply = fold(event({"choices": [choice(1, "b"), choice(0, "a")]}), DONE)
    assert (reply.content, kinds(reply)) == ("a", ["several_choices"])


def test_an_event_beyond_8_mib_is_dropped_and_the_rest_is_kept() -> None:
    reply = folded([frame({"content": "x" * (8 << 20)}), FINE])[0]
    assert (reply.content, kinds(reply)) == ("hi", ["oversized_event"])


def test_defects_of_a_hostile_stream_stay_few() -> None:
    reply = folded([b"data: {\n\n" * 10_000])[0]
    assert (reply.defects[0].kind, reply.defects[0].count) == ("bad_json", 10_000)
    assert len(reply.defects) == 3


def test_a_character_that_is_cut_between_bytes_is_whole() -> None:
    assert fold(frame({"content": "żółw 🐢"}), STOP, DONE).content == "żółw 🐢"


def test_halves_of_a_surrogate_pair_from_two_deltas_are_joined() -> None:
    halves = [b'data: {"choices":[{"delta":{"content":"\\u%s"}}]}\n\n' % half for half in (b"d83d", b"dc22")]
    assert fold(*halves, FINE).content == "🐢hi"


def test_a_lone_half_is_replaced_and_is_a_defect() -> None:
    reply = fold(b'data: {"choices":[{"delta":{"content":"a\\ud83d"}}]}\n\n', FINE)
    assert reply.content == "a\ufffdhi"
    assert kinds(reply) == ["loose_json", "bad_unicode"]


# --- whole replies ------------------------------------------------------------------------------------------


def message(**fields: Any) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", **fields}, "finish_reason": "stop"}
    return event({"id": "c", "model": "m", "choices": [choice], "usage": counted(5)})[6:-2]


def whole(body: bytes) -> Reply:
    return fold_whole(body, sent_at=0, ended_at=9)[0]


def test_a_whole_reply() -> None:
    calls = [
        {"id": "x", "type": "function", "function": {"name": "a", "arguments": "{}"}},
        {"id": "y", "type": "function", "index": 0, "function": {"name": "b", "arguments": "[]"}},
    ]
    reply = whole(b"\xef\xbb\xbf\n " + message(content="hi", reasoning_content="so", tool_calls=calls) + b"\n")
    assert (reply.content, reply.reasoning, reply.finish_reason, reply.usage) == ("hi", "so", "stop", Usage(10, 5))
    assert reply.tool_calls == (CallReply("x", "a", "{}", 0), CallReply("y", "b", "[]", 1))
    assert reply.defects == ()


def test_a_whole_reply_knows_no_times_but_its_end() -> None:
    _, timeline = fold_whole(message(content="hi"), sent_at=3, ended_at=9)
    assert (timeline.sent_at, timeline.finish_at, timeline.ended_at, timeline.streamed) == (3, 9, 9, False)
    assert (timeline.first_token_at, timeline.chunk_times) == (None, ())


@pytest.mark.parametrize(
    ("body", "defects"),
    [
        (b"", ["empty_body"]),
        (b" \n", ["empty_body"]),
        (b"<html>", ["bad_json", "finish_missing"]),
        (b"{}", ["finish_missing"]),
        (b"[]", ["bad_type", "finish_missing"]),
        (message(content="x")[:-3], ["bad_json", "finish_missing"]),
        (message(tool_calls=[{"id": "x", "function": {"name": "f", "arguments": {"a": 1}}}]), ["arguments_not_text"]),
    ],
)
def test_defects_of_whole_replies(body: bytes, defects: list[str]) -> None:
    assert kinds(whole(body)) == defects


def test_an_error_in_a_whole_reply() -> None:
    assert whole(b'{"error": {"message": "boom"}}').error == "boom"


def test_a_whole_message_that_is_streamed_as_one_event_is_read() -> None:
    fold = Fold()
    fold.feed(b"data: " + message(content="hi") + b"\n\n" + DONE, 5)
    reply, timeline = fold.finish(0, 6)
    assert (reply.content, timeline.first_token_at) == ("hi", 5)
