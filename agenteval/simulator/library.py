"""Which scenario a request plays, found by what it says: system prompt and tools, values bound to the request's seed.

The scenario's tools must all be offered, unchanged (hashes; a policy may offer more), its system prompt must stand in
the first system message (a client may write more around it), and the newest user message must begin one of its turns.
What was bound is kept for the next request.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from agenteval.canonical import tagged_hash
from agenteval.growing import Remembered
from agenteval.messages import Message, ToolSpec, Transcript, last_user_index
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
    """A scenario bound to a seed, its values, and how it goes when all is right. `turns`: by first paragraph which
    turns a user begins with it, the longest texts first; `said`: all that is said in each; `begun`: all that is said
    before them; `told`: the texts of users before them, and of tools; `marks`: those of its tools."""

    scenario: Scenario
    values: tuple[str, ...]
    golden: tuple[GoldenTurn, ...]
    turns: Mapping[str, Sequence[tuple[str, int]]]
    said: tuple[str, ...]
    begun: str
    told: frozenset[str | None]
    marks: frozenset[str]

    @classmethod
    def of(cls, scenario: Scenario, seed: int) -> Script:
        """A scenario, bound."""
        values = tuple(value for value in draw(scenario, seed).values() if isinstance(value, str))
        bound = bind(scenario, seed)
        golden = play(bound)
        turns: dict[str, list[tuple[str, int]]] = {}
        for at, text in enumerate(turn.user.content or "" for turn in golden):
            turns.setdefault(_first_paragraph(text), []).append((text, at))
        for same in turns.values():
            same.sort(key=lambda turn: -len(turn[0]))
        said = tuple("\n".join(map(message_text, (turn.user, *turn.messages))) for turn in golden)
        before = beginning(bound)
        begun = "\n".join(map(message_text, before))
        all_told = (*before, *(message for turn in golden for message in turn.messages))
        told = frozenset(message.content for message in all_told if message.role in ("user", "tool"))
        return cls(bound, values, golden, turns, said, begun, told, _marks(bound.tool_specs))

    def turn_of(self, text: str | None) -> int | None:
        """Index of the turn that a user begins with this text; a client may write paragraphs behind it."""
        if text is None:
            return None
        there = self.turns.get(_first_paragraph(text), ())
        return next((at for begun, at in there if text == begun or text.startswith(f"{begun}\n\n")), None)

    def known(self, messages: Transcript, seen: str) -> tuple[int, int]:
        """How many of these messages, of users and tools, belong to it; and how many of its values stand in all that is
        said in them."""
        said = (message for message in messages if message.role in ("user", "tool"))
        theirs = sum(message.content in self.told or self._begins(message) for message in said)
        return theirs, sum(value in seen for value in self.values)

    def _begins(self, message: Message) -> bool:
        return message.role == "user" and self.turn_of(message.content) is not None

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
        self._library = [
            (
                scenario,
                {tool.name for tool in scenario.tool_specs},
                tuple(_opening(turn.user) for turn in scenario.turns),
            )
            for scenario in library
        ]
        self._bound: OrderedDict[tuple[str, int], Script] = OrderedDict()
        self._offered: Remembered[Sequence[ToolSpec], frozenset[str]] = Remembered(_marks)

    def find(self, received: Received, seen: Callable[[], str]) -> Script | None:
        """The script of the request's scenario; of several that fit, as twins do, the one to which most of the messages
        belong, then the one of which most values stand in `seen`, all that is said in them, then the longest system
        prompt's."""
        fitting = list(self._fitting(received))
        if len(fitting) < 2:
            return fitting[0] if fitting else None
        return max(fitting, key=lambda one: (*one.known(received.messages, seen()), len(one.scenario.system)))

    def _fitting(self, received: Received) -> Iterator[Script]:
        system = next((message.content or "" for message in received.messages if message.role == "system"), "")
        at = last_user_index(received.messages)
        newest = (received.messages[at].content or "") if at >= 0 else ""
        offered = self._offered.of(received.tools)
        for script in self._candidates(received, newest):
            known = script.scenario.system in system and script.turn_of(newest) is not None
            if known and script.marks <= offered:
                yield script

    def _candidates(self, received: Received, newest: str) -> Iterator[Script]:
        """Scripts whose tools are offered, by name, and of which some turn may begin so: the others are not worth
        binding."""
        names = {tool.name for tool in received.tools}
        for scenario, tools, openings in self._library:
            if newest.startswith(openings) and names.issuperset(tools):
                yield self._script(scenario, received.seed or 0)

    def _script(self, scenario: Scenario, seed: int) -> Script:
        key = (scenario.hash, seed)
        if key not in self._bound:
            self._bound[key] = Script.of(scenario, seed)
            if len(self._bound) > KEPT:
                self._bound.popitem(last=False)
        return self._bound[key]


def _first_paragraph(text: str) -> str:
    return text.partition("\n\n")[0]


def _opening(text: str) -> str:
    """What of a text stands before its first value."""
    return text.partition("${")[0].rstrip("$")


def _marks(tools: Iterable[ToolSpec]) -> frozenset[str]:
    return frozenset(tagged_hash([tool.name, tool.description, dict(tool.parameters)]) for tool in tools)
