"""A declared fact is as old as its file says, or lint says what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from agenteval.scenario import lint
from tests.scenario.files import SMALL, write

RIGHT = 'facts:\n  ticket: {value: "${ticket}", stated: 1, needed: 3}\n'
THREE = SMALL.replace(
    "  - user: Close its ticket.", "  - user: Thanks.\n    expect: {calls: []}\n  - user: Close its ticket."
)


def said(folder: Path, facts: str, scenario: str = THREE) -> list[str]:
    """What lint says of these facts, without file and place."""
    problems = lint(write(folder, {"a.yaml": scenario + facts}))
    return [str(problem).split("/")[-1].split(": ", 1)[1] for problem in problems]


def test_a_right_fact_is_no_mistake(tmp_path: Path) -> None:
    assert said(tmp_path, RIGHT) == []


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("needed: 3", "needed: 4", "there is no turn 4: the scenario has 3"),
        ("needed: 3", "needed: 2", "turn 2 expects it in no call and no answer"),
        ("stated: 1", "stated: 2", "is not said there"),
        ("stated: 1", "stated: 0", "is not said there"),
        ("stated: 1", "stated: 3", "it is needed before it is stated"),
        ("stated: 1", "kind: rule, stated: 1", "turn 3 forbids no call"),
        ("stated: 1", "kind: correction, stated: 1", "a correction needs `stale`"),
        ("stated: 1", "stale: [BUG-0], stated: 1", "'BUG-0' is never said before"),
        ("${ticket}", "${tickte}", "there is no value `tickte`"),
    ],
)
def test_a_wrong_fact_is_found(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    (found,) = [problem for problem in said(tmp_path, RIGHT.replace(old, new)) if complaint in problem]
    assert found


def test_a_fact_that_is_said_again_is_not_so_old(tmp_path: Path) -> None:
    again = THREE.replace("user: Thanks.", 'user: "Thanks, so ${ticket} it is."')
    assert any("is said again before it is needed" in text for text in said(tmp_path, RIGHT, again))


def test_the_user_who_says_it_leaves_nothing_to_remember(tmp_path: Path) -> None:
    told = THREE.replace("user: Close its ticket.", 'user: "Close ${ticket}."')
    assert any("is said again before it is needed" in text for text in said(tmp_path, RIGHT, told))
