"""The bundled scenarios on the bundled deployments: who breaks, where, and what the speed looks like."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pytest

from agenteval.clock import LoopClock
from agenteval.dialects import sent_history
from agenteval.messages import Message, Transcript
from agenteval.scenario import bind, bundled_names, load_suite
from agenteval.script import Scenario
from agenteval.simulator import PROFILES, Engine
from agenteval.simulator.library import Script, Shelf
from agenteval.simulator.request import read_request
from agenteval.tools import beginning
from tests.simulator.asking import SEED, Reply, ask, body

MODES: dict[str, dict[str, Any]] = {
    "off": {"enable_thinking": False},
    "on": {"enable_thinking": True},
    "preserved": {"enable_thinking": True, "clear_thinking": False},
}


@cache
def bundled() -> dict[str, Scenario]:
    suites = [load_suite(name) for name in bundled_names()]
    return {scenario.name: scenario for suite in suites for scenario in suite.scenarios}


@dataclass(frozen=True)
class Said:
    """What the model said where the golden conversation has an assistant message."""

    turn: int
    golden: Message
    reply: Reply

    @property
    def right(self) -> bool:
        said = self.reply.message()
        return said.content == self.golden.content and [(c.name, c.arguments_text) for c in said.tool_calls] == [
            (c.name, c.arguments_text) for c in self.golden.tool_calls
        ]


def script_of(scenario: Scenario) -> Script:
    bound = bind(scenario, SEED)
    request = read_request(body((Message("system", bound.system), Message("user", "")), bound))
    script = Shelf([scenario]).find(request)
    assert script is not None
    return script


def play_through(profile: str, name: str, mode: str) -> Iterator[Said]:
    """Golden history with the model's own reasoning in it; one engine for the whole conversation."""
    script = script_of(bundled()[name])
    asked = Engine(PROFILES[profile], list(bundled().values()), LoopClock(), seed=SEED)
    history: Transcript = sent_history(beginning(script.scenario), "on", None).messages
    for number, turn in enumerate(script.golden, start=1):
        history = (*history, turn.user)
        for message in turn.messages:
            if message.role == "assistant":
                reply = ask(body(history, script.scenario, chat_template_kwargs=MODES[mode]), asked)
                yield Said(number, message, reply)
                message = replace(message, reasoning=reply.reasoning or None)
            history = (*history, message)


@pytest.mark.parametrize(
    "name", ["length-8k", "own-bad-calls-0", "own-bad-calls-4", "same-work-in-a-loop", "quiet-rule"]
)
def test_scenarios_with_the_same_prompt_and_tools_are_told_apart(name: str) -> None:
    """By what stands in the conversation: the library holds all of them."""
    assert [step.turn for step in play_through("healthy", name, "off") if not step.right] == []


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["ten-turn-repo", "thinking-modes", "support-desk", "trip-planner"])
def test_the_healthy_deployment_plays_everything(name: str, mode: str) -> None:
    said = list(play_through("healthy", name, mode))
    assert [step.turn for step in said if not step.right] == []
    assert all(bool(step.reply.reasoning) is (mode != "off") for step in said)


@pytest.mark.parametrize("mode", MODES)
def test_the_default_deployment_breaks_from_turn_eight_on(mode: str) -> None:
    said = list(play_through("glm47-4x-spark", "ten-turn-repo", mode))
    assert sorted({step.turn for step in said if not step.right}) == [8, 9, 10]
    assert all(step.right for step in said if not step.golden.tool_calls)


def test_the_newest_turn_alone_heals_the_last_three() -> None:
    """What they need is said in them, so a window that keeps only the newest turn is enough for the model."""
    script = script_of(bundled()["ten-turn-repo"])
    asked = Engine(PROFILES["glm47-4x-spark"], list(bundled().values()), LoopClock())
    for turn in (8, 9, 10):
        golden = script.golden[turn - 1]
        reply = ask(body((Message("system", script.scenario.system), golden.user), script.scenario), asked)
        calls = golden.messages[0].tool_calls
        assert [(c.name, c.arguments_text) for c in reply.message().tool_calls] == [
            (c.name, c.arguments_text) for c in calls
        ]


@pytest.mark.parametrize("mode", MODES)
def test_speed_is_what_was_published_and_what_it_meant(mode: str) -> None:
    """7 to 9 chunks a second, near 2.2 tokens each, near 16.8 tokens a second: pooled over the ten turns.

    Tokens a chunk lie below 2.21 by the prefill's own chunk of one token, which weighs most in short replies.
    """
    replies = [step.reply for step in play_through("glm47-4x-spark", "ten-turn-repo", mode)]
    tokens = sum(reply.usage["completion_tokens"] for reply in replies if reply.usage)
    chunks = sum(len(reply.frames) - 3 for reply in replies)
    seconds = sum(reply.times[-1] - reply.times[1] for reply in replies)
    assert 7 < (chunks - len(replies)) / seconds < 9
    assert tokens / chunks == pytest.approx(2.2, abs=0.2)
    assert (tokens - len(replies)) / seconds == pytest.approx(16.8, abs=0.6)
