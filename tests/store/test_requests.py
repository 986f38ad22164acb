"""Requests as what they add to the one before: read again, each is what was written, whatever changed between two."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agenteval.store import requests
from agenteval.store.requests import Body, RequestReader, RequestWriter, Spelled

CELLS = ("one", "two", "three")
MESSAGES = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["user", "tool"]), "content": st.sampled_from(["", "a", None])}),
    max_size=4,
)
FIELDS = st.dictionaries(
    st.sampled_from(["model", "seed", "tools", "kept"]), st.sampled_from([None, "m", 3, [], [{"name": "t"}]])
)
BODIES = st.none() | st.tuples(FIELDS, MESSAGES | st.none(), st.integers(0, 6), st.booleans())
"""Fields, further messages (None: no list of them), how many are kept of those before, and whether they stand first."""


def body_of(last: Body, drawn: Any) -> Body | None:
    """A body that goes on with the last one of its cell."""
    if drawn is None:
        return None
    fields, more, kept, first = drawn
    messages = {} if more is None else {"messages": [*last.get("messages", [])[:kept], *more]}
    return {**messages, **fields} if first else {**fields, **messages}


@given(st.lists(st.tuples(st.sampled_from(CELLS), BODIES), max_size=12))
def test_requests_are_read_as_they_were_written(drawn: list[tuple[str, Any]]) -> None:
    """Of cells in any order."""
    writer = RequestWriter()
    readers = {cell: RequestReader() for cell in CELLS}
    lasts: dict[str, Body] = {cell: {} for cell in CELLS}
    for cell, shape in drawn:
        body = body_of(lasts[cell], shape)
        spelled = writer.spell(cell, body)
        read = readers[cell].read(spelled)
        assert read == body
        assert list(read or ()) == list(body or ()), "in the order in which it was sent"
        lasts[cell] = body or lasts[cell]


def test_only_what_is_new_is_written() -> None:
    writer = RequestWriter()
    writer.spell("one", {"model": "m", "messages": [{"role": "user"}], "seed": 1})
    more = writer.spell("one", {"model": "m", "messages": [{"role": "user"}, {"role": "tool"}], "seed": 2})
    assert more == Spelled(("model", "messages", "seed"), {"seed": 2}, 1, [{"role": "tool"}])


def test_a_cell_that_is_no_longer_remembered_is_spelled_in_full() -> None:
    writer, body = RequestWriter(), {"model": "m", "messages": [{"role": "user"}]}
    for number in range(requests.REMEMBERED + 1):
        writer.spell(f"cell {number}", body)
    forgotten, known = writer.spell("cell 0", body), writer.spell(f"cell {requests.REMEMBERED}", body)
    assert forgotten is not None
    assert known is not None
    assert (forgotten.kept, known.kept) == (0, 1)
    assert RequestReader().read(forgotten) == body
