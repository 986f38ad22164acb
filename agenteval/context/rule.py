"""A rule: what one policy does to the view that is carried from step to step. A policy is one rule or more (`a+b`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias

from agenteval.context.items import Item, Items, Notes, messages_of
from agenteval.context.policy import Budget, Count, ModelReply
from agenteval.context.trigger import ALWAYS, AT_3000, Trigger
from agenteval.errors import UsageError
from agenteval.messages import ToolCall, ToolSpec, Transcript

CountedBy: TypeAlias = Literal["server", "tokenizer", "chars"]
PINS = ("system", "first_user", "constraints", "tags")
Pin: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sight:
    """What a rule sees when it may act: the view's items, which are the same as `messages`. `live`: the items before
    other rules acted at this step, which is what the server has in its cache; `memory`: its own, from the last step;
    `turn`: user turns so far; `least`: tokens that an action has to free."""

    items: Items
    notes: Notes
    memory: Any
    transcript: Transcript
    budget: Budget
    count: Count
    turn: int
    live: Items = ()
    messages: Transcript = ()
    least: int = 1

    def tokens(self, items: Items | None = None) -> int:
        """Of these items, or of the view as it stands."""
        return self.count(self.messages if items is None else messages_of(items))

    @property
    def goal(self) -> str:
        return next((m.content or "" for m in self.transcript if m.role == "user"), "")


@dataclass(frozen=True, slots=True)
class Changed:
    """What a rule makes of the view (the same items: only its memory changes). `wrote`: what was done, in words."""

    items: Items
    notes: Notes
    memory: Any
    wrote: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """A rule wants a model's words first."""

    messages: Transcript
    max_tokens: int
    memory: Any
    offers_tools: bool = False


@dataclass(frozen=True, slots=True)
class Rejected:
    """Nothing is done, and why."""

    why: str
    memory: Any


class Rule:
    """Does nothing until a subclass says what. Attributes are the knobs that the pipeline itself looks at.

    `enter` takes in one new message (append-only: nothing before it changes); `act` changes the view when the trigger
    fires, `answer` goes on with a model's words. `adds`: the rule makes a view longer on purpose.
    """

    __slots__ = ()
    name: ClassVar[str]
    tools: ClassVar[tuple[ToolSpec, ...]] = ()
    adds: ClassVar[bool] = False
    trigger: Trigger = ALWAYS
    target: int | None = None
    min_reclaim: int = 1
    cooldown_turns: int = 0
    sticky: bool = True
    count: CountedBy = "server"

    def rules(self) -> tuple[Rule, ...]:
        """What it is made of, if it is itself a composition."""
        return (self,)

    def start(self) -> Any:
        return None

    def enter(self, item: Item, memory: Any, turn: int, goal: str) -> tuple[Item, Any]:
        return item, memory

    def act(self, sight: Sight) -> Changed | Wanted | Rejected | None:
        return None

    def answer(self, sight: Sight, reply: ModelReply) -> Changed | Rejected:
        raise AssertionError("this rule asks no model")

    def in_vain(self, memory: Any) -> Any:
        """The memory after an action that was not done, since it would have freed too little."""
        return memory

    def recall(self, call: ToolCall, transcript: Transcript, memory: Any) -> str:
        raise AssertionError("this rule offers no tools")


@dataclass(frozen=True, slots=True, kw_only=True)
class Triggered(Rule):
    """The shared knobs of rules that act on a trigger: see `KNOBS` for what each means."""

    trigger: Trigger = AT_3000
    target: int = 1500
    min_reclaim: int = 300
    cooldown_turns: int = 0
    keep_last: int = 3
    sticky: bool = True
    placeholder: str = ""
    count: CountedBy = "server"

    def __post_init__(self) -> None:
        name, high = self.name, self.trigger.tokens
        at_least(name, 1, target=self.target, keep_last=self.keep_last)
        at_least(name, 0, min_reclaim=self.min_reclaim, cooldown_turns=self.cooldown_turns)
        if high is not None and self.target >= high:
            raise UsageError(
                f"{name}: target ({self.target} tokens) must be below the trigger ({high}); "
                f"lower target or raise trigger"
            )
        check_count(name, self.count)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropping(Triggered):
    """The shared knobs of rules that drop messages."""

    pin: Pin = PINS

    def __post_init__(self) -> None:
        Triggered.__post_init__(self)
        if unknown := [pin for pin in self.pin if pin not in PINS]:
            raise UsageError(f"{self.name}: {unknown[0][:40]!r} cannot be pinned; there are: {'/'.join(PINS)}")


def at_least(name: str, least: int, **knobs: int) -> None:
    """Raises UsageError for a knob that is smaller."""
    for knob, value in knobs.items():
        if value < least:
            raise UsageError(f"{name}: {knob} ({value}) must be at least {least}")


def check_count(name: str, count: str) -> None:
    if count not in ("server", "tokenizer", "chars"):
        raise UsageError(f"{name}: count is server, tokenizer or chars, not {count[:40]!r}")


KNOBS: dict[str, str] = {
    "trigger": "when it acts: 3000 (tokens of the prompt), 7turns, 5tool_uses, on_error (as for prune_errors), "
    "always; any of several with /",
    "target": "low mark in tokens: once it acts it goes on down to this; where it cannot, the report says so",
    "min_reclaim": "an action that frees fewer tokens is not done; after one that missed its target, the next "
    "also frees at least half of what lies between the marks",
    "cooldown_turns": "user turns that must pass between two actions",
    "pin": "what of dropped messages is kept verbatim: constraints (sentences of the user that forbid or command for "
    "good, by their words: never, do not, always, avoid, …), tags (what stands between <pin> and </pin>, for what such "
    "words do not show); system, first_user always are; without constraints, what the user forbade is lost (breaks I7)",
    "keep_last": "how many of the newest groups (of results, of turns' reasoning) stay as they are",
    "sticky": "no: decided anew from the whole transcript at every step, which breaks the prefix cache",
    "placeholder": "what stands in place of what is gone; {tool} is the tool's name, {back} what is true of getting it "
    "back; a text of your own that does not say that the harness removed it, and how to get it back, breaks I21",
    "count": "who counts tokens: server (as far as it told), tokenizer (o200k), chars (4 a token)",
    "exclude": "tools that are left alone, with /",
    "limit": "tokens: what of a result stays beside the mark; a ledger has at most so many; a summary is asked for "
    "in so many, and refused above twice as many",
    "shape": "what of a long result stays: head, tail, head_tail, json_fields (JSON objects and lists stay JSON; what "
    "is none, or does not fit so, is cut as head_tail, and the report says so)",
    "head": "percent of the limit for the start, in head_tail",
    "keep_first": "groups after the goal that stay",
    "step": "results pile up to so many more before the oldest are masked: rarer breaks of the prefix cache",
    "larger_than": "results of at most so many characters are left alone",
    "clear_inputs": "yes: the arguments of cleared calls go, too",
    "keep": "whose reasoning stays: none, tool_loop (since the newest user message), last_n (turns: keep_last), all",
    "key": "arguments that make two calls of a tool the same, with /; empty: all of them",
    "every": "in every so-manyth turn",
    "preview": "tokens of an offloaded result that stay",
    "mode": "suffix: asked at the end of the live prompt (its prefix cache holds); offline: of a written-out copy",
    "style": "free (prose), structured (headings), anchored (the last summary brought up to date)",
    "carry": "what is carried over: summary, ledger, nothing",
}
"""What each knob means, wherever it appears."""
