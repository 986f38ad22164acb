"""Everything here holds on asyncio's own loop and on uvloop."""

from __future__ import annotations

import pytest

from tests.client.http.talking import Loops


@pytest.fixture(autouse=True, params=["asyncio", "uvloop"])
def event_loop_kind(request: pytest.FixtureRequest) -> None:
    Loops.factory = pytest.importorskip("uvloop").new_event_loop if request.param == "uvloop" else None
