"""The deployments of other models: gpt-oss in its own format, the others in a borrowed one that no client hears of."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from agenteval.cli import app
from agenteval.messages import Message, Transcript
from agenteval.parsers import FAMILIES
from agenteval.simulator import PROFILES
from agenteval.tokens import vocabulary
from tests.simulator.asking import Reply, ask, ask_all, body, engine, history, script

GPTOSS = PROFILES["gpt-oss-120b-spark"]
OTHERS = ["gpt-oss-120b-spark", "gemma4-spark", "llama70b-spark"]


def run(profile: str, out: Path) -> Result:
    arguments = ["run", "--profile", profile, "--out", str(out), "--json"]
    return CliRunner().invoke(app, arguments, standalone_mode=False)


@pytest.mark.parametrize(
    ("profile", "thinking", "left_out"),
    [
        ("gpt-oss-120b-spark", "on", "Not planned: thinking off, preserved (dialect sglang and this model have no"),
        ("gemma4-spark", "on", "Not planned: thinking off, preserved (the model's family is not known"),
        ("llama70b-spark", "on", "Not planned: thinking off, preserved (the model's family is not known"),
    ],
)
def test_the_founding_suite_is_played_without_a_fault(
    profile: str, thinking: str, left_out: str, tmp_path: Path
) -> None:
    done = run(profile, tmp_path)
    assert done.return_value == 0, done.output
    assert done.stderr.count("Not planned") == 1
    assert left_out in done.stderr
    turns = json.loads(done.stdout)["turns"]
    assert {row["thinking"] for row in turns} == {thinking}
    assert len(turns) == 12


@pytest.mark.parametrize(("profile", "family"), [("gpt-oss-120b-spark", "harmony"), ("gemma4-spark", None)])
def test_a_client_hears_only_of_a_family_that_is_the_models_own(
    profile: str, family: str | None, tmp_path: Path
) -> None:
    assert PROFILES[profile].client_family == family
    run(profile, tmp_path)
    (manifest,) = tmp_path.glob("*/run.json")
    assert json.loads(manifest.read_text(encoding="utf-8"))["endpoint"]["family"] == family


# --- gpt-oss --------------------------------------------------------------------------------------------------


def said(messages: Transcript, **fields: Any) -> Reply:
    return ask(body(messages, model=GPTOSS.model, **fields), engine(GPTOSS))


def parallel() -> tuple[int, int]:
    """Turn and part of a golden message with several calls."""
    return next(
        (number, part)
        for number, turn in enumerate(script().golden, start=1)
        for part, message in enumerate(turn.messages)
        if len(message.tool_calls) > 1
    )


def test_thinking_cannot_be_switched_off() -> None:
    switched = [said(history(1), chat_template_kwargs={"enable_thinking": mode}) for mode in (True, False)]
    assert switched[0].reasoning
    assert switched[0].raw == switched[1].raw


def test_one_call_ends_the_reply_and_the_rest_follows() -> None:
    turn, part = parallel()
    golden = script().golden[turn - 1].messages[part]
    first = said(history(turn, part))
    assert first.names == [golden.tool_calls[0].name]
    assert first.finish == "tool_calls"
    call = first.message().tool_calls[0]
    then = said((*history(turn, part), first.message(), Message("tool", "1", tool_call_id=call.id)))
    assert then.names == [golden.tool_calls[1].name]


def test_each_message_ends_with_its_own_stop_token() -> None:
    ids = vocabulary(FAMILIES["harmony"].special)
    turn, part = parallel()
    called, answered = said(history(turn, part)), said(history(turn, len(script().golden[turn - 1].messages) - 1))
    assert [called.matched_stop] == ids.encode("<|call|>")
    assert [answered.matched_stop] == ids.encode("<|return|>")
    assert (called.finish, answered.finish) == ("tool_calls", "stop")


def test_the_analysis_is_what_counts_as_reasoning() -> None:
    reply = said(history(1))
    words = vocabulary(FAMILIES["harmony"].special)
    spelled = f"<|channel|>analysis<|message|>{reply.reasoning}<|end|>"
    assert reply.counts["reasoning_tokens"] == words.count(spelled)


def test_analysis_stays_while_the_tool_loop_is_open_and_leaves_with_the_answer() -> None:
    asked = engine(GPTOSS)
    for messages, stays in ((history(1, 2), True), (history(2), False)):
        views = (messages, tuple(map(with_long_thoughts, messages)))
        bare, thought = (
            reply.counts["prompt_tokens"]
            for reply in ask_all([body(view, model=GPTOSS.model) for view in views], asked)
        )
        assert (thought > bare + 40) is stays
        assert (thought == bare) is not stays


def with_long_thoughts(message: Message) -> Message:
    return replace(message, reasoning="Long thoughts. " * 20) if message.role == "assistant" else message
