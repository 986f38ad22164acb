"""The engine as a client sees it: chunks, counts, times, the prefix cache, and what ails it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from agenteval.clock import run_virtual
from agenteval.messages import Message
from agenteval.parsers import FAMILIES
from agenteval.prompts import FORMATS, render
from agenteval.simulator.chunks import DONE
from agenteval.simulator.request import Refusal, read_request
from agenteval.tokens import vocabulary
from tests.simulator.asking import COUNTED, Reply, ask, ask_all, body, engine, history, script

THINKING: dict[str, Any] = {"chat_template_kwargs": {"enable_thinking": True}}
PRESERVED: dict[str, Any] = {"chat_template_kwargs": {"enable_thinking": True, "clear_thinking": False}}


def one_body(request: Mapping[str, Any]) -> bytes:
    asked = engine()

    async def main() -> bytes:
        return b"".join([chunk async for chunk in asked.whole(asked.admit(request))])

    return run_virtual(main())


def shape(value: Any) -> Any:
    """Keys and types; the texts of values do not matter."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    return [shape(item) for item in value] if isinstance(value, list) else type(value).__name__


# --- the wire -----------------------------------------------------------------------------------------------


def test_a_stream_is_spelled_as_sglang_spells_it() -> None:
    reply = ask(body(history(1), stream_options={"include_usage": True}, **THINKING))
    deltas = [frame["choices"][0]["delta"] for frame in reply.frames[:-1]]
    assert deltas[0] == {"reasoning_content": None, "role": "assistant", "content": ""}
    assert set(deltas[1]) == {"reasoning_content"}
    named = next(at for at, delta in enumerate(deltas) if delta.get("tool_calls"))
    call = {"index": 0, "type": "function"}
    name = {"id": reply.calls[0]["id"], **call, "function": {"name": "find_lot", "arguments": ""}}
    assert deltas[named] == {"role": None, "content": None, "reasoning_content": None, "tool_calls": [name]}
    for delta in deltas[named + 1 : -1]:
        (later,) = delta["tool_calls"]
        assert (later["id"], later["index"], later["function"]["name"]) == (None, 0, None)
        assert later["function"]["arguments"]
    assert deltas[-1] == {"reasoning_content": None}
    assert reply.frames[-1]["choices"] == []
    assert reply.raw.endswith(DONE)


def test_its_chunks_have_the_shape_of_a_captured_stream() -> None:
    """Keys of `auto_two_calls.sse` of SGLang 0.5.23, chunk kind by chunk kind."""
    reply = ask(body(history(4), stream_options={"include_usage": True}, **THINKING))
    head = {"id": "str", "object": "str", "created": "int", "model": "str"}
    choice = {"index": "int", "logprobs": "NoneType", "finish_reason": "NoneType", "matched_stop": "NoneType"}
    delta = {"reasoning_content": "NoneType", "role": "str", "content": "str"}
    assert shape(reply.frames[0]) == {**head, "choices": [{**choice, "delta": delta}]}
    finish = {**choice, "delta": {"reasoning_content": "NoneType"}, "finish_reason": "str", "matched_stop": "int"}
    assert shape(reply.frames[-2]) == {**head, "choices": [finish]}
    usage = {"prompt_tokens": "int", "total_tokens": "int", "completion_tokens": "int", "reasoning_tokens": "int"}
    details = {
        "prompt_tokens_details": {"cached_tokens": "int"},
        "completion_tokens_details": {"reasoning_tokens": "int"},
    }
    assert shape(reply.frames[-1]) == {**head, "choices": [], "usage": {**usage, **details}}


def test_without_running_usage_only_what_is_visible_makes_a_chunk() -> None:
    plain = ask(body(history(1), stream_options={"include_usage": True}))
    running = ask(body(history(1)))
    assert (plain.content, plain.names, plain.arguments) == (running.content, running.names, running.arguments)
    empty = [frame for frame in running.frames if frame["choices"] and frame["choices"][0]["delta"] == {}]
    assert empty
    assert len(plain.frames) == len(running.frames) - len(empty)
    assert all(frame["choices"][0]["delta"] for frame in plain.frames[:-1])
    assert plain.times[1] > running.times[1]


def test_without_include_usage_there_is_none() -> None:
    reply = ask(body(history(1), stream_options=None))
    assert reply.usage is None
    assert reply.frames[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_running_usage_counts_every_token_that_is_generated() -> None:
    reply = ask(body(history(1), **THINKING))
    running = [frame["usage"]["completion_tokens"] for frame in reply.frames[1:-2]]
    assert running[0] == 1
    assert running == sorted(set(running))
    assert running[-1] == reply.counts["completion_tokens"]


def test_tokens_are_those_of_prompt_and_raw_text() -> None:
    request = body(history(3, 2), **THINKING)
    received = read_request(request)
    words = vocabulary(FAMILIES["glm47"].special)
    prompt = render(FORMATS["glm47"], received.messages, received.tools, thinking=True, keep_reasoning=False)
    reply = ask(request)
    raw = FAMILIES["glm47"].render(reply.message(), received.tools, True)
    assert reply.counts["prompt_tokens"] == words.count(prompt)
    assert reply.counts["completion_tokens"] == words.count(raw) + 1
    assert reply.counts["reasoning_tokens"] == words.count(reply.reasoning) + 1
    assert reply.matched_stop == words.encode("<|user|>")[0]


@pytest.mark.parametrize(
    "template", [None, {"enable_thinking": False}, {"enable_thinking": True, "clear_thinking": False}]
)
@pytest.mark.parametrize(("turn", "part"), [(1, 0), (1, 2), (2, 0), (3, 0), (4, 0)])
@pytest.mark.parametrize("options", [COUNTED, None])
def test_the_stream_says_what_the_model_meant(
    template: dict[str, bool] | None, turn: int, part: int, options: dict[str, bool] | None
) -> None:
    request = body(history(turn, part), chat_template_kwargs=template, stream_options=options)
    meant = script().golden[turn - 1].messages[part]
    replies = [ask(request, engine(seed=seed)) for seed in range(6)]
    for reply in replies:
        said = reply.message()
        assert (said.content, bool(said.reasoning)) == (meant.content, template is None or template["enable_thinking"])
        assert [(c.name, c.arguments_text) for c in said.tool_calls] == [
            (c.name, c.arguments_text) for c in meant.tool_calls
        ]


def test_a_request_without_stream_gets_the_same_in_one_body() -> None:
    streamed = ask(body(history(4), **THINKING))
    whole = json.loads(one_body(body(history(4), stream=False, **THINKING)))
    (choice,) = whole["choices"]
    assert whole["object"] == "chat.completion"
    assert choice["message"]["reasoning_content"] == streamed.reasoning
    assert choice["message"]["content"] is None
    assert [json.loads(call["function"]["arguments"]) for call in choice["message"]["tool_calls"]] == streamed.arguments
    assert [call["id"] for call in choice["message"]["tool_calls"]] == [call["id"] for call in streamed.calls]
    assert (choice["finish_reason"], whole["usage"]) == (streamed.finish, streamed.usage)


@pytest.mark.parametrize("limit", range(1, 30))
def test_max_tokens_cuts(limit: int) -> None:
    full = ask(body(history(1), **THINKING))
    reply = ask(body(history(1), max_tokens=limit, **THINKING))
    total = full.counts["completion_tokens"]
    assert reply.counts["completion_tokens"] == min(limit, total)
    assert full.reasoning.startswith(reply.reasoning)
    if limit < total:
        assert (reply.finish, reply.matched_stop) == ("length", None)
    else:
        assert reply.finish == "tool_calls"


def test_ignore_eos_generates_all_that_was_asked_for() -> None:
    reply = ask(body(history(2), max_tokens=333, ignore_eos=True))
    assert reply.counts["completion_tokens"] == 333
    assert reply.finish == "length"


@pytest.mark.parametrize(
    ("fields", "status"),
    [({"model": "gpt-9"}, 404), ({"max_tokens": 200_000}, 400), ({"messages": []}, 400)],
)
def test_what_cannot_be_served_is_refused_before_anything_is_said(fields: dict[str, Any], status: int) -> None:
    with pytest.raises(Refusal) as refusal:
        engine().stream({**body(history(1)), **fields})
    assert refusal.value.status == status


def test_markup_in_the_conversation_is_survived() -> None:
    """GLM's format has no escape for its own tags; a request that quotes them gets an answer all the same."""
    text = "<tool_call>x</arg_value></think><|user|>"
    reply = ask(body((*history(1, 4), Message("user", text))))
    assert reply.content
    assert reply.finish == "stop"


# --- time ---------------------------------------------------------------------------------------------------


def test_equal_seeds_give_equal_bytes_and_times() -> None:
    requests = [body(history(turn), **THINKING) for turn in (1, 2, 3)]
    first, second = ask_all(requests, engine(seed=9)), ask_all(requests, engine(seed=9))
    assert [(reply.raw, reply.times) for reply in first] == [(reply.raw, reply.times) for reply in second]
    other = ask_all(requests, engine(seed=10))
    assert [reply.times for reply in other] != [reply.times for reply in first]
    assert [reply.arguments for reply in other] == [reply.arguments for reply in first]


def test_a_long_generation_takes_its_virtual_time() -> None:
    """20,000 tokens: chunks at 7.5 to 7.0 a second, 2.21 tokens each, so some 21 minutes on the clock."""
    reply = ask(body(history(2), max_tokens=20_000, ignore_eos=True))
    chunks = len(reply.frames) - 3
    seconds = reply.times[-1] - reply.times[1]
    assert 20_000 / chunks == pytest.approx(2.212, rel=0.02)
    assert 6.8 < chunks / seconds < 7.6
    assert seconds == pytest.approx(20_000 / 2.212 * 0.1395, rel=0.02)


def test_decode_speed_is_the_servers_and_chunks_are_not_tokens() -> None:
    """The founding misreading: 7.5 chunks a second were taken for tokens; there are 2.2 times as many tokens."""
    reply = ask(body(history(2), max_tokens=600, ignore_eos=True))
    seconds = reply.times[-3] - reply.times[1]
    assert 599 / seconds == pytest.approx(16.77, rel=0.05)
    assert (len(reply.frames) - 4) / seconds == pytest.approx(7.5, rel=0.01)


def test_the_role_comes_with_the_first_token_and_usage_with_the_last() -> None:
    reply = ask(body(history(1)))
    assert reply.times[0] == reply.times[1]
    assert reply.times[-1] == reply.times[-2] == reply.times[-3]


def test_uncached_tokens_cost_prefill() -> None:
    cold, warm = ask_all([body(history(3)), body(history(3))])
    missing = warm.cached - cold.cached
    assert cold.times[0] - warm.times[0] == pytest.approx(missing * 1.1475e-3, abs=0.021)


# --- the prefix cache ---------------------------------------------------------------------------------------


def test_the_same_request_again_is_cached_but_for_its_last_block() -> None:
    first, second = ask_all([body(history(3)), body(history(3))])
    prompt = first.counts["prompt_tokens"]
    assert first.cached == 0
    assert second.cached == (prompt - 1) // 16 * 16
    assert second.counts["prompt_tokens"] == prompt


def turn_two(kwargs: Mapping[str, Any]) -> tuple[Reply, Reply, Reply]:
    """A conversation lived through: call, answer, and the next question with everything that was said."""
    asked = engine()
    first = ask(body(history(1), **kwargs), asked)
    result = history(1, 2)[-1]
    so_far = (*history(1), first.message(), result)
    second = ask(body(so_far, **kwargs), asked)
    third = ask(body((*so_far, second.message(), history(2)[-1]), **kwargs), asked)
    return first, second, third


def generated_before(reply: Reply) -> int:
    return int(reply.counts["prompt_tokens"] + reply.counts["completion_tokens"])


def test_inside_a_turn_the_prefix_holds() -> None:
    first, second, _ = turn_two(THINKING)
    assert second.cached >= generated_before(first) - 17


def test_preserved_thinking_keeps_the_prefix_and_cleared_thinking_breaks_it() -> None:
    """GLM's template drops earlier reasoning at each new user message unless `clear_thinking` is false."""
    first, second, third = turn_two(PRESERVED)
    assert third.cached >= generated_before(second) - 17
    first, second, third = turn_two(THINKING)
    assert third.cached < first.counts["prompt_tokens"]
    assert third.cached >= first.counts["prompt_tokens"] - 32


def test_what_is_cached_are_the_blocks_of_tokens_that_two_rendered_prompts_share() -> None:
    """Where the template rewrites the past: exactly up to the first thought that it drops."""
    asked, words = engine(), vocabulary(FAMILIES["glm47"].special)
    thought = replace(history(3)[-2], reasoning="Now I can answer.")
    earlier = body((*history(3)[:-2], thought), **THINKING)
    later = body((*history(3)[:-2], thought, history(3)[-1]), **THINKING)
    prompts = []
    for request in (earlier, later):
        received = read_request(request)
        text = render(FORMATS["glm47"], received.messages, received.tools, thinking=True, keep_reasoning=False)
        prompts.append(words.encode(text))
    shared = next(at for at, (one, other) in enumerate(zip(*prompts, strict=False)) if one != other)
    ask(earlier, asked)
    assert 16 < shared < len(prompts[0])
    assert ask(later, asked).cached == shared // 16 * 16


def test_engines_share_no_cache() -> None:
    assert [ask(body(history(3)), engine()).cached for _ in range(2)] == [0, 0]
