"""Paths into the world that lead nowhere are found before anything is played; those that may lead somewhere pass."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agenteval.scenario import bind, bundled_names, load_suite
from agenteval.scenario.lint import check
from agenteval.scenario.loader import load
from agenteval.scenario.reach import Reach
from agenteval.script import Json
from agenteval.tools import play
from tests.scenario.files import write

KITCHEN = """\
schema: 1
name: kitchen
values: {order: {nonce: "K####"}}
world:
  oven: {celsius: 5, stages: [{minutes: 10}]}
  note: hello
  orders: {"${order}": {item: tea, status: open}}
  last: none
tools:
  - name: call_it
    parameters:
      type: object
      properties:
        id: {type: string}
        at: {type: integer}
        address: {type: object, properties: {street: {type: string}, town: {}}, required: [street]}
        anything: {}
      required: [id]
    mock:
      - RULE
turns:
  - user: Go.
    expect:
      STATE
"""
FINE = "returns: {now: ok}"


def problems(folder: Path, rule: str = FINE, state: str = "calls: []") -> list[str]:
    """What is wrong with the kitchen, with its one rule and its one expectation, before it is played."""
    text = KITCHEN.replace("RULE", rule.replace("\n", "\n        ")).replace("STATE", state)
    (source,) = load(write(folder, {"a.yaml": text})).sources
    return [str(problem).removeprefix(f"{folder}/") for problem in check(source)]


LEADS_NOWHERE = [
    (
        'returns: {now: "${world.oven.celsiuz}"}',
        "a.yaml:20:24: tools[0].mock[0].returns.now: `world.oven` has no `celsiuz`, did you mean `celsius`?; "
        "there are celsius, stages",
    ),
    (
        'returns: "${world.orders[args.id].statuz}"',
        "`world.orders[args.id]` has no `statuz`, did you mean `status`?; there are item, status",
    ),
    ('returns: "at ${world.oven.stages[0].minute}"', "`world.oven.stages[0]` has no `minute`, did you mean `minutes`?"),
    ('returns: "${world.oven.stages[1].minutes}"', "mock[0].returns: `world.oven.stages` has no `1`"),
    ('returns: "${world.note.first}"', "`world.note` has no `first`: nothing stands below it"),
    ('returns: "${world.orders[world.oven.last]}"', "`world.oven` has no `last`"),
    ("returns: {$count: world.oven.stagez}", "`world.oven` has no `stagez`, did you mean `stages`?"),
    ('returns: {$grep: {in: world.oven.texts, for: "x"}}', "`world.oven` has no `texts`"),
    ("error: ${world.oven.celsiuz}", "`world.oven` has no `celsiuz`"),
    ('when: {id: {$in: "${world.oven.stages.x}"}}\nreturns: x', "`world.oven.stages` has no `x`"),
    ("state: {oven.celsiuz: 5}\nreturns: x", "tools[0].mock[0].state.oven.celsiuz: `world.oven` has no `celsiuz`"),
    ("set: {oven.pan.lid: 5}\nreturns: x", "`world.oven` has no `pan`"),
    ("set: {note.first: 5}\nreturns: x", "`world.note` has no `first`: nothing stands below it"),
    ("set: {oven.stages.last: 5}\nreturns: x", "`world.oven.stages` has no `last`"),
    ("append: {oven.stage: 5}\nreturns: x", "`world.oven` has no `stage`, did you mean `stages`?"),
    ("append: {not: x}\nreturns: x", "`not` is not a part of the world, did you mean `note`?"),
    ('delete: ["orders[args.id].state"]\nreturns: x', "`world.orders[args.id]` has no `state`"),
    ("replace: {oven.note: {old: a, new: b}}\nreturns: x", "`world.oven` has no `note`"),
    (
        'set: {last: {a: {b: "${args.id}"}}}\nreturns: "${world.last.a.c}"',
        "`world.last.a` has no `c`; there are b",
    ),
    (
        'returns: "${args.address.stret}"',
        "`args.address` has no `stret`, did you mean `street`?; there are street, town",
    ),
    ('returns: "${world.orders[args.address.stret]}"', "`args.address` has no `stret`"),
]


@pytest.mark.parametrize(("rule", "sentence"), LEADS_NOWHERE)
def test_a_path_that_leads_nowhere_is_named(tmp_path: Path, rule: str, sentence: str) -> None:
    found = problems(tmp_path, rule)
    assert len(found) == 1, found
    assert sentence in found[0]


MAY_LEAD_SOMEWHERE = [
    'returns: "${world.oven.celsius} ${world.oven.stages[0].minutes} ${world.orders[args.id].status}"',
    'returns: "${world.oven.stages[args.at].minutes}"',
    'returns: "${world.orders[${order}].status} ${world.orders[world.last].item}"',
    'set: {oven.fan: true}\nreturns: "${world.oven.fan}"',
    'set: {last: {a: {b: "${args.id}"}}}\nreturns: "${world.last.a.b}"',
    'set: {last: "${args.anything}"}\nreturns: "${world.last.whatever.stands.there}"',
    'set: {"orders[args.id]": {item: tea, due: {day: "5"}}}\nreturns: "${world.orders[world.last].due.day}"',
    'set: {"orders[args.id]": {"${args.id}": {day: "5"}}}\nreturns: "${world.orders[world.last].due.day}"',
    'append: {oven.stages: {fan: true}}\nreturns: "${world.oven.stages[1].fan}"',
    'set: {last: {}, last.a: 1}\nreturns: "${world.last.a}"',
    'set: {"oven.stages[0]": {minutes: 5}}\nreturns: x',
    'replace: {"orders[args.id].item": {old: a, new: b}}\nreturns: x',
    'returns: "${args.address.street} ${args.anything.what.ever} ${args.address.town.quarter}"',
]


@pytest.mark.parametrize("rule", MAY_LEAD_SOMEWHERE)
def test_a_path_that_may_lead_somewhere_passes(tmp_path: Path, rule: str) -> None:
    assert problems(tmp_path, rule) == []


def test_a_state_that_can_never_hold_is_named(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, state="state: {oven.celsiuz: 5}")
    assert "turns[0].expect.state.oven.celsiuz: `world.oven` has no `celsiuz`, did you mean `celsius`?" in found


@pytest.mark.parametrize("path", ["oven.celsius", '"orders[${order}].status"', '"orders[${order}].paid"', "oven.fan"])
def test_a_state_that_a_rule_may_bring_about_is_possible(tmp_path: Path, path: str) -> None:
    rule = 'set: {"orders[args.id].paid": true, oven.fan: true}\nreturns: x'
    assert [it for it in problems(tmp_path, rule, f"state: {{{path}: 5}}") if "golden course" not in it] == []


def test_rules_too_many_to_look_through_are_not_judged(tmp_path: Path) -> None:
    many = ", ".join(f'"orders[args.id].a{number}": 1' for number in range(1500))
    assert problems(tmp_path, f'set: {{{many}}}\nreturns: "${{world.orders[args.id].b}}"') == []


def test_a_world_too_wide_to_look_through_is_not_judged(tmp_path: Path) -> None:
    wide = ", ".join(f"k{number}: {{x: 1}}" for number in range(3000))
    text = KITCHEN.replace("note: hello", f"note: {{{wide}}}").replace("STATE", "calls: []")
    text = text.replace("RULE", 'returns: "${world.note[args.id].y}"')
    (source,) = load(write(tmp_path, {"a.yaml": text})).sources
    assert list(check(source)) == []


@pytest.mark.parametrize("suite", bundled_names())
def test_wherever_a_played_world_has_something_a_path_may_lead(suite: str) -> None:
    for unbound in load_suite(suite).scenarios:
        reach = Reach(unbound)
        for done in play(bind(unbound, 0)):
            for path in paths_in(done.world_after.state):
                assert reach.missing(path) is None, (unbound.name, path)


def paths_in(value: Json, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        yield (*above, str(name))
        yield from paths_in(item, (*above, str(name)))
