"""The state that mock tools read and change."""

from __future__ import annotations

from agenteval.canonical import tagged_hash
from agenteval.script import Json


class World:
    """Holds one JSON value. Values are replaced, never changed in place, so a copy shares everything safely."""

    __slots__ = ("state",)

    def __init__(self, state: Json) -> None:
        self.state = state

    def copy(self) -> World:
        """A world that goes its own way from here."""
        return World(self.state)

    def hash(self) -> str:
        """The same for equal states, however they came about."""
        return tagged_hash(self.state)
