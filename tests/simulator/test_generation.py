"""Raw text → deltas: however the bursts fall, what is shown is what the parser makes of the text."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest

from agenteval.messages import Message, ToolCall, ToolSpec
from agenteval.parsers import FAMILIES, CallDelta, Delta, fold
from agenteval.simulator.generation import Prefilled, Step, generate
from agenteval.simulator.pace import glm47_spark
from agenteval.simulator.speech import Speech
from agenteval.tokens import vocabulary

GLM = FAMILIES["glm47"]
TOOLS = (
    ToolSpec("note", "", {"type": "object", "properties": {"text": {"type": "string"}, "size": {"type": "integer"}}}),
)
MESSAGES = {
    "an answer": Message("assistant", "Done: ☃ and 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 went through."),
    "a thought": Message("assistant", "Done.", "I think of 雪 first."),
    "a call": Message(
        "assistant", None, "why", (ToolCall("", "note", '{"text": "snow ☃ 雪\\n\\"quoted\\"", "size": 3}'),)
    ),
    "two calls": Message("assistant", "Both:", None, tuple(ToolCall("", "note", f'{{"size": {n}}}') for n in (1, 2))),
}


def spoken(message: Message, *, thinking: bool) -> Speech:
    words = vocabulary(GLM.special)
    raw = GLM.render(message, TOOLS, thinking)
    return Speech((*words.encode(raw), 0), tuple(words.pieces(raw)), 0, 0, (*words.pieces(raw), b""))


def steps_of(speech: Speech, seed: int, *, thinking: bool) -> list[Step]:
    start = Prefilled(prompt=600, cached=512)
    return list(generate(speech, GLM.parser(TOOLS, thinking), glm47_spark(), start, Random(seed)))


def deltas_of(steps: list[Step]) -> list[Delta]:
    return [delta for step in steps for delta in step.deltas]


@pytest.mark.parametrize("name", MESSAGES)
@pytest.mark.parametrize("seed", range(12))
def test_what_is_shown_is_what_was_meant(name: str, seed: int) -> None:
    message = MESSAGES[name]
    thinking = message.reasoning is not None
    shown = fold(deltas_of(steps_of(spoken(message, thinking=thinking), seed, thinking=thinking)))
    assert shown == GLM.parse(GLM.render(message, TOOLS, thinking), TOOLS, thinking)
    assert shown.content == (message.content or "")
    assert shown.reasoning == (message.reasoning or "")
    assert "�" not in shown.content + shown.reasoning


@pytest.mark.parametrize("seed", range(12))
def test_a_step_sends_one_delta_and_a_name_goes_alone(seed: int) -> None:
    steps = steps_of(spoken(MESSAGES["two calls"], thinking=False), seed, thinking=False)
    assert all(len(step.deltas) <= 1 for step in steps[:-1])
    named = [delta for delta in deltas_of(steps) if isinstance(delta, CallDelta) and delta.name]
    assert [(delta.index, delta.name, delta.arguments) for delta in named] == [(0, "note", ""), (1, "note", "")]


def test_every_token_is_counted_and_the_first_comes_alone() -> None:
    speech = spoken(MESSAGES["a call"], thinking=True)
    steps = steps_of(speech, 1, thinking=True)
    counts = [step.tokens for step in steps]
    assert counts[0] == 1
    assert counts[-1] == len(speech.ids) == len(speech.shown) + 1
    assert all(1 <= later - earlier <= 4 for earlier, later in pairwise(counts))


def test_steps_come_at_the_engines_pace() -> None:
    steps = steps_of(spoken(Message("assistant", "word " * 400), thinking=False), 2, thinking=False)
    rate = (len(steps) - 1) / (steps[-1].at - steps[0].at)
    assert rate == pytest.approx(1 / glm47_spark().step_mean(800), rel=0.01)
    assert steps[0].at == pytest.approx(0.119 + 600 * 2.4e-6 + 88 * 1.1475e-3, abs=0.011)
