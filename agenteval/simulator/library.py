"""Which scenario a request plays, found by what it says: system prompt and tools, values bound to the request's seed.

The scenario's tools must all be offered, unchanged (hashes; a policy may offer more), and its system prompt must
stand in the first system message (a client may write more around it). Scenarios that share both are told apart by their
values and by what users say. What was bound is kept for the next request.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from agenteval.canonical import tagged_hash
from agenteval.messages import ToolSpec, Transcript
from agenteval.scenario.bind import bind, draw
from agenteval.script import Scenario
from agenteval.simulator.recall import message_text
from agenteval.simulator.request import Received
from agenteval.tools import GoldenTurn, beginning, play

KEPT = 64
"""How many bound scenarios are remembered."""

Library = Sequence[Scenario]
"""The scenarios that a model knows, not bound yet."""


@dataclass(frozen=True, slots=True)
class Script:
    """A scenario bound to a seed, its values, and how it goes when all is right: `turns` tells which turn a user begins
    with a text, `said` all that is said in each, `begun` all that is said before them."""

    scenario: Scenario
    values: tuple[str, ...]
    golden: tuple[GoldenTurn, ...]
    turns: Mapping[str | None, int]
    said: tuple[str, ...]
    begun: str

    @classmethod
    def of(cls, scenario: Scenario, seed: int) -> Script:
        """A scenario, bound."""
        values = tuple(value for value in draw(scenario, seed).values() if isinstance(value, str))
        bound = bind(scenario, seed)
        golden = play(bound)
        turns = {turn.user.content: at for at, turn in reversed(list(enumerate(golden)))}
        said = tuple("\n".join(map(message_text, (turn.user, *turn.messages))) for turn in golden)
        begun = "\n".join(map(message_text, beginning(bound)))
        return cls(bound, values, golden, turns, said, begun)

    @property
    def marks(self) -> tuple[str, ...]:
        """Texts that tell it from another scenario with the same prompt and tools."""
        scenario = self.scenario
        past = (turn.user for turn in scenario.history)
        return (*self.values, *past, *(turn.user for turn in scenario.turns))

    def turn_of(self, text: str | None) -> int | None:
        """Index of the turn that a user begins with this text; a client may write paragraphs behind it."""
        while text is not None and text not in self.turns:
            text, more, _ = text.rpartition("\n\n")
            text = text if more else None
        return None if text is None else self.turns[text]

    def before(self, turn: int) -> Transcript:
        """The golden conversation up to and including a turn's user message."""
        past = (message for done in self.golden[:turn] for message in (done.user, *done.messages))
        return (*beginning(self.scenario), *past, self.golden[turn].user)

    def said_before(self, turn: int, part: int) -> str:
        """All that is said in the golden conversation up to a turn's user message and so many messages after it."""
        now = (self.golden[turn].user, *self.golden[turn].messages[:part])
        return "\n".join((self.begun, *self.said[:turn], *map(message_text, now)))


class Shelf:
    """A library, ready to be searched."""

    def __init__(self, library: Library) -> None:
        self._library = tuple(library)
        self._bound: OrderedDict[tuple[str, int], Script] = OrderedDict()

    def find(self, received: Received, seen: Callable[[], str] = str) -> Script | None:
        """The script of the request's scenario; of several that fit, the one with the longest system prompt, and of
        these the one of whose values and users' words most stands in `seen`, all that is said in the request."""
        system = next((message.content or "" for message in received.messages if message.role == "system"), "")
        offered = _marks(received.tools)
        fitting = [
            script
            for script in self._candidates(received)
            if script.scenario.system in system and _marks(script.scenario.tool_specs) <= offered
        ]
        longest = max((len(script.scenario.system) for script in fitting), default=0)
        fitting = [script for script in fitting if len(script.scenario.system) == longest]
        if len(fitting) < 2:
            return fitting[0] if fitting else None
        said = seen()
        return max(fitting, key=lambda script: sum(mark in said for mark in script.marks))

    def _candidates(self, received: Received) -> Iterator[Script]:
        """Scripts whose tools are offered, by name: the others are not worth binding."""
        names = {tool.name for tool in received.tools}
        for scenario in self._library:
            if names.issuperset(tool.name for tool in scenario.tool_specs):
                yield self._script(scenario, received.seed or 0)

    def _script(self, scenario: Scenario, seed: int) -> Script:
        key = (scenario.hash, seed)
        if key not in self._bound:
            self._bound[key] = Script.of(scenario, seed)
            if len(self._bound) > KEPT:
                self._bound.popitem(last=False)
        return self._bound[key]


def _marks(tools: Iterable[ToolSpec]) -> frozenset[str]:
    return frozenset(tagged_hash([tool.name, tool.description, dict(tool.parameters)]) for tool in tools)
