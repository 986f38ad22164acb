"""Tool calls on their way out, for parsers of every family, under the choices of a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agenteval.canonical import JsonProblem, parse_json
from agenteval.messages import ToolSpec
from agenteval.parsers.arguments import Types, members, parameter_types, quoted
from agenteval.parsers.deltas import CallDelta, Delta, merged
from agenteval.parsers.policy import Choices


class Calls:
    """Writes name and arguments of one call after the other; what belongs to a call that is not reported is dropped.

    Arguments go out as they come, except where a choice can only be met when all of them are known.
    """

    def __init__(self, tools: Sequence[ToolSpec], out: list[Delta], choices: Choices) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._out = out
        self._drops_undeclared = choices.get("undeclared_tool") == "drop"
        self._drops_truncated = choices.get("truncated_call") == "drop"
        self._last_wins = choices.get("duplicate_key") == "last"
        self._unwraps = choices.get("double_encoded") == "unwrap"
        self._null_is_none = choices.get("empty_arguments") == "object"
        self._sink: list[Delta] = [] if self._drops_truncated else out
        self.index = -1  # of the present call
        self._muted = True  # nothing of the present call is reported
        self._blank = True  # it has no arguments yet
        self.direct = False  # it has, and more of them go out at once
        self._waiting: list[str] | None = None  # arguments that go out when all of them are known
        self._tool: ToolSpec | None = None

    def declares(self, name: str) -> bool:
        """Whether a tool of this name was offered."""
        return name in self._tools

    def types(self, key: str) -> Types:
        """What the present call's tool says about one of its parameters."""
        return parameter_types(self._tool, key)

    def start(self, name: str) -> None:
        """A call; without a name, nothing of it is reported."""
        self._tool = self._tools.get(name)
        self._muted = not name or (self._tool is None and self._drops_undeclared)
        self._blank, self._waiting, self.direct = True, None, False
        if not self._muted:
            self.index += 1
            self._sink.append(CallDelta(self.index, name))

    def write(self, fragment: str) -> None:
        """More of the arguments' JSON."""
        if self._muted or not fragment:
            return
        if self._blank and not fragment.isspace():
            self._blank = False
            if self._must_wait(fragment.lstrip()[0]):
                self._waiting = []
            self.direct = self._waiting is None and not self._drops_truncated
        if self._waiting is None:
            self._sink.append(CallDelta(self.index, None, fragment))
        else:
            self._waiting.append(fragment)

    def written(self, fragment: str) -> list[Delta]:
        """More of the arguments' JSON, where nothing else was said since the last time: what goes out now."""
        if self.direct and fragment:
            return [CallDelta(self.index, None, fragment)]
        self.write(fragment)
        said = merged(self._out)
        self._out.clear()
        return said

    def close(self) -> None:
        """The call is complete."""
        if self._blank:
            self.write("{}")
        self._let_out(self._settled)
        self._release()

    def cut(self) -> None:
        """The call broke off: its arguments stay as they are, and never end."""
        if self._drops_truncated:
            if not self._muted:
                self.index -= 1
            self._sink.clear()
        else:
            self._let_out(lambda arguments: arguments)
        self._muted, self.direct = True, False

    def finish(self) -> None:
        """The text ended where a format writes no closer: the call is complete if its arguments are."""
        if not self._drops_truncated and self._waiting is None:
            return
        said = [delta.arguments for delta in self._sink if isinstance(delta, CallDelta)]
        try:
            parse_json("".join([*said, *(self._waiting or ())]))
        except JsonProblem:
            self.cut()
        else:
            self.close()

    def _must_wait(self, first: str) -> bool:
        return self._last_wins or (self._unwraps and first == '"') or (self._null_is_none and first == "n")

    def _let_out(self, settle: Callable[[str], str]) -> None:
        if self._waiting is not None and not self._muted:
            self._sink.append(CallDelta(self.index, None, settle("".join(self._waiting))))
        self._waiting = None

    def _release(self) -> None:
        self._muted, self.direct = True, False
        if self._drops_truncated:
            self._out += self._sink
            self._sink.clear()

    def _settled(self, arguments: str) -> str:
        """Complete arguments, as the choices want them."""
        if self._null_is_none and arguments.strip() == "null":
            return "{}"
        if self._unwraps:
            arguments = _unwrapped(arguments)
        return _last_of_each(arguments) if self._last_wins else arguments


def _unwrapped(arguments: str) -> str:
    """The object inside a JSON string, if that is what it holds."""
    try:
        inner = parse_json(arguments)
        return inner if isinstance(inner, str) and isinstance(parse_json(inner), dict) else arguments
    except JsonProblem:
        return arguments


def _last_of_each(arguments: str) -> str:
    """An object's text in which no key stands twice; other text as it is."""
    try:
        pairs = members(arguments)
    except JsonProblem:
        return arguments
    last = {key: written for key, _, written in pairs}
    if len(last) == len(pairs):
        return arguments
    return "{" + ", ".join(f"{quoted(key)}: {written}" for key, written in last.items()) + "}"
