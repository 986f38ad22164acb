"""A scenario whose files are sound is played as it should go: what does not come out then is a mistake of its file."""

from __future__ import annotations

from pathlib import Path

import pytest

from agenteval.scenario import lint
from tests import warm
from tests.scenario.files import SMALL, write

SHOP = """\
schema: 1
name: shop
values: {order: {nonce: "K####"}}
world:
  orders: {"${order}": {item: tea, status: open}, old: {item: tea}}
  notes: [first]
tools:
  - name: get_order
    parameters: {type: object, properties: {order: {type: string}}, required: [order]}
    mock:
      - when: {order: {$in: "${world.orders}"}}
        returns: "${world.orders[args.order].status}"
  - name: ship_order
    parameters: {type: object, properties: {order: {type: string}, to: {type: string}}, required: [order]}
    mock:
      - when: {to: nowhere}
        error: nobody lives there
      - set: {"orders[args.order].status": shipped}
        returns: ok
  - name: edit_note
    parameters: {type: object, properties: {old: {type: string}, new: {type: string}}, required: [old, new]}
    mock:
      - replace: {"notes[0]": {old: "${args.old}", new: "${args.new}"}}
        returns: ok
turns:
  - user: How far is it?
    expect: {calls: [{name: get_order, arguments: {order: "${order}"}}]}
  - user: Ship it.
    expect:
      calls: [{name: ship_order, arguments: {order: "${order}"}}]
      state: {"orders[${order}].status": shipped}
"""


def said(folder: Path, old: str, new: str) -> list[str]:
    """What lint says about the shop with one thing changed."""
    assert SHOP.count(old) == 1, f"{old!r} stands there {SHOP.count(old)} times"
    return [
        str(problem).removeprefix(f"{folder}/") for problem in lint(write(folder, {"a.yaml": SHOP.replace(old, new)}))
    ]


def test_a_scenario_that_comes_out_is_clean(tmp_path: Path) -> None:
    assert said(tmp_path, "How far is it?", "How far?") == []


NOT_REACHED = [
    (  # the path exists, only not for this order
        'arguments: {order: "${order}"}}]}',
        "arguments: {order: old}}]}",
        "a.yaml:27:22: turns[0].expect.calls[0]: get_order fails on the golden course: "
        "Error: there is no `world.orders.old.status`.",
    ),
    (
        'arguments: {order: "${order}"}}]}',
        "arguments: {order: new}}]}",
        "turns[0].expect.calls[0]: get_order fails on the golden course: Error: get_order has no answer to these arg",
    ),
    (
        'state: {"orders[${order}].status": shipped}',
        'state: {"orders[${order}].status": sent}',
        "a.yaml:31:42: turns[1].expect.state.orders[${order}].status: not so on the golden course: "
        'expected "sent", is "shipped"',
    ),
    (
        'state: {"orders[${order}].status": shipped}',
        'state: {"orders[${order}]": {item: tea, statuz: shipped}}',
        "turns[1].expect.state.orders[${order}]: not so on the golden course: expected ",
    ),
    (
        'state: {"orders[${order}].status": shipped}',
        "answer: {excludes: [done]}",
        "a.yaml:31:15: turns[1].expect.answer: golden history says 'Done.' here, but the answer must not say 'done'; "
        "write an `example:`",
    ),
]


@pytest.mark.parametrize(("old", "new", "sentence"), NOT_REACHED)
def test_what_does_not_come_out_is_named_at_its_place(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    found = said(tmp_path, old, new)
    assert len(found) == 1, found
    assert sentence in found[0]


SHIPPED = 'state: {"orders[${order}].status": shipped}'


def test_a_state_that_nothing_leads_to_says_that_no_call_is_expected(tmp_path: Path) -> None:
    old = 'calls: [{name: ship_order, arguments: {order: "${order}"}}]'
    (found,) = said(tmp_path, old, "forbid: []")
    assert found.endswith('expected "shipped", is "open"; without `calls` golden history makes none')


def test_where_any_way_will_do_a_state_decides(tmp_path: Path) -> None:
    assert said(tmp_path, SHIPPED, f"{SHIPPED}\n      any_way: true") == []
    (undecided,) = said(tmp_path, SHIPPED, "any_way: true")
    assert "turns[1].expect.any_way: where any way will do, `calls` show one and a `state` decides" in undecided
    (decided,) = said(tmp_path, SHIPPED, 'state: {"orders[${order}].item": tea}\n      any_way: true')
    assert "a.yaml:32:16: turns[1].expect.any_way: the state holds before the turn already" in decided


def test_a_call_that_fails_is_told_and_not_all_that_follows_from_it(tmp_path: Path) -> None:
    found = said(tmp_path, 'set: {"orders[args.order].status": shipped}', 'set: {"orders[args.to].status": shipped}')
    assert len(found) == 1
    assert "turns[1].expect.calls[0]: ship_order fails on the golden course: Error: there is no `args.to`." in found[0]


@pytest.mark.parametrize(
    "call",
    [
        '{name: ship_order, arguments: {order: "${order}", to: nowhere}}',
        "{name: edit_note, arguments: {old: third, new: x}}",
    ],
)
def test_an_error_that_the_tool_itself_gives_may_be_meant(tmp_path: Path, call: str) -> None:
    assert said(tmp_path, 'calls: [{name: get_order, arguments: {order: "${order}"}}]', f"calls: [{call}]") == []


def test_a_faulty_file_is_not_played(tmp_path: Path) -> None:
    found = said(tmp_path, 'arguments: {order: "${order}"}}]}', "arguments: {ordr: old}}]}")
    assert all("golden course" not in problem for problem in found), found


def test_a_run_does_not_begin_with_a_scenario_that_nobody_can_pass(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": SMALL.replace("set: {", "state: {").replace('[args.id]": closed}', '[args.id]": open}')})
    done = warm.run("agenteval", "run", "a.yaml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert 'expect.state.tickets[${ticket}]: not so on the golden course: expected "closed", is "open"' in done.stderr
