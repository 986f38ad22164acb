"""The scripted model goes on as the scenario expects, and knows nothing but its prompt."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agenteval.messages import Message, Transcript
from agenteval.outcome import UNPLAYED
from agenteval.schema import violations
from agenteval.simulator.model import LOST
from agenteval.simulator.recall import Recall, misremembered, variants
from tests.simulator.asking import ask, body, history, script, stock

LOT = script().values[0]
CLOSE = stock().tool_specs[1].parameters


def test_it_plays_the_scenario_to_its_end() -> None:
    """Every golden message but the users' and the tools' is what it says at that place."""
    for turn, golden in enumerate(script().golden, start=1):
        for part, message in enumerate(golden.messages):
            if message.role != "assistant":
                continue
            reply = ask(body(history(turn, part)))
            said = reply.message()
            assert said.content == message.content
            assert [(call.name, call.arguments_text) for call in said.tool_calls] == [
                (call.name, call.arguments_text) for call in message.tool_calls
            ]
            assert reply.finish == ("tool_calls" if message.tool_calls else "stop")


def test_parallel_calls_come_in_one_message() -> None:
    reply = ask(body(history(4)))
    assert reply.arguments == [{"item": "pears"}, {"item": "plums"}]
    assert len({call["id"] for call in reply.calls}) == 2


def test_after_one_of_two_parallel_calls_the_other_is_due() -> None:
    golden = script().golden[3].messages
    one = (replace(golden[0], tool_calls=golden[0].tool_calls[:1]), golden[1])
    assert ask(body((*history(4), *one))).arguments == [{"item": "plums"}]


def test_a_tools_error_changes_nothing_in_what_comes_next() -> None:
    failed = replace(history(3, 2)[-1], content='{"error": "the store is closed"}')
    reply = ask(body((*history(3, 1), failed)))
    assert reply.content == f"Lot {LOT} is closed."


@pytest.mark.parametrize("enabled", [True, False])
def test_it_thinks_when_it_is_told_to(enabled: bool) -> None:
    reply = ask(body(history(1), chat_template_kwargs={"enable_thinking": enabled}))
    assert reply.usage is not None
    assert bool(reply.reasoning) is enabled
    assert (reply.usage["completion_tokens_details"]["reasoning_tokens"] > 0) is enabled
    assert reply.names == ["find_lot"]
    if enabled:
        assert 10 <= reply.usage["reasoning_tokens"] <= 18


def test_thoughts_hold_no_value() -> None:
    """Otherwise a policy that keeps reasoning would keep facts that it should have lost."""
    for turn in (1, 3):
        reply = ask(body(history(turn), chat_template_kwargs={}))
        assert reply.reasoning
        assert LOT not in reply.reasoning


def forgetful(turn: int) -> Transcript:
    """What a policy leaves that keeps the system prompt and the newest turn."""
    messages = history(turn)
    return (messages[0], messages[-1])


def test_a_lost_value_becomes_a_wrong_one_that_the_schema_accepts() -> None:
    (arguments,) = ask(body(forgetful(3))).arguments
    assert arguments["id"] != LOT
    assert arguments["reason"] == "empty"
    assert violations(CLOSE, arguments) == ()
    assert ask(body(forgetful(3))).arguments == [arguments]


@pytest.mark.parametrize("where", ["user", "result", "call", "reasoning", "answer"])
def test_a_value_anywhere_in_the_prompt_is_known(where: str) -> None:
    messages = forgetful(3)
    call = replace(script().golden[2].messages[0].tool_calls[0], arguments_text=f'{{"id":"{LOT}","reason":"sold"}}')
    beside: dict[str, Message] = {
        "user": Message("user", f"About {LOT}:"),
        "result": Message("tool", f'{{"lot": "{LOT}"}}', tool_call_id="x"),
        "call": Message("assistant", None, None, (call,)),
        "reasoning": Message("assistant", "Yes.", f"It is {LOT}."),
        "answer": Message("assistant", f"It was {LOT}."),
    }
    (arguments,) = ask(body((messages[0], beside[where], messages[1]))).arguments
    assert arguments == {"id": LOT, "reason": "empty"}


def test_an_answer_without_its_value_says_so() -> None:
    told = history(1, 2)
    blanked = replace(told[-1], content="[removed]")
    assert ask(body(told)).content == f"They are in lot {LOT}."
    assert ask(body((*told[:-1], blanked))).content == LOST


def test_a_spelling_that_was_told_and_is_gone_is_lost() -> None:
    told = history(4, 3)
    assert ask(body(told)).content == "The pears are in LOT-A and the plums in LOT-B."
    blanked = (replace(m, content="[removed]") if m.role == "tool" else m for m in told)
    assert ask(body(tuple(blanked))).content == LOST


def test_values_depend_on_the_seed_of_the_request() -> None:
    other = ask(body(history(3), seed=6))
    assert other.arguments[0]["id"] != LOT


UNKNOWN: dict[str, dict[str, Any]] = {
    "another system prompt": {"messages": [{"role": "system", "content": "Hi."}, {"role": "user", "content": "Hi."}]},
    "another question": {"messages": [{"role": "system", "content": stock().system}, {"role": "user", "content": "?"}]},
    "no user": {"messages": [{"role": "system", "content": stock().system}]},
    "only a result": {"messages": [{"role": "tool", "content": "x"}]},
    "no tools": {"tools": []},
    "null tools": {"tools": None},
    "other tools": {"tools": [{"type": "function", "function": {"name": "find_lot"}}]},
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_it_does_not_know_gets_a_marked_answer(name: str) -> None:
    reply = ask({**body(history(1)), **UNKNOWN[name]})
    assert reply.content.startswith(UNPLAYED)
    assert (reply.calls, reply.finish) == ([], "stop")


def test_more_tools_and_words_around_the_system_prompt_do_no_harm() -> None:
    more = {"type": "function", "function": {"name": "recall", "parameters": {"type": "object"}}}
    request = body(history(1))
    request["tools"].append(more)
    request["messages"][0]["content"] = f"Run 7.\n{stock().system}\nBe brief."
    assert ask(request).names == ["find_lot"]


def test_a_model_that_may_not_call_answers() -> None:
    reply = ask(body(history(3), tool_choice="none"))
    assert (reply.calls, reply.content) == ([], f"Lot {LOT} is closed.")


# --- what is remembered -------------------------------------------------------------------------------------


def recall(golden: str, seen: str) -> Recall:
    return Recall(lambda: golden, lambda: seen)


SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "pattern": "^[A-Z]+-[0-9]+$"},
        "kind": {"type": "string", "enum": ["bug", "task"]},
        "only": {"type": "string", "const": "bug"},
        "paths": {"type": "array", "items": {"type": "string"}},
        "deep": {"type": "object", "properties": {"kind": {"enum": ["bug", "task", 3]}}},
        "count": {"type": "integer"},
    },
}

WRONG: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"id": "BUG-19"}, {"id": "BUG-20"}),
    ({"kind": "bug"}, {"kind": "task"}),
    ({"deep": {"kind": "bug"}}, {"deep": {"kind": "task"}}),
    ({"only": "bug"}, {"only": "bug"}),
    ({"paths": ["new.py", "src/old.py"]}, {"paths": ["new.py", "tsd/old.py"]}),
    ({"count": 19}, {"count": 19}),
    ({"id": "NEW-1"}, {"id": "NEW-1"}),
]


@pytest.mark.parametrize(("arguments", "wrong"), WRONG)
def test_only_what_was_said_and_is_gone_comes_out_wrong(arguments: dict[str, Any], wrong: dict[str, Any]) -> None:
    gone = recall("BUG-19 bug src/old.py 19", "nothing of it")
    assert misremembered(arguments, SCHEMA, gone, (), {}) == wrong
    there = recall("BUG-19 bug src/old.py 19", 'BUG-19 bug "src/old.py" 19')
    assert misremembered(arguments, SCHEMA, there, (), {}) == arguments


def test_a_value_inside_a_longer_text_is_lost_too() -> None:
    gone = recall("It is BUG-19.", "")
    wrong = misremembered({"paths": ["notes/BUG-19.md"]}, SCHEMA, gone, ["BUG-19"], {})
    assert wrong == {"paths": ["notes/BUG-20.md"]}


def test_text_that_stands_escaped_in_json_stands_there() -> None:
    assert not recall('a "b"\nc', r'{"text": "a \"b\"\nc"}').lost('a "b"\nc')


@pytest.mark.parametrize("text", ["BUG-19", "src/app.py", "Ünïcode", "☃", "", "a", "2026-01-31"])
def test_variants_differ(text: str) -> None:
    assert all(variant != text for variant in variants(text))
    assert len(list(variants(text))) == len(set(variants(text)))
