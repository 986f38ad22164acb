"""Calls of formats that write each argument as bare text between tags: the tool's schema types it."""

from __future__ import annotations

from collections.abc import Sequence

from agenteval.messages import ToolSpec
from agenteval.parsers.arguments import (
    STRING,
    declares,
    escaped,
    python_literal,
    quoted,
    spelled,
    unwrapped,
)
from agenteval.parsers.calls import Calls
from agenteval.parsers.deltas import Delta
from agenteval.parsers.policy import Choices


class TaggedCalls(Calls):
    """Writes arguments one by one."""

    def __init__(self, tools: Sequence[ToolSpec], out: list[Delta], choices: Choices) -> None:
        super().__init__(tools, out, choices)
        self._unwraps_values, self._unwraps = self._unwraps, False
        self._reads_python = choices.get("python_literals") == "json"

    def streams(self, key: str) -> bool:
        """Whether this argument can only be a string, so that it need not be complete to be written."""
        return self.types(key) == STRING

    def begin_string(self, key: str) -> None:
        """A string argument whose text follows."""
        self._member(key, '"')

    def more_string(self, text: str) -> None:
        """More of its text."""
        self.write(escaped(text))

    def end_string(self) -> None:
        """Its end."""
        self.write('"')

    def argument(self, key: str, bare: str, *, typed: bool = True) -> None:
        """A whole argument, typed by the tool's schema, or (not `typed`) as JSON, whatever the schema says."""
        types = self.types(key) if typed else None
        value = spelled(python_literal(bare, types) if self._reads_python else bare, types)
        self._member(key, unwrapped(value, types) if self._unwraps_values else value)

    def cut_argument(self, key: str, bare: str) -> None:
        """An argument that broke off; nobody knows what it would have become, so it stands as it was
        written."""
        self._member(key, bare)

    def close(self) -> None:
        if not self._blank:
            self.write("}")
        super().close()

    def cut(self) -> None:
        """The call broke off: its arguments are seen to have begun and never end."""
        if self._blank:
            self.write("{")
        super().cut()

    def apart(self, text: str) -> tuple[str, str | None]:
        """Name and first key, where the tag that parts them is missing; ("", None) if that cannot be told."""
        for name in sorted(self._tools, key=len, reverse=True):
            key = text.removeprefix(name).strip()
            if text.startswith(name) and declares(self._tools[name], key):
                return name, key
        words = text.split()
        return (words[0], words[1]) if len(words) == 2 else ("", None)

    def _member(self, key: str, value: str) -> None:
        self.write(f"{'{' if self._blank else ', '}{quoted(key)}: {value}")
