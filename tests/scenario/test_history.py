"""What a scenario begins with: turns already played, as the file has them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agenteval.report.scenario import render_scenario
from agenteval.scenario import bind, lint, load_suite
from agenteval.script import Scenario
from agenteval.tools import beginning
from tests.scenario.files import SMALL, write

HISTORY = """\
history:
  - user: Is ${ticket} open?
    calls:
      - {name: read_file, arguments: '{"path": "b', error: "Error: not JSON"}
      - {name: look, arguments: '{"id": "${ticket}"}', error: "Error: no such tool"}
    parallel: true
    answer: I cannot tell.
  - user: Then look again.
    calls:
      - {name: read_file, arguments: '{"path": "a.py"}', result: "see ${ticket}"}
    answer: It is.
turns:
"""
SEEDED = SMALL.replace("turns:\n", HISTORY)


def loaded(folder: Path, text: str) -> Scenario:
    (found,) = load_suite(write(folder, {"a.yaml": text})).scenarios
    return found


def test_it_is_said_before_turn_1_as_it_was_written(tmp_path: Path) -> None:
    scenario = bind(loaded(tmp_path, SEEDED), 3)
    _, ask, calls, *_ = messages = beginning(scenario)
    ticket = (ask.content or "").split()[1]
    assert ticket.startswith("BUG-")
    roles = " ".join(message.role for message in messages)
    assert roles == "system user assistant tool tool assistant user assistant tool assistant"
    assert [call.arguments_text for call in calls.tool_calls] == ['{"path": "b', f'{{"id": "{ticket}"}}']
    assert [message.failed for message in messages if message.role == "tool"] == [True, True, False]
    assert messages[-2].content == f"see {ticket}"


def test_every_call_has_its_result_under_an_id_of_its_own(tmp_path: Path) -> None:
    messages = beginning(loaded(tmp_path, SEEDED))
    called = [call.id for message in messages for call in message.tool_calls]
    assert called == [message.tool_call_id for message in messages if message.role == "tool"]
    assert len(set(called)) == 3


def test_it_makes_another_scenario(tmp_path: Path) -> None:
    texts = (SMALL, SEEDED, SEEDED.replace("Error: not JSON", "Error: no JSON"), SEEDED.replace('"b', '"c'))
    assert len({loaded(tmp_path, text).hash for text in texts}) == len(texts)


def test_a_right_one_is_clean_and_may_state_a_fact(tmp_path: Path) -> None:
    fact = 'facts:\n  ticket: {value: "${ticket}", stated: 0, needed: 2}\n'
    once = SEEDED.replace('{a.py: "see ${ticket}"}', "{a.py: nothing}")
    assert lint(write(tmp_path, {"a.yaml": once + fact})) == []
    (problem,) = lint(write(tmp_path, {"a.yaml": SEEDED + fact}))
    assert "is said again before it is needed" in str(problem)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "user: Then look again.",
            "user: Close its ticket.",
            "turns[1].user: the same text as in turn 2 of the history",
        ),
        ("answer: It is.", "answer: ${tickt} is.", "history[1].answer: `${tickt}`: there is no value `tickt`"),
        (
            'arguments: \'{"path": "a.py"}\'',
            "arguments: {path: a.py}",
            "history[1].calls[0].arguments: expected a text",
        ),
        (', error: "Error: not JSON"', "", "a call of the history ends with either `result:` or `error:`"),
        ('error: "Error: not JSON"', "error: x, result: y", "either `result:` or `error:`"),
        ("    answer: It is.\n", "", "`answer` is missing"),
        ("name: look,", f"name: {'l' * 65},", "history[0].calls[1].name: expected a text of 1 to 64 characters"),
        ("answer: It is.", f"answer: {'x' * 70_000}", "history[1].answer: expected a text of 1 to 65536 characters"),
        ('result: "see ${ticket}"', "result: {$pad: {tokens: 20000}}", "expected a text of at most 65536 characters"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    assert SEEDED.count(old) == 1
    (problem,) = lint(write(tmp_path, {"a.yaml": SEEDED.replace(old, new)}))
    assert sentence in str(problem)


def test_it_has_an_end(tmp_path: Path) -> None:
    many = "".join(f"  - {{user: Ask {at}., answer: Yes.}}\n" for at in range(201))
    (problem,) = lint(write(tmp_path, {"a.yaml": SMALL.replace("turns:\n", f"history:\n{many}turns:\n")}))
    assert "history: expected a list of at most 200 turns already played" in str(problem)


def test_it_is_shown_and_counted_as_the_model_will_see_it(tmp_path: Path) -> None:
    with_it, without = (
        render_scenario(loaded(tmp_path / name, text), seed=0, thinking="off")
        for name, text in (("a", SEEDED), ("b", SMALL))
    )
    said = re.search(r"begins with 9 messages · (\d+) tokens\n((?:  .*\n)+)", with_it)
    assert said is not None
    assert "read_file {}\n" in said[2], "what is no JSON object is not sent"
    first = [int(found) for text in (with_it, without) for found in re.findall(r"turn 1 · first request (\d+)", text)]
    assert first[0] - first[1] == int(said[1])
