"""What keeps a scenario from measuring policies is told, with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from agenteval.calibration import calibration_problems, played
from agenteval.scenario import load_suite
from agenteval.scenario.loader import load
from agenteval.simulator import PROFILES
from tests.scenario.files import SMALL, write

SOUND = (
    SMALL.replace("  - user: Close its", "  - user: Thanks.\n    expect: {calls: []}\n  - user: Close its")
    + 'facts:\n  ticket: {value: "${ticket}", stated: 1, needed: 3}\n'
)


def said(folder: Path, policies: str, scenario: str = SOUND) -> list[str]:
    """What is wrong, without the file's folder."""
    write(folder, {"a.yaml": scenario, "suite.yaml": f"policies: {policies}\n"})
    return [str(problem).split("/")[-1] for problem in calibration_problems(load(str(folder)))]


def test_a_policy_that_does_nothing_is_told(tmp_path: Path) -> None:
    (found,) = said(tmp_path, '["recite_state:every=1", sliding_window]')
    assert "small: sliding_window acts 0 times before the last fact is needed, and twice is asked for" in found


def test_a_reason_is_enough_and_only_for_a_policy_that_is_idle(tmp_path: Path) -> None:
    idle = SOUND + "idle: {sliding_window: it is too short}\n"
    assert said(tmp_path, "[sliding_window]", idle) == []
    (found,) = said(tmp_path, '["recite_state:every=1"]', idle.replace("sliding_window", "recite_state"))
    assert found.endswith("idle.recite_state: small: it acts 2 times")
    (found,) = said(tmp_path, "[]", idle)
    assert "sliding_window is no policy of the suite" in found


def test_a_target_below_what_no_policy_can_take_away_is_told(tmp_path: Path) -> None:
    """System, tools and the first user message stay, whatever is dropped."""
    limits = [f"sliding_window:trigger=400,target={target},min_reclaim=1" for target in (20, 30, 399)]
    idle = SOUND + "idle: {sliding_window: it is too short}\n"
    (low,) = said(tmp_path, str(limits), idle)
    assert "small: system, tools and the first user message alone take " in low
    assert low.endswith(f" tokens: the target of {limits[0]} (and of 1 more) can never be met")
    assert said(tmp_path, str(limits[2:]), idle) == []


def test_a_policy_that_is_none_is_told(tmp_path: Path) -> None:
    (found,) = said(tmp_path, "[slide]")
    assert "in the suite's policies: no policy is called 'slide'" in found


def test_what_the_view_of_the_needed_cannot_solve_is_told(tmp_path: Path) -> None:
    """The oracle looks for what the call holds, and that stands nowhere as a whole: it measures how it is spelled."""
    spelled = SOUND.replace('tickets: {"${ticket}": open}', 'tickets: {"no. ${ticket}": open}')
    spelled = spelled.replace('arguments: {id: "${ticket}"}', 'arguments: {id: "no. ${ticket}"}')
    spelled = spelled.replace('"tickets[${ticket}]"', '"tickets[no. ${ticket}]"')
    spelled = spelled.replace('      answer: {contains: ["${ticket}"]}\n', "")
    spelled = spelled.replace('{a.py: "see ${ticket}"}', '{a.py: "see ${ticket}", b.py: nothing}')
    read = "  - user: Read b.py.\n    expect: {calls: [{name: read_file, arguments: {path: b.py}}]}\n"
    longer = spelled.replace("  - user: Close its", f"{read}  - user: Close its")
    (found,) = said(tmp_path, "[]", longer.replace("needed: 3", "needed: 4"))
    assert "with only what is needed in view (oracle_context) only 75% of the turns are right" in found


@pytest.mark.parametrize("name", ["ages-in-results", "length-1k"])
def test_bundled_scenarios_are_calibrated(name: str) -> None:
    """One of them as it stands, and the shortest; `make calibrate` plays all."""
    assert [str(problem) for problem in calibration_problems(load(name))] == []


def test_what_policies_lose_depends_on_age() -> None:
    """In the suite's first scenario a mask keeps what is one turn old, and the oracle all of it."""
    (scenario,) = load_suite("ages-in-results").scenarios
    outcomes = {
        policy: {
            fact.age: fact.outcome
            for step in played(scenario, policy, PROFILES["healthy"]).steps
            for fact in step.facts
        }
        for policy in ("full_history", "oracle_context", "observation_masking:keep_last=1,step=2")
    }
    right = dict.fromkeys((1, 2, 4, 8, 12), "used")
    assert outcomes["full_history"] == outcomes["oracle_context"] == right
    masked = outcomes["observation_masking:keep_last=1,step=2"]
    assert (masked[1], masked[8], masked[12]) == ("used", "lost", "lost")


def test_what_can_be_read_again_is_lost_to_nobody_who_may_ask_again() -> None:
    """The twins: the same clearing costs a call where the tool answers twice, and the task where it does not."""
    masked = "observation_masking:keep_last=1,step=2"
    found = {}
    for name in ("can-be-read-again", "once-only"):
        (scenario,) = load_suite(name).scenarios
        steps = played(scenario, masked, PROFILES["healthy"]).steps
        last = [step for step in steps if step.turn == len(scenario.turns)]
        found[name] = (len(last), [fact.outcome for fact in last[-1].facts])
    assert found == {"can-be-read-again": (3, ["used"]), "once-only": (3, ["lost"])}


def test_the_models_own_words_are_lost_by_who_drops_messages() -> None:
    (scenario,) = load_suite("in-own-words").scenarios
    outcomes = {
        policy: [fact.outcome for step in played(scenario, policy, PROFILES["healthy"]).steps for fact in step.facts]
        for policy in (
            "observation_masking:keep_last=1,step=2",
            "extractive_ledger:trigger=650,target=450,min_reclaim=60,keep_last=1,limit=150",
        )
    }
    assert list(outcomes.values()) == [["used"], ["lost"]]
