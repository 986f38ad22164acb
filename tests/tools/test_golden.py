"""A scenario played as it should go."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from agenteval.canonical import parse_json
from agenteval.errors import UsageError
from agenteval.match import ABSENT, matches
from agenteval.messages import Message, ToolCall, ToolSpec
from agenteval.scenario import bind, bundled_names, load_suite
from agenteval.schema import violations
from agenteval.script import Change, Defaults, Expectation, ExpectedAnswer, ExpectedCall, MockTool, Rule, Scenario, Turn
from agenteval.template import MissingPath, get_path
from agenteval.tools import execute, play
from agenteval.tools.world import World
from agenteval.wording import says

ADD = MockTool(
    ToolSpec("add", "", {"type": "object", "properties": {"item": {"type": "string"}}, "required": ["item"]}),
    (Rule(changes=(Change("append", "cart", "${args.item}"),), returns={"$count": "world.cart"}),),
)


def scenario(*turns: Turn) -> Scenario:
    return Scenario("s", "", (), "", (ADD,), turns, {"cart": []}, {}, Defaults(), "s.yaml", "sha256:0")


def adding(*items: object) -> tuple[ExpectedCall, ...]:
    return tuple(ExpectedCall("add", {"item": item}) for item in items)


def test_calls_are_made_one_by_one_with_their_results() -> None:
    (turn,) = play(scenario(Turn("Add two.", Expectation(adding("a", {"$regex": "^b", "example": "bb"})))))
    assert turn.user == Message("user", "Add two.")
    assert turn.messages == (
        Message("assistant", tool_calls=(ToolCall("call_1_1", "add", '{"item": "a"}'),)),
        Message("tool", "1", tool_call_id="call_1_1"),
        Message("assistant", tool_calls=(ToolCall("call_1_2", "add", '{"item": "bb"}'),)),
        Message("tool", "2", tool_call_id="call_1_2"),
        Message("assistant", "Done."),
    )
    assert turn.world_after.state == {"cart": ["a", "bb"]}


def test_parallel_calls_are_one_step() -> None:
    (turn,) = play(scenario(Turn("Add two.", Expectation(adding("a", "b"), parallel=True))))
    assert [(message.role, len(message.tool_calls)) for message in turn.messages] == [
        *(("assistant", 2), ("tool", 0), ("tool", 0), ("assistant", 0)),
    ]


def test_worlds_go_on_from_turn_to_turn_and_stay_as_they_were() -> None:
    turns = play(scenario(Turn("One.", Expectation(adding("a"))), Turn("Two.", Expectation(adding("b")))))
    assert [turn.world_after.state["cart"] for turn in turns] == [["a"], ["a", "b"]]
    assert [turn.messages[0].tool_calls[0].id for turn in turns] == ["call_1_1", "call_2_1"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (None, "Done."),
        (ExpectedAnswer(), "Done."),
        (ExpectedAnswer(contains=(("a",), ("b",))), "Done: a, b."),
        (ExpectedAnswer(contains=(("12:30", "half past twelve"), ("b",))), "Done: 12:30, b."),
        (ExpectedAnswer(contains=(("a", "b"),), example="It is b."), "It is b."),
    ],
)
def test_the_answer_holds_what_is_asked_for(answer: ExpectedAnswer | None, said: str) -> None:
    (turn,) = play(scenario(Turn("Well?", Expectation(answer=answer))))
    assert turn.messages == (Message("assistant", said),)


def test_an_open_matcher_without_an_example_is_the_users_mistake() -> None:
    with pytest.raises(UsageError, match="needs an `example:`"):
        play(scenario(Turn("Add.", Expectation(adding({"$any": True})))))


@pytest.mark.parametrize("suite", bundled_names())
@pytest.mark.parametrize("seed", [0, 1, 2**31 - 1])
def test_every_bundled_scenario_can_be_played_to_its_end(suite: str, seed: int) -> None:
    """What is expected is valid, has the effects that are expected, and gives the same twice."""
    for unbound in load_suite(suite).scenarios:
        bound = bind(unbound, seed)
        golden = play(bound)
        assert [turn.messages for turn in play(bound)] == [turn.messages for turn in golden]
        for turn, played in zip(bound.turns, golden, strict=True):
            check_calls(bound, played.messages)
            for path, matcher in turn.expect.state.items():
                assert matches(matcher, state_at(played.world_after, path)), (bound.name, turn.user, path)
            check_answer(turn.expect.answer, str(played.messages[-1].content))


def state_at(world: World, path: str) -> object:
    """What stands there, as scoring sees it: `ABSENT` for nothing."""
    try:
        found: object = get_path(world.state, path)
    except MissingPath:
        return ABSENT
    return found


def check_calls(bound: Scenario, messages: tuple[Message, ...]) -> None:
    schemas = {tool.name: tool.parameters for tool in bound.tool_specs}
    for call in (call for message in messages for call in message.tool_calls):
        assert not violations(schemas[call.name], parse_json(call.arguments_text))


def check_answer(answer: ExpectedAnswer | None, said: str) -> None:
    for spellings in answer.contains if answer else ():
        assert says(said, spellings)
    assert not (answer and says(said, answer.excludes))


def test_a_spelling_that_may_go_on_is_said_as_it_is() -> None:
    (turn,) = play(scenario(Turn("Go.", Expectation(answer=ExpectedAnswer(contains=(("cancel*", "gone"), ("12",)))))))
    assert turn.messages[-1].content == "Done: cancel, 12."


def test_a_wrong_call_leaves_the_golden_way() -> None:
    made = scenario(Turn("Add.", Expectation(adding("a"))))
    world = World(made.world)
    execute(made, world, ToolCall("x", "add", json.dumps({"item": "wrong"})))
    assert world.hash() != play(made)[0].world_after.hash()
    assert play(replace(made, turns=()))[:] == ()
