"""Neutral text of a length: as long as it says, the same every time, and nothing in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agenteval.context.words import is_error, rules_in
from agenteval.errors import UsageError
from agenteval.scenario import lint, load_suite
from agenteval.scenario.padding import DOES, LOOKS, SENTENCE, THINGS, WHERE, Padding
from agenteval.tokens import vocabulary
from tests.scenario.files import SMALL, write


@pytest.mark.parametrize("tokens", [0, 8, 100, 1000, 4000])
def test_it_is_as_long_as_it_says(tokens: int) -> None:
    text = Padding(tokens=tokens).text(None)
    assert tokens - SENTENCE < vocabulary().count(text) <= tokens


def test_each_of_its_words_is_one_token() -> None:
    for word in (*LOOKS, *THINGS, *DOES, *WHERE):
        assert vocabulary().count(f" {word}") == 1, word


def test_it_is_the_same_every_time_and_another_with_another_seed() -> None:
    assert Padding(tokens=90).text(None) == Padding(tokens=90).text(None) != Padding(tokens=90, seed=1).text(None)


def test_nothing_stands_in_it() -> None:
    text = Padding(tokens=4000).text(None)
    assert not re.search(r"[^A-Za-z .\n]", text)
    assert not rules_in(text)
    assert not is_error(text)


@pytest.mark.parametrize(("at", "line"), [("start", 0), ("middle", 13), ("end", -1)])
def test_what_it_holds_stands_where_it_should(at: str, line: int) -> None:
    assert Padding(tokens=950, holds="A7", at=at).text(None).splitlines()[line] == "A7"


PADDED = SMALL.replace('{a.py: "see ${ticket}"}', "{a.py: {$pad: PAD}}")
SIZED = f"""{PADDED}\
facts: {{ticket: {{value: "${{ticket}}", stated: 1, needed: 2}}}}
sizes: {{bare: BARE, tokens: [1000, 4000]}}
"""


def said(folder: Path, pad: str, scenario: str = PADDED) -> list[str]:
    """What lint says, without file and place."""
    return [str(p).split("/")[-1] for p in lint(write(folder, {"a.yaml": scenario.replace("PAD", pad)}))]


def test_values_in_it_are_filled_in(tmp_path: Path) -> None:
    assert said(tmp_path, '{tokens: 90, holds: "see ${ticket}"}') == []


@pytest.mark.parametrize(
    ("pad", "complaint"),
    [
        ("90", "expected a map of tokens"),
        ("{}", "expected either `tokens` or `percent`"),
        ("{tokens: 90, percent: 3}", "expected either `tokens` or `percent`"),
        ("{tokens: 90, wild: 3}", "not 'wild'"),
        ("{tokens: -1}", "`tokens` is a whole number from 0 to 20,000"),
        ("{tokens: 30000}", "`tokens` is a whole number from 0 to 20,000"),
        ("{tokens: true}", "`tokens` is a whole number from 0 to 20,000"),
        ("{tokens: 9, at: top}", "`at` is start, middle or end"),
        ("{percent: 50}", "this scenario has no `sizes`"),
    ],
)
def test_what_is_no_padding_is_told(tmp_path: Path, pad: str, complaint: str) -> None:
    (found,) = said(tmp_path, pad)
    assert complaint in found
    assert found.startswith("a.yaml:5:")


def test_a_file_with_sizes_is_there_once_for_each(tmp_path: Path) -> None:
    pad = '{percent: 100, holds: "see ${ticket}"}'
    assert said(tmp_path, pad, SIZED.replace("BARE", "215")) == []
    scenarios = load_suite(str(tmp_path)).scenarios
    assert [(item.name, item.tags) for item in scenarios] == [("small-1k", ("1k",)), ("small-4k", ("4k",))]
    assert len({item.hash for item in scenarios}) == 2


def test_one_size_can_be_asked_for(tmp_path: Path) -> None:
    write(tmp_path, {"small.yaml": SIZED.replace("BARE", "215").replace("PAD", "{percent: 100}")})
    assert [item.name for item in load_suite(str(tmp_path / "small-4k")).scenarios] == ["small-4k"]
    with pytest.raises(UsageError, match="there is no scenario 'small-9k'; of that file there are small-1k, small-4k"):
        load_suite(str(tmp_path / "small-9k"))


def test_a_size_that_is_not_reached_is_told(tmp_path: Path) -> None:
    found = said(tmp_path, '{percent: 50, holds: "see ${ticket}"}', SIZED.replace("BARE", "215"))
    assert len(found) == 2
    assert all("tokens where its last fact is needed, not" in text for text in found)


@pytest.mark.parametrize("sizes", ["[1500]", "[1000, 1000]", "[]", "[500]", "[100000]"])
def test_sizes_are_whole_thousands(tmp_path: Path, sizes: str) -> None:
    assert said(tmp_path, "{tokens: 9}", SIZED.replace("BARE", "215").replace("[1000, 4000]", sizes))
