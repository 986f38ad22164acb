"""The scenarios that ship with agenteval: they load, they can be solved, and they are as long as they claim."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from agenteval.canonical import parse_json
from agenteval.match import matches
from agenteval.messages import ToolCall, Transcript
from agenteval.parsers import FAMILIES
from agenteval.prompts import PromptCount, count_prompt
from agenteval.scenario import bind, bundled_names, lint, load_suite
from agenteval.schema import violations
from agenteval.scoring import judge_end
from agenteval.script import Scenario
from agenteval.thinking import Thinking
from agenteval.tokens import vocabulary
from agenteval.tools import GoldenTurn, World, beginning, execute, play

SEEDS = range(5)
LOADED = {suite: load_suite(suite).scenarios for suite in bundled_names()}
SUITES = {suite: tuple(item.name for item in scenarios) for suite, scenarios in LOADED.items()}
SCENARIOS = {item.name: item for scenarios in LOADED.values() for item in scenarios}
NAMES = tuple(SCENARIOS)
MODES: tuple[Thinking, ...] = ("off", "on", "preserved")

CONTEXT = (42, 120, 305, 901, 994, 1826, 1918, 3142, 3212, 3283)
"""The published run: message tokens at step 1 of each turn."""

BREAKS_ABOVE = 3000
"""Prompt tokens above which the default simulated deployment makes no more calls."""

THOUGHT = "The user wants this next, and one of my tools can do it, so I will use it right away."
"""About as much as a scripted model thinks in a step, or somewhat more."""


@cache
def scenario(name: str, seed: int = 0) -> Scenario:
    return bind(SCENARIOS[name], seed)


@cache
def golden(name: str, seed: int = 0) -> tuple[GoldenTurn, ...]:
    return play(scenario(name, seed))


def history(name: str, turn: int, seed: int = 0) -> Transcript:
    """The golden conversation up to and including a turn's user message."""
    turns = golden(name, seed)
    past = (message for done in turns[: turn - 1] for message in (done.user, *done.messages))
    return (*beginning(scenario(name, seed)), *past, turns[turn - 1].user)


def count(name: str, messages: Transcript, thinking: Thinking = "off") -> PromptCount:
    thinks = thinking != "off"
    thought = (
        replace(message, reasoning=THOUGHT) if thinks and message.role == "assistant" else message
        for message in messages
    )
    return count_prompt(
        "glm47",
        tuple(thought),
        scenario(name).tool_specs,
        vocabulary(FAMILIES["glm47"].special),
        thinking=thinks,
        keep_reasoning=thinking == "preserved",
    )


def calling_prompts(name: str, turn: int) -> Iterator[Transcript]:
    """The messages before each step of a turn in which tools are called."""
    before = history(name, turn)
    for at, message in enumerate(golden(name)[turn - 1].messages):
        if message.tool_calls:
            yield (*before, *golden(name)[turn - 1].messages[:at])


def turns_of(name: str) -> range:
    return range(1, len(scenario(name).turns) + 1)


def calls_of(turn: GoldenTurn) -> list[ToolCall]:
    return [call for message in turn.messages for call in message.tool_calls]


def texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for item in value.values() for text in texts_in(item))
    elif isinstance(value, list):
        yield from (text for item in value for text in texts_in(item))


def text_of(messages: Transcript) -> str:
    """Everything that stands in some messages; a text inside JSON stands there as it is."""
    parts = (part for m in messages for part in (m.content or "", *(c.arguments_text for c in m.tool_calls)))
    return "\n".join(parts)


# --- all of them --------------------------------------------------------------------------------------------


def test_the_first_run_plays_the_founding_story_first() -> None:
    assert SUITES["founding"] == ("ten-turn-repo", "thinking-modes")
    assert SUITES["desk"] == ("support-desk", "trip-planner")


def test_some_scenarios_are_for_a_first_look() -> None:
    assert sum("smoke" in scenario(name).tags for name in NAMES) >= 4


def test_no_name_is_used_twice() -> None:
    assert len(NAMES) == sum(map(len, SUITES.values()))


@pytest.mark.parametrize("suite", bundled_names())
def test_bundled_suites_lint_clean(suite: str) -> None:
    assert [str(problem) for problem in lint(suite)] == []


@pytest.mark.parametrize("name", NAMES)
def test_each_scenario_says_why_it_exists(name: str) -> None:
    assert len(scenario(name).description.split()) >= 20
    assert scenario(name).tags


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_golden_calls_are_valid_and_the_expected_ones(name: str, seed: int) -> None:
    schemas = {tool.name: tool.parameters for tool in scenario(name, seed).tool_specs}
    for turn, done in zip(scenario(name, seed).turns, golden(name, seed), strict=True):
        calls = calls_of(done)
        assert [call.name for call in calls] == [call.name for call in turn.expect.calls or ()]
        for call, expected in zip(calls, turn.expect.calls or (), strict=True):
            arguments = parse_json(call.arguments_text)
            assert not violations(schemas[call.name], arguments), call
            assert matches(dict(expected.arguments or {}), arguments), call
        assert not {call.name for call in calls} & {call.name for call in turn.expect.forbid}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_golden_answers_and_the_world_are_as_expected(name: str, seed: int) -> None:
    for turn, done in zip(scenario(name, seed).turns, golden(name, seed), strict=True):
        answer = done.messages[-1]
        assert answer.role == "assistant"
        assert answer.content
        assert not answer.tool_calls
        assert judge_end(answer.content, done.world_after.state, turn.expect) == ()


@pytest.mark.parametrize("name", NAMES)
def test_calls_side_by_side_are_one_step(name: str) -> None:
    for turn, done in zip(scenario(name).turns, golden(name), strict=True):
        steps = [message for message in done.messages if message.tool_calls]
        assert len(steps) == (1 if turn.expect.parallel else len(turn.expect.calls or ()))


@pytest.mark.parametrize("name", NAMES)
def test_no_user_says_the_same_twice(name: str) -> None:
    said = [turn.user for turn in scenario(name).turns]
    assert len(set(said)) == len(said)


@pytest.mark.parametrize("name", NAMES)
def test_no_seeded_value_is_needed_before_it_was_said(name: str) -> None:
    one, other = scenario(name, 1), scenario(name, 2)
    for number in turns_of(name):
        before = text_of(history(name, number, 1))
        for step in golden(name, 1)[number - 1].messages:
            for call in step.tool_calls:
                needed = set(texts_in(parse_json(call.arguments_text)))
                changing = needed - {
                    text
                    for twin in calls_of(golden(name, 2)[number - 1])
                    for text in texts_in(parse_json(twin.arguments_text))
                }
                assert all(text in before for text in changing), (number, changing)
            before += "\n" + text_of((step,))
    assert one.hash == other.hash


# --- ten-turn-repo ------------------------------------------------------------------------------------------


def test_ten_turns_have_the_published_context() -> None:
    for seed in SEEDS:
        for turn, published in enumerate(CONTEXT, start=1):
            tokens = count("ten-turn-repo", history("ten-turn-repo", turn, seed)).messages
            assert abs(tokens - published) <= max(0.03 * published, 2), f"turn {turn}: {tokens}"


def test_ten_turns_have_tools_enough() -> None:
    assert len(scenario("ten-turn-repo").tools) >= 6
    used = {call.name for done in golden("ten-turn-repo") for call in calls_of(done)}
    assert used == {tool.name for tool in scenario("ten-turn-repo").tool_specs}
    assert all(calls_of(done) for done in golden("ten-turn-repo"))
    assert 300 <= count("ten-turn-repo", history("ten-turn-repo", 1)).tools <= 500


@pytest.mark.parametrize("thinking", MODES)
def test_ten_turns_pass_the_limit_before_turn_8(thinking: Thinking) -> None:
    """With room to both sides, for servers and models that count a little differently."""
    for turn in turns_of("ten-turn-repo"):
        for messages in calling_prompts("ten-turn-repo", turn):
            total = count("ten-turn-repo", messages, thinking).total
            if turn < 8:
                assert total <= BREAKS_ABOVE - 200, turn
            else:
                assert total >= BREAKS_ABOVE + 200, turn


def test_code_is_pasted_at_turn_6_and_a_log_is_read_at_turn_7() -> None:
    sixth, seventh = scenario("ten-turn-repo").turns[5], golden("ten-turn-repo")[6]
    assert 3500 <= len(sixth.user) <= 4500
    (log,) = (message.content or "" for message in seventh.messages if message.role == "tool")
    assert 1000 <= vocabulary(FAMILIES["glm47"].special).count(log) <= 1200


@pytest.mark.parametrize("turn", [8, 9, 10])
def test_the_last_turns_say_what_they_need(turn: int) -> None:
    done = golden("ten-turn-repo")[turn - 1]
    for call in calls_of(done):
        for text in texts_in(parse_json(call.arguments_text)):
            assert text in (done.user.content or "")


def test_what_run_tests_says_is_what_pytest_says(tmp_path: Path) -> None:
    start = World(scenario("ten-turn-repo").world)
    worlds = [start, *(golden("ten-turn-repo")[turn - 1].world_after for turn in (4, 8))]
    for number, world in enumerate(worlds):
        outcomes = pytest_outcomes(world, tmp_path / str(number))
        for path in ("tests", "tests/test_retry.py", "tests/test_config.py", "tests/test_client.py"):
            call = ToolCall("call_1", "run_tests", f'{{"path": "{path}"}}')
            said = execute(scenario("ten-turn-repo"), world.copy(), call).content
            failed = [test for test in outcomes["FAILED"] if test.startswith(path)]
            passed = [test for test in outcomes["PASSED"] if test.startswith(path)]
            assert re.findall(r"^FAILED (\S+)", said, re.MULTILINE) == failed, (number, path)
            assert re.findall(r"(\d+) failed", said) == [str(len(failed))] * bool(failed), (number, path)
            assert re.findall(r"(\d+) passed", said) == [str(len(passed))], (number, path)


def pytest_outcomes(world: World, folder: Path) -> dict[str, list[str]]:
    """What pytest really says about the files of a world: outcome → tests."""
    for path, text in world.state["files"].items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-rA", "--rootdir", str(folder), "-p", "no:cacheprovider", "tests"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": "src", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    lines = re.findall(r"^(PASSED|FAILED) (\S+)", done.stdout, re.MULTILINE)
    return {outcome: [test for found, test in lines if found == outcome] for outcome in ("PASSED", "FAILED")}


# --- the others ---------------------------------------------------------------------------------------------


def test_thinking_modes_asks_for_one_call_a_turn() -> None:
    assert [len(calls_of(done)) for done in golden("thinking-modes")] == [1, 1]


@pytest.mark.parametrize("name", SUITES["desk"])
def test_the_desk_has_long_conversations(name: str) -> None:
    assert len(scenario(name).turns) >= 8


@pytest.mark.parametrize("thinking", MODES)
def test_the_support_desk_stays_short(thinking: Thinking) -> None:
    for turn in turns_of("support-desk"):
        assert all(count("support-desk", m, thinking).total <= 2500 for m in calling_prompts("support-desk", turn))


def test_the_support_desk_remembers_and_abstains() -> None:
    turns = scenario("support-desk").turns
    assert [number for number, turn in enumerate(turns, start=1) if turn.expect.calls == ()] == [7]
    assert [call.name for call in turns[7].expect.forbid] == ["refund"]


def test_a_forbidden_refund_would_show_in_the_world() -> None:
    desk = scenario("support-desk")
    lamp = parse_json(calls_of(golden("support-desk")[2])[0].arguments_text)["order"]
    world = golden("support-desk")[6].world_after.copy()
    call = ToolCall("call_1", "refund", f'{{"order": "{lamp}", "euros": 189, "reason": "goodwill"}}')
    assert not execute(desk, world, call).is_error
    answer = golden("support-desk")[7].messages[-1].content or ""
    assert {finding.kind for finding in judge_end(answer, world.state, desk.turns[7].expect)} == {"state_mismatch"}


@pytest.mark.parametrize("thinking", MODES)
def test_the_trip_passes_the_limit_before_its_last_two_turns(thinking: Thinking) -> None:
    turns = turns_of("trip-planner")
    for turn in turns:
        for messages in calling_prompts("trip-planner", turn):
            total = count("trip-planner", messages, thinking).total
            if turn <= turns[-3]:
                assert total <= BREAKS_ABOVE - 200, turn
            else:
                assert total >= BREAKS_ABOVE + 50, turn


def test_the_trip_needs_at_its_end_what_only_its_beginning_said() -> None:
    turns = golden("trip-planner")
    card = parse_json(calls_of(turns[7])[0].arguments_text)["card"]
    said = [card in text_of((done.user, *done.messages)) for done in turns]
    assert said == [True, *[False] * 6, True, False]


def test_the_trip_recovers_from_an_error() -> None:
    tool_messages = [message for message in golden("trip-planner")[2].messages if message.role == "tool"]
    assert "sold out" in (tool_messages[0].content or "")
    assert "sold out" not in (tool_messages[1].content or "")
