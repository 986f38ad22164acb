"""Which scenario a request plays, found by what it says: system prompt and tools, values bound to the request's seed.

The scenario's tools must all be offered, unchanged (hashes; a policy may offer more), and its system prompt must
stand in the first system message (a client may write more around it). What was bound is kept for the next request.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from agenteval.canonical import tagged_hash
from agenteval.messages import Message, ToolSpec, Transcript
from agenteval.scenario.bind import bind, draw
from agenteval.script import Scenario
from agenteval.simulator.request import Received
from agenteval.tools import GoldenTurn, play

KEPT = 64
"""How many bound scenarios are remembered."""

Library = Sequence[Scenario]
"""The scenarios that a model knows, not bound yet."""


@dataclass(frozen=True, slots=True)
class Script:
    """A scenario bound to a seed, its values, and how it goes when all is right."""

    scenario: Scenario
    values: tuple[str, ...]
    golden: tuple[GoldenTurn, ...]

    def turn_of(self, text: str | None) -> int | None:
        """Index of the turn that a user begins with this text; a client may write more behind it."""
        said = [(len(turn.user.content or ""), at) for at, turn in enumerate(self.golden) if _begins(text, turn.user)]
        return max(said)[1] if said else None

    def before(self, turn: int) -> Transcript:
        """The golden conversation up to and including a turn's user message."""
        past = (message for done in self.golden[:turn] for message in (done.user, *done.messages))
        return (Message("system", self.scenario.system), *past, self.golden[turn].user)


class Shelf:
    """A library, ready to be searched."""

    def __init__(self, library: Library) -> None:
        self._library = tuple(library)
        self._bound: OrderedDict[tuple[str, int], Script] = OrderedDict()

    def find(self, received: Received) -> Script | None:
        """The script of the request's scenario; of several that fit, the one with the longest system prompt."""
        system = next((message.content or "" for message in received.messages if message.role == "system"), "")
        offered = _marks(received.tools)
        fitting = [
            script
            for script in self._candidates(received)
            if script.scenario.system in system and _marks(script.scenario.tool_specs) <= offered
        ]
        return max(fitting, key=lambda script: len(script.scenario.system), default=None)

    def _candidates(self, received: Received) -> Iterator[Script]:
        """Scripts whose tools are offered, by name: the others are not worth binding."""
        names = {tool.name for tool in received.tools}
        for scenario in self._library:
            if names.issuperset(tool.name for tool in scenario.tool_specs):
                yield self._script(scenario, received.seed or 0)

    def _script(self, scenario: Scenario, seed: int) -> Script:
        key = (scenario.hash, seed)
        if key not in self._bound:
            values = tuple(value for value in draw(scenario, seed).values() if isinstance(value, str))
            bound = bind(scenario, seed)
            self._bound[key] = Script(bound, values, play(bound))
            if len(self._bound) > KEPT:
                self._bound.popitem(last=False)
        return self._bound[key]


def _begins(text: str | None, user: Message) -> bool:
    return text is not None and (text == user.content or text.startswith(f"{user.content}\n\n"))


def _marks(tools: Iterable[ToolSpec]) -> frozenset[str]:
    return frozenset(tagged_hash([tool.name, tool.description, dict(tool.parameters)]) for tool in tools)
