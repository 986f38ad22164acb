"""Tool calls on their way out, for parsers of families that write arguments one by one."""

from __future__ import annotations

from collections.abc import Sequence

from agenteval.messages import ToolSpec
from agenteval.parsers.arguments import STRING, declares, escaped, parameter_types, quoted, spelled
from agenteval.parsers.deltas import CallDelta, Delta


class Calls:
    """Writes name and arguments of one call after the other; what belongs to a call without a name is
    dropped."""

    def __init__(self, tools: Sequence[ToolSpec], out: list[Delta]) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._out = out
        self._index = -1
        self._tool: ToolSpec | None = None
        self._named = False
        self._begun = False  # the object of the arguments is open

    def start(self, name: str) -> None:
        self._tool, self._named, self._begun = self._tools.get(name), bool(name), False
        if name:
            self._index += 1
            self._out.append(CallDelta(self._index, name))

    def streams(self, key: str) -> bool:
        """Whether this argument can only be a string, so that it need not be complete to be written."""
        return parameter_types(self._tool, key) == STRING

    def begin_string(self, key: str) -> None:
        self._member(key, '"')

    def more_string(self, text: str) -> None:
        self._write(escaped(text))

    def end_string(self) -> None:
        self._write('"')

    def argument(self, key: str, bare: str) -> None:
        """A whole argument, typed by the tool's schema."""
        self._member(key, spelled(bare, parameter_types(self._tool, key)))

    def cut_argument(self, key: str, bare: str) -> None:
        """An argument that broke off; nobody knows what it would have become, so it stands as it was
        written."""
        self._member(key, bare)

    def close(self) -> None:
        self._write("}" if self._begun else "{}")

    def cut(self) -> None:
        """The call broke off: its arguments are seen to have begun and never end."""
        if not self._begun:
            self._write("{")

    def apart(self, text: str) -> tuple[str, str | None]:
        """Name and first key, where the tag that parts them is missing; ("", None) if that cannot be told."""
        for name in sorted(self._tools, key=len, reverse=True):
            key = text.removeprefix(name).strip()
            if text.startswith(name) and declares(self._tools[name], key):
                return name, key
        words = text.split()
        return (words[0], words[1]) if len(words) == 2 else ("", None)

    def _member(self, key: str, value: str) -> None:
        before = ", " if self._begun else "{"
        self._begun = True
        self._write(f"{before}{quoted(key)}: {value}")

    def _write(self, fragment: str) -> None:
        if self._named and fragment:
            self._out.append(CallDelta(self._index, None, fragment))
