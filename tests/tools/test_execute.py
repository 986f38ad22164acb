"""Calls have real effects, wrong ones too; what cannot be carried out is told and changes nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenteval.messages import ToolCall, ToolSpec
from agenteval.script import Change, Defaults, Json, MockTool, Rule, Scenario
from agenteval.tools import ToolResult, World, execute
from agenteval.tools.execute import MAX_RESULT

WORLD: dict[str, Json] = {
    "files": {"src/app.py": "a = 1\nb = 2\na = 1\n", "src/lib.py": "def f():\n    return 1\n", "README": "hello"},
    "orders": [{"id": 1, "paid": False}],
    "log": [],
    "count": 3,
}


def scenario(*rules: Rule, **properties: Any) -> Scenario:
    parameters = {"type": "object", "properties": properties or {"path": {"type": "string"}}, "required": []}
    tool = MockTool(ToolSpec("tool", "", parameters), rules)
    return Scenario("s", "", (), "", (tool,), (), WORLD, {}, Defaults(), "s.yaml", "sha256:0")


def call(arguments: Any, name: str = "tool") -> ToolCall:
    return ToolCall("c", name, arguments if isinstance(arguments, str) else json.dumps(arguments))


def run(rules: Rule | tuple[Rule, ...], arguments: Any, **properties: Any) -> tuple[ToolResult, World]:
    world = World(WORLD)
    made = scenario(*(rules if isinstance(rules, tuple) else (rules,)), **properties)
    return execute(made, world, call(arguments)), world


ANY: dict[str, Any] = {name: {} for name in ("path", "old", "new", "x", "to")}

BROKEN = [
    ("{", "invalid_arguments", "are not valid JSON: Expecting"),
    ("", "invalid_arguments", "are not valid JSON"),
    ("NaN", "invalid_arguments", "are not valid JSON: NaN is not JSON"),
    ('{"x": 1e999}', "invalid_arguments", "a number beyond all bounds"),
    ("[" * 100_000, "invalid_arguments", "are not valid JSON: nested too deeply"),
    ("[]", "invalid_arguments", "are not a JSON object"),
    ("null", "invalid_arguments", "are not a JSON object"),
    ('{"path": 5}', "invalid_arguments", "invalid arguments for tool: $.path: 5 is not of type 'string'"),
]


@pytest.mark.parametrize(("text", "kind", "sentence"), BROKEN)
def test_a_broken_call_is_told_and_changes_nothing(text: str, kind: str, sentence: str) -> None:
    result, world = run(Rule(changes=(Change("set", "count", 0),), returns="done"), text)
    assert (result.is_error, result.error_kind) == (True, kind)
    assert sentence in result.content
    assert world == World(WORLD)


def test_an_unknown_tool_is_told_with_those_that_there_are() -> None:
    result = execute(scenario(Rule(returns="x")), World(WORLD), call({}, "tol"))
    assert result == ToolResult("Error: there is no tool named 'tol'. Available tools: tool.", True, "unknown_tool")
    nothing = execute(replace(scenario(), tools=()), World(WORLD), call({}))
    assert nothing.content.endswith("Available tools: none.")


def test_the_first_rule_that_holds_answers() -> None:
    rules = (
        Rule(when={"path": "a"}, state={"count": 4}, returns="wrong state"),
        Rule(when={"path": "a", "x": {"$any": True}}, returns="no such argument"),
        Rule(when={"path": {"$in": "${world.nothing}"}}, returns="nothing there"),
        Rule(when={"path": {"$in": "${world.files}"}}, returns="a file"),
        Rule(when={"path": "a", "x": {"$absent": True}}, state={"gone": {"$absent": True}}, returns="right"),
        Rule(error="neither: ${args.path}"),
    )
    assert run(rules, {"path": "a"})[0] == ToolResult("right")
    assert run(rules, {"path": "README"})[0] == ToolResult("a file")
    assert run(rules, {"path": "z"})[0] == ToolResult("neither: z", True, "tool_error")
    assert run(rules[:3], {"path": "z"})[0] == ToolResult(
        "Error: tool has no answer to these arguments.", True, "broken_rule"
    )
    assert run(rules, {})[0].content == "Error: there is no `args.path`."


def edit(old: str, new: str) -> Rule:
    return Rule(changes=(Change("replace", "files[args.path]", {"old": old, "new": new}),), returns="done")


EFFECTS = [
    (
        Rule(changes=(Change("set", "files[args.path]", "${args.x}"),)),
        {"path": "n.py", "x": "new"},
        ("files", "n.py"),
        "new",
    ),
    (Rule(changes=(Change("set", "count", "${args.x}"),)), {"x": {"deep": [1]}}, ("count",), {"deep": [1]}),
    (Rule(changes=(Change("set", "orders[0].paid", True),)), {}, ("orders", 0, "paid"), True),
    (Rule(changes=(Change("append", "log", {"at": "${args.path}"}),)), {"path": "p"}, ("log",), [{"at": "p"}]),
    (Rule(changes=(Change("append", "files.README", " ${args.x}"),)), {"x": "you"}, ("files", "README"), "hello you"),
    (
        Rule(changes=(Change("delete", "files[args.path]"),)),
        {"path": "README"},
        ("files",),
        {k: v for k, v in WORLD["files"].items() if k != "README"},
    ),
    (Rule(changes=(Change("delete", "orders[0]"),)), {}, ("orders",), []),
    (
        edit("${args.old}", "${args.new}"),
        {"path": "src/app.py", "old": "b = 2", "new": "b = 3"},
        ("files", "src/app.py"),
        "a = 1\nb = 3\na = 1\n",
    ),
    (
        Rule(
            changes=(Change("set", "files[args.to]", "${world.files[args.path]}"), Change("delete", "files[args.path]"))
        ),
        {"path": "README", "to": "R"},
        ("files", "R"),
        "hello",
    ),
    (Rule(changes=(Change("set", "count", 9), Change("append", "log", "${world.count}"))), {}, ("log",), [9]),
    (Rule(changes=(Change("set", "count", 9),), error="it failed, and counted"), {}, ("count",), 9),
]


@pytest.mark.parametrize(("rule", "arguments", "path", "value"), EFFECTS)
def test_a_rule_changes_the_world(rule: Rule, arguments: Any, path: tuple[str | int, ...], value: Any) -> None:
    result, world = run(rule, arguments, **ANY)
    assert result.is_error == (rule.error is not None)
    at: Any = world.state
    for step in path:
        at = at[step]
    assert at == value
    assert World(WORLD).hash() != world.hash()


FAILURES = [
    (edit("a = 1", "x"), {"path": "src/app.py"}, "stands there 2 times; it has to stand there exactly once"),
    (edit("zzz", "x"), {"path": "src/app.py"}, "stands there 0 times"),
    (edit("${args.old}", "x"), {"path": "README", "old": ""}, "only a text can be replaced"),
    (edit("${args.old}", "x"), {"path": "README", "old": 5}, "only a text can be replaced"),
    (edit("a", "b"), {"path": "nope"}, "there is no `files.nope`"),
    (Rule(changes=(Change("set", "nope.x", 1),)), {}, "there is no `nope`"),
    (Rule(changes=(Change("delete", "files[args.path]"),)), {"path": "nope"}, "there is no `files.nope`"),
    (Rule(changes=(Change("append", "count", 1),)), {}, "nothing can be appended to `count`"),
    (Rule(changes=(Change("set", "count", "${args.x}"),)), {}, "there is no `args.x`"),
    (Rule(changes=(Change("set", "files[args.x]", 1),)), {"x": [1]}, "it names nothing"),
    (Rule(returns="${world.files[args.path]}"), {"path": "src/x.py"}, "there is no `world.files[src/x.py]`"),
    (Rule(error="${args.path}"), {}, "there is no `args.path`"),
]


@pytest.mark.parametrize(("rule", "arguments", "sentence"), FAILURES)
def test_a_rule_that_fails_says_why_and_changes_nothing(rule: Rule, arguments: Any, sentence: str) -> None:
    tried = replace(rule, changes=(Change("set", "count", 99), *rule.changes))
    result, world = run(tried, arguments, **ANY)
    meant = "exactly once" in sentence or "0 times" in sentence
    assert (result.is_error, result.error_kind) == (True, "tool_error" if meant else "broken_rule")
    assert sentence in result.content
    assert world == World(WORLD)


RETURNS = [
    ("done", "done"),
    ("${args.path} ${world.count}", "README 3"),
    ({"text": "${world.files[args.path]}", "n": ["${world.count}"]}, '{"text":"hello","n":[3]}'),
    ("${world.orders}", '[{"id":1,"paid":false}]'),
    (None, "null"),
    (25.0, "25.0"),
    ("ä", "ä"),
    ({"k": "ä"}, '{"k":"ä"}'),
    ({"$keys": "world.files"}, '["README","src/app.py","src/lib.py"]'),
    ({"$keys": "world.files", "prefix": "src/"}, '["src/app.py","src/lib.py"]'),
    ({"$keys": "world.files", "prefix": "${args.path}"}, '["README"]'),
    ({"$keys": "world.files", "prefix": "${args.left_out}"}, '["README","src/app.py","src/lib.py"]'),
    ({"files": {"$count": "world.files"}, "orders": {"$count": "world.orders"}}, '{"files":3,"orders":1}'),
    ({"$grep": {"in": "world.files", "for": "= 1"}}, '["src/app.py:1: a = 1","src/app.py:3: a = 1"]'),
    ({"$grep": {"in": "world.files", "for": "nowhere"}}, "[]"),
    ({"$lines": {"of": "world.files[src/app.py]", "from": 2, "to": 2}}, "b = 2"),
    ({"$lines": {"of": "world.files[src/app.py]"}}, "a = 1\nb = 2\na = 1"),
    ({"$lines": {"of": "world.files[src/app.py]", "from": "${args.left_out}", "to": 1}}, "a = 1"),
    ({"$lines": {"of": "world.files[src/app.py]", "from": 3, "to": 99}}, "a = 1"),
    ({"$lines": {"of": "world.files[src/app.py]", "from": 3, "to": 1}}, ""),
    ({"$lines": {"of": "world.files[src/app.py]", "from": -5, "to": -1}}, ""),
]


@pytest.mark.parametrize(("returns", "content"), RETURNS)
def test_what_the_model_reads(returns: Json, content: str) -> None:
    assert run(Rule(returns=returns), {"path": "README"})[0] == ToolResult(content)


@pytest.mark.parametrize(
    ("returns", "sentence"),
    [
        ({"$keys": "world.orders"}, "`world.orders` is not a map"),
        ({"$count": "world.count"}, "neither a map nor a list"),
        ({"$grep": {"in": "world.files", "for": ""}}, "an empty text is found everywhere"),
        ({"$grep": {"in": "world.log", "for": "x"}}, "is not a map of texts"),
        ({"$grep": {"in": "world.files", "for": "${args.x}"}}, "there is no `args.x`"),
        ({"$lines": {"of": "world.log"}}, "is not a text"),
        ({"$lines": {"of": "world.files.README", "from": "two"}}, "two is not a line number"),
        ({"$lines": {"of": "world.nope"}}, "there is no `world.nope`"),
    ],
)
def test_what_cannot_be_looked_up_is_told(returns: Json, sentence: str) -> None:
    result, _ = run(Rule(returns=returns), {})
    assert result.error_kind == "broken_rule"
    assert sentence in result.content


def test_a_search_with_many_hits_is_cut() -> None:
    made = replace(scenario(Rule(returns={"$grep": {"in": "world.f", "for": "x"}})), world={"f": {"a": "x\n" * 1000}})
    hits = json.loads(execute(made, World(made.world), call({})).content)
    assert len(hits) == 51
    assert hits[49:] == ["a:50: x", "… more than 50 lines; narrow the search"]


def test_what_a_model_writes_is_never_looked_up() -> None:
    rule = Rule(
        changes=(Change("set", "files[args.path]", "${args.x}"),), returns="${args.x} ${world.files[args.path]}"
    )
    result, world = run(rule, {"path": "${world.count}", "x": "${world.log} $${x}"}, **ANY)
    assert result.content == "${world.log} $${x} ${world.log} $${x}"
    assert world.state["files"]["${world.count}"] == "${world.log} $${x}"


def test_a_result_is_bounded_and_can_be_sent() -> None:
    long, _ = run(Rule(returns="${args.path}"), {"path": "ä" * MAX_RESULT})
    assert len(long.content.encode()) <= MAX_RESULT
    assert long.content.endswith("[cut: the result has 131,072 bytes]")
    assert run(Rule(returns="${args.path}"), '{"path": "a\\ud800b"}')[0].error_kind == "invalid_arguments"


def test_a_world_that_doubles_comes_to_an_end() -> None:
    made = scenario(Rule(changes=(Change("append", "log", "${world.log}"),), returns={"$count": "world.log"}))
    world = World(WORLD)
    results = [execute(made, world, call({})) for _ in range(40)]
    assert results[-1].error_kind == "broken_rule"
    assert "larger than" in results[-1].content or "nested deeper" in results[-1].content


def test_a_text_that_grows_comes_to_an_end() -> None:
    grow = Rule(changes=(Change("append", "files.README", "${args.path}"),), returns="ok")
    made, world = scenario(grow), World(WORLD)
    results = [execute(made, world, call({"path": "x" * 5_000_000})) for _ in range(3)]
    assert [result.content for result in results] == [
        "ok",
        *["Error: the text would be larger than 8,000,000 characters."] * 2,
    ]
    assert len(world.state["files"]["README"]) == 5_000_005


def test_a_world_is_its_own() -> None:
    state = {"a": {"b": [1]}}
    world = World(state)
    state["a"]["b"].append(2)
    before, twin = world.state, world.copy()
    made = scenario(Rule(changes=(Change("append", "a.b", 3),), returns="ok"))
    execute(made, world, call({}))
    assert (world.state, twin.state, before) == ({"a": {"b": [1, 3]}}, {"a": {"b": [1]}}, {"a": {"b": [1]}})
    assert twin.hash() == World({"a": {"b": [1.0]}}).hash() != world.hash()


ARGUMENTS = st.text(max_size=20) | st.dictionaries(
    st.sampled_from(["path", "old", "new", "x", "to"]),
    st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5), st.lists, max_leaves=5),
).map(json.dumps)


@given(
    ARGUMENTS, st.sampled_from([rule for rule, *_ in EFFECTS + FAILURES] + [Rule(returns=item) for item, _ in RETURNS])
)
def test_any_call_of_any_rule_has_a_result(text: str, rule: Rule) -> None:
    result, world = run(rule, text, **ANY)
    assert result.content.encode() is not None
    assert result.is_error == (result.error_kind is not None)
    assert world.hash()
