"""What the rules look at: one view of a history, and the one before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from agenteval.context import Action, PolicyReport
from agenteval.messages import Message, ToolSpec, Transcript


@dataclass(frozen=True, slots=True)
class Seen:
    """`again`: the view of a second, fresh playing; `untouched`: whether the history was the same afterwards; `report`:
    None for a plain function; `tokens`: of history and view; `before`: the last step; `asked`: what a model was asked
    at this step; `adds`, `controls`: the policy makes views longer, or is decided anew at each step, on purpose;
    `tools`: what is known of them."""

    history: Transcript
    view: Transcript
    again: Transcript
    untouched: bool
    tokens: tuple[int, int]
    rules: tuple[str, ...] = ()
    report: PolicyReport | None = None
    before: Seen | None = None
    asked: tuple[Transcript, ...] = ()
    target: int | None = None
    adds: bool = False
    controls: bool = False
    tools: tuple[ToolSpec, ...] = ()
    origins: Mapping[int, Message | None] = field(default_factory=dict)

    @property
    def breaks(self) -> int:
        """At how many steps so far the view was not the last one with more behind it."""
        broken = self.before is not None and self.view[: len(self.before.view)] != self.before.view
        return broken + (self.before.breaks if self.before else 0)

    @property
    def small_acts(self) -> int:
        """At how many steps so far a rule with marks freed less than lies between them."""
        now = any(freed(action) < between(action) for action in self.marked)
        return now + (self.before.small_acts if self.before else 0)

    @property
    def marked(self) -> tuple[Action, ...]:
        """What rules with marks in tokens did at this step."""
        return tuple(a for a in self.report.actions if a.above is not None) if self.report else ()

    def last(self, rule: str) -> Action | None:
        """What a rule with marks did last before this step."""
        earlier = self.before
        while earlier is not None:
            if found := next((action for action in earlier.marked if action.rule == rule), None):
                return found
            earlier = earlier.before
        return None

    @property
    def steps(self) -> int:
        return 1 + (self.before.steps if self.before else 0)

    def origin(self, at: int) -> Message | None:
        """The message of the history that a message of the view is, or was made of; None if it is new."""
        return self.origins[at]

    def tool_of(self, result: Message) -> ToolSpec | None:
        """The tool whose result a message is."""
        calls = (call for message in self.history for call in message.tool_calls if call.id == result.tool_call_id)
        name = next((call.name for call in calls), None)
        return next((tool for tool in self.tools if tool.name == name), None)

    def added(self) -> Iterator[tuple[Message, str]]:
        """Messages of the view with text that does not stand in the message they were made of, and that text."""
        for at, message in enumerate(self.view):
            was = self.origin(at)
            if was is message or was == message:
                continue
            text, old = message.content or "", (was.content or "") if was else ""
            if text != old:
                yield message, text.replace(old, "", 1) if old else text


def freed(action: Action) -> int:
    return (action.before or 0) - (action.after or 0)


def between(action: Action) -> int:
    """Tokens between the high mark and the low one."""
    return (action.above or 0) - (action.target or 0)


def origins_of(history: Transcript, view: Transcript) -> dict[int, Message | None]:
    """For each place in the view the message that stands there in the history: the same, one with the same call ids, or
    one whose text it begins with."""
    same = {id(message): message for message in history}
    equal = {message: message for message in history}
    by_id = {message.tool_call_id: message for message in history if message.tool_call_id}
    by_calls = {message.tool_calls[0].id: message for message in history if message.tool_calls}
    found: dict[int, Message | None] = {}
    for at, message in enumerate(view):
        was = same.get(id(message)) or equal.get(message)
        if was is None and message.tool_call_id:
            was = by_id.get(message.tool_call_id)
        if was is None and message.tool_calls:
            was = by_calls.get(message.tool_calls[0].id)
        if was is None:
            text = message.content or ""
            alike = [m for m in history if m.role == message.role and m.content and text.startswith(m.content)]
            was = max(alike, key=lambda m: len(m.content or ""), default=None)
        found[at] = was
    return found
