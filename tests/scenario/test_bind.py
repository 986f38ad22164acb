"""Values are drawn from the seed alone, and filled in everywhere."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agenteval.errors import UsageError
from agenteval.scenario import bind, draw, load_suite
from agenteval.script import Scenario, ValueSpec
from tests.scenario.files import SMALL, spoilt, write

EVERYWHERE = (
    SMALL.replace(
        "name: read_file\n    description: Read a file.", "name: read_file\n    description: As in ${ticket}."
    )
    + "  - user: ${ticket}\n"
    + "    expect: {forbid: [{name: read_file, arguments: {path: '${ticket}'}}], answer: {excludes: ['${ticket}']}}\n"
    + "system: About ${ticket}.\n"
)


def scenario_of(folder: Path, text: str = SMALL, **files: str) -> Scenario:
    return load_suite(write(folder, {"a.yaml": text, **files})).scenarios[0]


def with_values(scenario: Scenario, **values: ValueSpec) -> Scenario:
    return replace(scenario, values=values)


def test_a_value_stands_everywhere(tmp_path: Path) -> None:
    scenario = scenario_of(tmp_path, EVERYWHERE)
    bound = bind(scenario, 7)
    ticket = draw(scenario, 7)["ticket"]
    assert re.fullmatch(r"BUG-\d{4}", ticket)
    assert "${ticket}" not in repr(bound)
    assert bound.system == f"About {ticket}."
    assert bound.world == {"files": {"a.py": f"see {ticket}"}, "tickets": {ticket: "open"}}
    assert bound.tools[0].spec.description == f"As in {ticket}."
    assert bound.turns[1].expect.state == {f"tickets[{ticket}]": "closed"}
    assert bound.turns[2].user == ticket
    assert bound.values == {}
    assert bound.hash == scenario.hash


def test_a_value_stands_in_every_spelling_of_an_answer(tmp_path: Path) -> None:
    text = spoilt('contains: ["${ticket}"]', 'contains: ["${ticket}", [closed, "no ${ticket}", "${ticket}"]]')
    scenario = scenario_of(tmp_path, text)
    ticket, answer = draw(scenario, 7)["ticket"], bind(scenario, 7).turns[1].expect.answer
    assert answer is not None
    assert answer.contains == ((ticket,), ("closed", f"no {ticket}", ticket))


def test_what_rules_look_up_stays(tmp_path: Path) -> None:
    rules = bind(scenario_of(tmp_path), 7).tools[0].rules
    assert rules[0].returns == "${world.files[args.path]}"
    assert rules[1].error == "no such file: ${args.path}"


def test_the_seed_and_the_names_alone_decide(tmp_path: Path) -> None:
    scenario = scenario_of(tmp_path)
    specs = {"a": ValueSpec("@@####"), "b": ValueSpec(choice=(1, 2, 3)), "c": ValueSpec("####")}
    forwards, backwards = with_values(scenario, **specs), with_values(scenario, **dict(reversed(specs.items())))
    assert draw(forwards, 3) == draw(backwards, 3) == draw(forwards, 3)
    assert len({str(draw(forwards, seed)) for seed in range(20)}) == 20
    assert draw(replace(forwards, name="other"), 3) != draw(forwards, 3)
    assert draw(forwards, 11) == {"a": "UQ5736", "b": 2, "c": "7559"}  # the same on every machine, for ever


def test_values_differ_from_each_other(tmp_path: Path) -> None:
    scenario = scenario_of(tmp_path)
    crowded = with_values(scenario, **{f"v{place}": ValueSpec(choice=tuple("abcdefgh")) for place in range(8)})
    for seed in range(20):
        assert sorted(draw(crowded, seed).values()) == list("abcdefgh")
    exhausted = with_values(scenario, **{name: ValueSpec(choice=("x", "y")) for name in "abc"})
    assert set(draw(exhausted, 0).values()) == {"x", "y"}


def test_a_number_stays_a_number(tmp_path: Path) -> None:
    text = spoilt('{nonce: "BUG-####"}', "{choice: [417, 418.5]}").replace(
        'id: "${ticket}"', 'id: ["${ticket}", "n ${ticket}"]'
    )
    bound = bind(scenario_of(tmp_path, text), 0)
    number = draw(scenario_of(tmp_path, text), 0)["ticket"]
    assert number in (417, 418.5)
    calls: Any = bound.turns[1].expect.calls
    assert calls[0].arguments == {"id": [number, f"n {number}"]}


def test_an_included_file_keeps_what_is_its_own(tmp_path: Path) -> None:
    text = spoilt('{a.py: "see ${ticket}"}', "{a.py: {$file: a.py}}")
    code = "see ${ticket} ${HOME} $${HOME} ${HOME:-/root} $${X:-} ${args.x} ${world.files}"
    bound = bind(scenario_of(tmp_path, text, **{"a.py": code}), 5)
    ticket = draw(scenario_of(tmp_path, text), 5)["ticket"]
    assert bound.world["files"]["a.py"] == code.replace("${ticket}", ticket)


@pytest.mark.parametrize("text", ["${tickt}", "${args.path}", "${world.files}", "${ticket.x}"])
def test_a_placeholder_that_nothing_fills_in_is_the_users_mistake(tmp_path: Path, text: str) -> None:
    scenario = scenario_of(tmp_path, spoilt("user: Read a.py.", f'user: "{text}"'))
    with pytest.raises(UsageError, match=r"a\.yaml: there is no"):
        bind(scenario, 0)
