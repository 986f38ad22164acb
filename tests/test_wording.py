"""How answers are searched for what they must say: words and numbers are found whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenteval.wording import folded, nearest, says, stem

SAID = [
    ("yes", "Yes, it is."),
    ("yes", "_yes_"),
    ("yes", "**Yes!**"),
    ("half past twelve", "At half  past\ntwelve."),
    ("limit", "test_stops_at_limit fails"),
    ("test_retry", "tests/test_retry.py::test_stops"),
    ("can't", "I can’t do that."),
    ("'ve booked", "I've booked you."),
    ("<", "It should be attempt<limit."),
    ("?", "Which one?"),
    ("café", "Cafe\u0301 Tokyo"),
    ("Straße", "STRASSE 5"),
    # stems
    ("cancel*", "It was cancelled."),
    ("cancel*", "I had to cancel."),
    ("not help*", "It has not helped."),
    ("*lampe", "Die Schreibtischlampe ist da."),
    ("*schirm*", "Lampenschirme"),
    ("0.9*", "It took 0.912 seconds."),
    ("**", "It is **bold**."),
    # scripts without blanks between words
    ("東京", "私は東京都にいます"),
    ("Tokyo", "Tokyoは晴れ"),
    ("カード", "新しいカードです"),
    ("ราคา", "ดูราคาได้"),
    ("서울", "서울은 맑음"),
    # numbers
    ("12", "It is 12."),
    ("12", "(12)"),
    ("12", "**12**"),
    ("12", "12, 13 and 14"),
    ("12", "away for 12s"),
    ("12", "CHF12"),
    ("12", "12,"),
    ("12", "from 9-12"),
    ("12", "9–12"),
    ("12", "12%"),
    ("12", "12.00"),
    ("189", "189,00 €"),
    ("34.5", "34.50 euros"),
    ("12.50", "€12.50"),
    ("€12.50", "It costs €12.50."),
    ("1,128", "1,128 tokens"),
    ("-5", "It is −5 °C."),
    ("BUG-1234", "see notes/BUG-1234.md"),
    ("BUG-1234", "bug-1234: closed"),
    ("1234", "BUG-1234"),
    ("2026-01", "2026-01-08"),
    ("26.4.", "26.4.2026"),
    ("v1.2", "v1.2."),
]

NOT_SAID = [
    ("yes", "yesterday"),
    ("yes", "eyes"),
    ("no,", "In the casino, he sat."),
    ("open", "reopened"),
    ("cancel", "It was cancelled."),
    ("cancel*", "uncancelled"),
    ("caf", "café"),
    ("caf", "cafe\u0301"),
    ("да", "всегда"),
    ("limit*", "It stops at the end."),
    ("*lampe", "Lampen"),
    ("12", "142"),
    ("12", "112"),
    ("12", "121"),
    ("12", "1,128"),
    ("128", "1,128"),
    ("12", "12.5"),
    ("12", "12,000"),
    ("12", "3.12"),
    ("12", "12:30"),
    ("30", "12:30"),
    ("8:28", "18:28"),
    ("128", "1'128"),
    ("5", "It is -5 °C."),
    ("5", "It is −5 °C."),
    ("34.5", "34.51"),
    ("34.5", "134.5"),
    ("1.2", "1.2.3"),
    ("12", "12.0.1"),
    ("BUG-1234", "BUG-12345"),
    ("BUG-1234", "DEBUG-1234"),
    ("٣", "٣٤"),
]


@pytest.mark.parametrize(("text", "answer"), SAID)
def test_what_is_said(text: str, answer: str) -> None:
    assert says(answer, [text])
    assert says(f"Well: {answer} There.", [text])


@pytest.mark.parametrize(("text", "answer"), NOT_SAID)
def test_what_only_stands_within_something_else(text: str, answer: str) -> None:
    assert not says(answer, [text])
    assert not says(f"Well: {answer} There.", [text])


def test_one_spelling_is_enough() -> None:
    assert says("At noon.", ["12:00", "noon"])
    assert not says("At nine.", ["12:00", "noon"])
    assert not says("At nine.", [])


def test_a_stem_is_said_without_its_star() -> None:
    assert [stem(text) for text in ("cancel*", "*fall*", "**", "a *", "12*", "*")] == [
        "cancel",
        "fall",
        "**",
        "a *",
        "12",
        "*",
    ]


@pytest.mark.parametrize(
    ("answer", "spellings", "within"),
    [
        ("It was cancelled.", ["cancel"], "cancelled"),
        ("There are 1,128 of them.", ["13", "12"], "1,128"),
        ("Nothing of it.", ["cancel"], None),
        ("It is -5 °C.", ["5"], "-5"),
    ],
)
def test_a_near_miss_is_named(answer: str, spellings: list[str], within: str | None) -> None:
    assert nearest(answer, spellings) == within


@given(st.text(min_size=1, max_size=12).filter(lambda text: bool(folded(stem(text)))))
def test_what_stands_alone_is_always_said(text: str) -> None:
    assert says(f"… {stem(text)} …", [text])
    assert nearest(text, [text]) is not None


def test_a_long_answer_is_searched_in_no_time_to_speak_of() -> None:
    """Nothing is tried twice: what takes squares of a length would take minutes here."""
    assert not says("1" * 500_000, ["1" * 1_000])
    assert not says("a" * 500_000, ["a" * 1_000])
