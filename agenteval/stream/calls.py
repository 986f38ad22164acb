"""Tool call deltas merged into calls, as a careful client does it.

By index; the first id and name that are not empty stay and are never appended to (llama_cpp.server repeats
both on every delta, SGLang sends nulls); arguments are appended. A delta without an index belongs to the call
of its id, or begins one, or continues the last.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from agenteval.stream.reply import CallReply, Defects, readable
from agenteval.stream.shapes import as_json


@dataclass(slots=True)
class _Call:
    index: int
    id: str | None = None
    name: str | None = None
    arguments: list[str] = field(default_factory=list)


class Calls:
    """The tool calls of one reply while it arrives.

    `named`, `argued`: whether the latest `add` brought a new name, or argument text. `by_position`: the
    entries of a reply that was not streamed have no index; each is a call.
    """

    __slots__ = ("_by_id", "_by_index", "_by_position", "_defects", "_last", "argued", "named")

    def __init__(self, defects: Defects, *, by_position: bool = False) -> None:
        self.named = False
        self.argued = False
        self._defects = defects
        self._by_position = by_position
        self._by_index: dict[int, _Call] = {}
        self._by_id: dict[str, _Call] = {}
        self._last: _Call | None = None

    def __bool__(self) -> bool:
        return bool(self._by_index)

    def add(self, entries: Any) -> bool:
        """Take in the `tool_calls` of one delta, whatever it is; whether anything new came."""
        self.named = self.argued = False
        if not isinstance(entries, list):
            self._defects.add("bad_type", f"tool_calls is {_kind(entries)}")
            return False
        for entry in entries:
            if isinstance(entry, dict):
                self._entry(entry)
            else:
                self._defects.add("bad_type", f"a tool call is {_kind(entry)}")
        return self.named or self.argued

    def all(self) -> tuple[CallReply, ...]:
        """The calls in the order of their indices."""
        return tuple(self._reply(self._by_index[index]) for index in sorted(self._by_index))

    def _reply(self, call: _Call) -> CallReply:
        def text(value: str | None) -> str | None:
            return readable(value, self._defects) if value else value

        arguments = readable("".join(call.arguments), self._defects)
        return CallReply(text(call.id), text(call.name), arguments, call.index)

    def _entry(self, entry: dict[str, Any]) -> None:
        function = entry.get("function")
        if function is None:
            function = {}
        elif not isinstance(function, dict):
            self._defects.add("bad_type", f"function is {_kind(function)}")
            function = {}
        call_id = self._text(entry.get("id"), "a call's id")
        name = self._text(function.get("name"), "a call's name")
        call = self._call(entry.get("index"), call_id, name)
        self._identify(call, call_id, name)
        arguments = function.get("arguments")
        if arguments:
            self._argue(call, arguments)

    def _text(self, value: Any, what: str) -> str | None:
        if isinstance(value, str) or value is None:
            return value or None
        self._defects.add("bad_type", f"{what} is {_kind(value)}")
        return None

    def _call(self, index: Any, call_id: str | None, name: str | None) -> _Call:
        if self._by_position:
            call = self._new()
        elif type(index) is int and index >= 0:
            call = self._by_index.get(index) or self._new(index)
        else:
            call = self._call_without_index(index, call_id, name)
        self._last = call
        return call

    def _call_without_index(self, index: Any, call_id: str | None, name: str | None) -> _Call:
        self._defects.add("index_missing", f"a tool call's index is {_kind(index)}")
        known = self._by_id.get(call_id) if call_id else None
        if known:
            return known
        last = self._last
        begins = last is None or (call_id and last.id) or (name and last.name and last.arguments)
        return self._new() if begins or last is None else last

    def _new(self, index: int | None = None) -> _Call:
        place = max(self._by_index, default=-1) + 1 if index is None else index
        self._by_index[place] = call = _Call(place)
        return call

    def _identify(self, call: _Call, call_id: str | None, name: str | None) -> None:
        if call_id and call.id is None:
            call.id = call_id
            self._by_id.setdefault(call_id, call)
        elif call_id and call_id != call.id:
            self._defects.add("id_changed", f"call {call.index} was {call.id!r}, then {call_id!r}")
        if name and call.name is None:
            call.name = name
            self.named = True
        elif name and name != call.name:
            self._defects.add("name_changed", f"call {call.index} was {call.name!r}, then {name!r}")

    def _argue(self, call: _Call, arguments: Any) -> None:
        if not isinstance(arguments, str):
            self._defects.add("arguments_not_text", f"arguments of call {call.index} are {_kind(arguments)}")
            arguments = as_json(arguments)
        call.arguments.append(arguments)
        self.argued = True


def _kind(value: Any) -> str:
    """A JSON value's type in words."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else "a boolean"
    names = {dict: "an object", list: "a list", str: "a text", int: "a number", float: "a number"}
    return names.get(type(value), type(value).__name__)
