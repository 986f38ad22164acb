"""Cuts are of the text, of every kind; shrinking keeps what fails."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agenteval.parsers import FAMILIES
from agenteval.regress.cuts import Cutter
from agenteval.regress.shrink import cut_at, places_of, smallest, smallest_cut, smallest_text

SPECIAL = FAMILIES["glm47"].special
TEXTS = st.lists(st.sampled_from([*SPECIAL, "a", "é", "😀", "<", "\n", "words and more"]), max_size=8).map("".join)


@given(TEXTS, st.booleans())
def test_pieces_join_to_the_text(text: str, whole_tokens: bool) -> None:
    cutter = Cutter(SPECIAL, whole_tokens)
    cuts = list(cutter.cuts(text, "all"))
    assert {"".join(pieces) for pieces in cuts} == {text}
    places = cutter.places(text)
    assert {places_of(pieces)[0] for pieces in cuts if len(pieces) == 2} >= set(places[1:-1])
    assert whole_tokens or ("", text) in cuts
    assert not whole_tokens or all(piece for pieces in cuts for piece in pieces)
    assert len(list(cutter.cuts(text, "quick"))) <= 20


@given(TEXTS)
def test_a_cut_for_an_engine_never_goes_through_a_special_string(text: str) -> None:
    for pieces in Cutter(SPECIAL, whole_tokens=True).cuts(text, "all"):
        assert sum(piece.count(token) for piece in pieces for token in SPECIAL) == sum(map(text.count, SPECIAL))


def test_a_cut_through_special_strings_is_among_the_others() -> None:
    assert ("<tool_", "call>") in list(Cutter(SPECIAL).cuts("<tool_call>", "all"))


def test_a_character_comes_with_its_last_byte() -> None:
    pieces = Cutter(()).tokens("😀" * 20, seed=1, burst=1)
    assert "".join(pieces) == "😀" * 20
    assert "" in pieces, "a token of a character's first bytes brings nothing"


@given(st.lists(st.integers(0, 9), min_size=1, max_size=40), st.integers(0, 9))
def test_what_is_left_still_fails_and_is_as_small_as_can_be(items: list[int], wanted: int) -> None:
    def fails(some: object) -> bool:
        return isinstance(some, list) and some.count(wanted) * 2 >= items.count(wanted)

    kept = smallest(items, fails, patience=10_000)
    assert fails(kept)
    if items.count(wanted) >= 2:
        assert set(kept) == {wanted}


def test_a_cut_that_does_not_matter_goes() -> None:
    pieces = cut_at("abcdefgh", [1, 3, 5, 7])
    assert smallest_cut(pieces, lambda some: "abcde" in some) == ("abcde", "fgh")
    assert smallest_cut(pieces, lambda some: True) == ("abcdefgh",)


def test_what_does_not_matter_goes_and_the_cut_stays() -> None:
    pieces = ("Hi <tool_call>get", "</tool_call> there")
    shown = smallest_text(pieces, Cutter(SPECIAL, whole_tokens=True), lambda some: some[-1].startswith("</tool_call>"))
    assert shown == ("</tool_call>",)
