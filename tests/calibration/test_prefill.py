"""The prefix cache ranks policies as the reference's measurement does."""

from __future__ import annotations

from itertools import permutations

import pytest

from tests.calibration.prefill import COLUMNS, ROWS, percent, prefilled

CLEARLY = 1.5
"""Two policies whose figures in the reference differ by less are not ranked: it is one conversation, in characters."""


@pytest.mark.parametrize(("place", "column"), list(enumerate(COLUMNS)))
def test_what_clearly_cost_more_there_costs_more_here(place: int, column: str) -> None:
    figures = {row: percent(column, row) for row in ROWS}
    pairs = [
        (dear, cheap)
        for dear, cheap in permutations(ROWS, 2)
        if ROWS[dear][1][place] >= CLEARLY * ROWS[cheap][1][place]
    ]
    assert len(pairs) > 15
    assert [pair for pair in pairs if figures[pair[0]] <= figures[pair[1]]] == [], figures


def test_a_low_mark_is_what_makes_a_window_cheap() -> None:
    for column in COLUMNS:
        assert percent(column, "window, boundary re-picked") > 2 * percent(column, "window, low mark")


def test_a_new_user_message_breaks_the_prefix_unless_thoughts_are_kept() -> None:
    """Full history, the same sixteen calls: GLM's template drops what was thought before the newest user message."""
    assert prefilled("user turns", "full history") > 1.5 * prefilled("user turns, clear_thinking=false", "full history")
