"""A scenario as the model will see it, when everything goes as it should: texts whole, with tokens per part.

Counted on the rendering of a family's prompt with the o200k vocabulary; nobody knows beforehand what the model will
think, so thoughts are not in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import fill, indent, wrap

from agenteval.dialects import sent_history
from agenteval.errors import UsageError
from agenteval.messages import Message, ToolSpec, Transcript
from agenteval.parsers import FAMILIES
from agenteval.prompts import count_prompt
from agenteval.run import Cell, Plan, expand
from agenteval.scenario import draw
from agenteval.script import Scenario
from agenteval.template import as_text
from agenteval.thinking import Thinking
from agenteval.tokens import vocabulary
from agenteval.tools import beginning, play
from agenteval.visible import visible

WIDTH = 80
HEADER = ("turn", "user", "calls", "results", "answer", "msgs", "ctx")
COUNTED = "Tokens are counted with the o200k vocabulary on the {family} rendering; a server counts its own."
NAMES = {"glm47": "GLM", "harmony": "gpt-oss (harmony)"}
THOUGHTS: dict[Thinking, str] = {
    "off": "The model is told not to think.",
    "on": "What the model thinks comes on top, and is dropped when the user speaks again.",
    "preserved": "What the model thinks comes on top, and stays.",
}


@dataclass(frozen=True, slots=True)
class _Part:
    """One message: what it adds to the prompt, and its text."""

    kind: str
    tokens: int
    text: str


@dataclass(frozen=True, slots=True)
class _Turn:
    """One turn: its messages, and the prompt of its first request (messages alone, and with the tools)."""

    number: int
    parts: tuple[_Part, ...]
    messages: int
    context: int

    def tokens(self, kind: str) -> int:
        return sum(part.tokens for part in self.parts if part.kind == kind)


def render_scenario(
    scenario: Scenario, *, seed: int, thinking: Thinking, turn: int | None = None, family: str = "glm47"
) -> str:
    """What a run with this seed shows a model of a family in its first trial; `turn`: that turn only. Raises
    UsageError."""
    (cell,) = expand(Plan((scenario,), (thinking,), ("full_history",), 1, seed))
    counter = _Counter(cell, family)
    turns = counter.turns()
    if turn is not None and not 1 <= turn <= len(turns):
        raise UsageError(f"{scenario.name} has {len(turns)} turns, and no turn {turn}")
    blocks = [_head(scenario, counter, seed)]
    if turn is None:
        begun = counter.history()
        blocks += [_part(counter.system()), _tools(counter), *([_history(begun)] if begun else [])]
        blocks += [*map(_turn, turns), _table(turns)]
    else:
        blocks.append(_turn(turns[turn - 1]))
    return visible("\n\n".join(blocks)) + "\n"


@dataclass(frozen=True, slots=True)
class _Counter:
    """Counts the prompts of one cell for a family."""

    cell: Cell
    family: str

    def system(self) -> _Part:
        return _Part("system", self._size(self._first()) - self._size(()), self.cell.scenario.system)

    def _first(self) -> Transcript:
        return self._begun()[:1]

    def _begun(self) -> Transcript:
        """What stands before turn 1, as a server gets it."""
        return sent_history(beginning(self.cell.scenario), self.cell.thinking, self.family).messages

    def history(self) -> tuple[_Part, ...]:
        """The turns that were played before turn 1."""
        return tuple(self._parts(self._first(), self._begun()[1:]))

    def tools(self) -> int:
        """What the tools add to the system prompt."""
        return self._size(self._first(), self.cell.scenario.tool_specs) - self._size(self._first())

    def tool(self, spec: ToolSpec) -> int:
        """What one tool adds to the others."""
        others = [other for other in self.cell.scenario.tool_specs if other.name != spec.name]
        return self._size(self._first(), self.cell.scenario.tool_specs) - self._size(self._first(), others)

    def turns(self) -> list[_Turn]:
        history = self._begun()
        found = []
        for number, golden in enumerate(play(self.cell.scenario), start=1):
            messages = self._size((*history, golden.user))
            said = (golden.user, *golden.messages)
            found.append(_Turn(number, tuple(self._parts(history, said)), messages, messages + self.tools()))
            history = (*history, *said)
        return found

    def _parts(self, history: Transcript, said: Transcript) -> Iterator[_Part]:
        before = self._size(history)
        for place, message in enumerate(said, start=1):
            after = self._size((*history, *said[:place]))
            yield _Part(_kind(message), after - before, _text(message))
            before = after

    def _size(self, messages: Transcript, tools: Sequence[ToolSpec] = ()) -> int:
        return count_prompt(
            self.family,
            messages,
            tools,
            vocabulary(FAMILIES[self.family].special),
            thinking=self.cell.thinking != "off",
            keep_reasoning=self.cell.thinking == "preserved",
        ).total


def _kind(message: Message) -> str:
    if message.role == "assistant":
        return "calls" if message.tool_calls else "answer"
    return "results" if message.role == "tool" else message.role


def _text(message: Message) -> str:
    calls = (f"{call.name} {call.arguments_text}" for call in message.tool_calls)
    return "\n".join([*([message.content] if message.content else []), *calls])


# --- drawing ------------------------------------------------------------------------------------------------


def _head(scenario: Scenario, counter: _Counter, seed: int) -> str:
    cell = counter.cell
    lines = [f"{scenario.name} · seed {seed} · thinking {cell.thinking}", scenario.description]
    values = ", ".join(f"{name} = {as_text(value)}" for name, value in draw(scenario, cell.seed).items())
    lines += [f"Values: {values}"] if values else []
    counted = COUNTED.format(family=NAMES.get(counter.family, counter.family))
    lines.append(f"{counted} {THOUGHTS[cell.thinking]}")
    return "\n".join(fill(visible(line), WIDTH, break_on_hyphens=False) for line in lines if line)


def _tools(counter: _Counter) -> str:
    specs = counter.cell.scenario.tool_specs
    return "\n".join([f"tools · {counter.tools():,} tokens", *(indent(_tool(spec, counter), "  ") for spec in specs)])


def _tool(spec: ToolSpec, counter: _Counter) -> str:
    schema = json.dumps(spec.parameters, ensure_ascii=False)
    return _part(_Part(spec.name, counter.tool(spec), f"{spec.description}\n{schema}".lstrip("\n")), room=WIDTH - 2)


def _history(begun: Sequence[_Part]) -> str:
    tokens = sum(part.tokens for part in begun)
    parts = (indent(_part(part, room=WIDTH - 2), "  ") for part in begun)
    return "\n".join([f"begins with {len(begun)} messages · {tokens:,} tokens", *parts])


def _turn(turn: _Turn) -> str:
    tools = turn.context - turn.messages
    context = f"first request {turn.context:,} tokens: {turn.messages:,} messages + {tools:,} tools"
    parts = (indent(_part(part, room=WIDTH - 2), "  ") for part in turn.parts)
    return "\n".join([f"turn {turn.number} · {context}", *parts])


def _part(part: _Part, room: int = WIDTH) -> str:
    lines = (piece for line in visible(part.text).split("\n") for piece in _wrapped(line, room - 4))
    return "\n".join([f"{part.kind} · {part.tokens:,} tokens", *(f"    {line}".rstrip() for line in lines)])


def _wrapped(line: str, width: int) -> list[str]:
    """A line in pieces that fit; its blanks, which may be code, stay."""
    spread = line.expandtabs(4)
    return wrap(spread, width, drop_whitespace=False, replace_whitespace=False, break_on_hyphens=False) or [""]


def _table(turns: Sequence[_Turn]) -> str:
    """The turns' tokens at a glance; `msgs` and `ctx` as in the report of a run."""
    rows = [(turn.number, *(turn.tokens(kind) for kind in HEADER[1:5]), turn.messages, turn.context) for turn in turns]
    spelled = [HEADER, *(tuple(f"{cell:,}" for cell in row) for row in rows)]
    return "\n".join("".join(cell.rjust(9) for cell in row).removeprefix("  ") for row in spelled)
