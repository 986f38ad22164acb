"""The scripted model: a request in, the message that it writes out.

It finds its scenario by what the request says, the turn by the last user message, the place in the turn by the calls
made since then, and goes on as the scenario expects. It knows only what stands in the prompt that it received: see
`recall`: where a declared fact is lost, it takes a stale value that still stands there, or does what the lost rule
forbids; where the turn allows further calls, it first makes the call again that told what is lost. Whatever it does not
know gets a plain answer that begins with `MARK`.

Asked for a summary, it writes one from what it received: see `summary`. Not covered: a forced `tool_choice`, mistakes
of its own; an error from a tool changes nothing in what it does next.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import TypeAlias

from agenteval.canonical import canonical_json, parse_json
from agenteval.match import example_of
from agenteval.messages import Message, ToolCall, Transcript, last_user_index
from agenteval.scenario.preflight import PREFLIGHT
from agenteval.simulator.ailments import FAILED, Effect
from agenteval.simulator.library import Library, Script, Shelf
from agenteval.simulator.recall import Recall, misremembered, outdated, texts_of
from agenteval.simulator.request import Received
from agenteval.simulator.summary import asks_for_summary, summary_of
from agenteval.wording import stem

MARK = "[simulated endpoint]"

LOST = "I no longer have what this needs: it does not stand in the conversation that I can see."

CALLING = "Request {turn}, part {part}: {tool} gets me further here."
ANSWERING = "Request {turn}, part {part}: I can answer this now."
SUMMARISING = "I am asked for a summary; I write down what stands here."
STRANGE = "This request belongs to none of the scenarios that I know."
"""The thoughts hold no value of the conversation, so that dropping them loses none."""


class ScriptedModel:
    """Knows a library of scenarios and the question of a preflight, and forgets everything between two requests."""

    def __init__(self, library: Library) -> None:
        self._shelf = Shelf((*library, PREFLIGHT))

    def reply(self, received: Received, effect: Callable[[int], Effect | None], seen: Callable[[], str]) -> Message:
        """What the model writes; `effect` is what becomes of its calls where so many stale values stand, None when
        nothing ails it; `seen`: all that is said in what was received."""
        script = self._shelf.find(received, seen)
        turn = None if script is None else script.turn_of(_last_user(received.messages))
        if script is None or turn is None:
            if asks_for_summary(received.messages):
                return Message("assistant", summary_of(received), SUMMARISING if received.thinking else None)
            return Message("assistant", _unknown(received), STRANGE if received.thinking else None)
        part = Part.of(script, turn, received.messages, seen)
        calling = bool(part.calls) and received.may_call
        message = part.call(effect(len(part.before))) if calling else part.answer()
        return replace(message, reasoning=part.thought(calling=calling)) if received.thinking else message


@dataclass(frozen=True, slots=True)
class Part:
    """One step of a turn as the script has it: the calls that are due now, or none when it is time to answer. `before`:
    of facts that this turn needs what was right before and still stands there."""

    script: Script
    turn: int
    number: int
    content: str | None
    calls: tuple[ToolCall, ...]
    recall: Recall
    before: Mapping[str, str]

    @classmethod
    def of(cls, script: Script, turn: int, received: Transcript, seen: Callable[[], str]) -> Part:
        """The part that follows on what was received."""
        golden = script.golden[turn].messages
        wanted, done = _calls_of(script, golden), _calls_of(script, received[last_user_index(received) + 1 :])
        again = _again(script, turn)
        fetched = [call for call in done if call[:2] in again and call[:2] not in [due[:2] for due in wanted]]
        made = place_in(wanted, [call for call in done if call not in fetched])
        begun = 0
        for at, message in enumerate(golden):
            left = message.tool_calls[max(0, made - begun) :]
            begun += len(message.tool_calls)
            if left or at == len(golden) - 1:
                recall = Recall(partial(script.said_before, turn, at), seen)
                due = left or (() if made else _tempted(script, turn, recall))
                facts = [fact.value for fact in script.scenario.facts if fact.needed == turn + 1]
                if missing := _missing(due, facts, recall, again, [call[:2] for call in fetched]):
                    due = (missing,)
                return cls(script, turn, made + 1, message.content, due, recall, _before(script, turn, recall))
        raise ValueError("a golden turn has no messages")

    def call(self, effect: Effect | None) -> Message:
        """The calls that are due, with arguments as far as the model can still know them, under an effect."""
        stale = effect == "stale"
        calls = tuple(replace(call, arguments_text=self._arguments(call, stale=stale)) for call in self.calls)
        return _affected(Message("assistant", self.content, None, calls), effect)

    def answer(self) -> Message:
        """The golden answer, unless a value in it is lost."""
        text = self.script.golden[self.turn].messages[-1].content or ""
        lost = any(value in text and self.recall.lost(value) for value in self._values())
        return Message("assistant", LOST if lost else text)

    def thought(self, *, calling: bool) -> str:
        """What the model thinks before it calls or answers."""
        thought = CALLING if calling else ANSWERING
        tool = self.calls[0].name if calling else ""
        return thought.format(turn=self.turn + 1, part=self.number, tool=tool)

    def _arguments(self, call: ToolCall, *, stale: bool) -> str:
        tool = next(tool for tool in self.script.scenario.tool_specs if tool.name == call.name)
        arguments = parse_json(call.arguments_text)
        if stale:
            return json.dumps(outdated(arguments, self.before), ensure_ascii=False)
        known = misremembered(arguments, tool.parameters, self.recall, self._values(), self.before)
        return call.arguments_text if known == arguments else json.dumps(known, ensure_ascii=False)

    def _values(self) -> Iterator[str]:
        """Texts that count on their own: the scenario's values, and what the turn's answer must hold."""
        yield from self.script.values
        answer = self.script.scenario.turns[self.turn].expect.answer
        if answer is not None:
            yield from map(stem, chain.from_iterable(answer.contains))


def _affected(message: Message, effect: Effect | None) -> Message:
    """What comes of a message with calls under an ailment."""
    if effect is None or effect == "stale":
        return message
    if effect == "prose":
        names = " and ".join(dict.fromkeys(call.name for call in message.tool_calls))
        return Message("assistant", f"For this I would use {names} next and go on from what comes back.")
    spelled = (
        json.dumps({"name": call.name, "arguments": parse_json(call.arguments_text)}, ensure_ascii=False)
        for call in message.tool_calls
    )
    return Message("assistant", "\n".join(spelled))


def _unknown(received: Received) -> str:
    return (
        f"{MARK} I play only the scenarios that I was given, and this request is no turn of any of them "
        f"({len(received.messages)} messages, {len(received.tools)} tools)."
    )


def _last_user(messages: Transcript) -> str | None:
    at = last_user_index(messages)
    return messages[at].content if at >= 0 else None


Made: TypeAlias = tuple[str, str, bool]
"""A call as it is recognised again: the tool, its arguments in one spelling, whether it failed."""


def _calls_of(script: Script, messages: Transcript) -> list[Made]:
    names = {tool.name for tool in script.scenario.tool_specs}
    failed = {m.tool_call_id for m in messages if m.role == "tool" and (m.content or "").startswith(FAILED)}
    return [
        (call.name, _spelled(call.arguments_text), call.id in failed)
        for message in messages
        for call in message.tool_calls
        if call.name in names
    ]


def _spelled(arguments: str) -> str:
    try:
        return canonical_json(parse_json(arguments))
    except ValueError:
        return arguments


def place_in(golden: Sequence[Made], seen: Sequence[Made]) -> int:
    """How many of the turn's calls were made, judged by those that can still be seen: they are the last of those that
    were made, or, where a policy took some from the middle, some of them. Wrong arguments make a call no other one."""
    for known in (3, 2, 1):
        there, here = [call[:known] for call in golden], [call[:known] for call in seen]
        made = _ends_with(there, here) or _holds(there, here)
        if made is not None:
            return made
    return len(seen)


def _ends_with(golden: Sequence[Sequence[object]], seen: Sequence[Sequence[object]]) -> int | None:
    """The shortest beginning that ends with these."""
    fits = (made for made in range(len(seen), len(golden) + 1) if golden[made - len(seen) : made] == seen)
    return next(fits, None)


def _holds(golden: Sequence[Sequence[object]], seen: Sequence[Sequence[object]]) -> int | None:
    """The shortest beginning that holds these in their order."""
    made = 0
    for call in seen:
        found = next((at + 1 for at in range(made, len(golden)) if golden[at] == call), None)
        if found is None:
            return None
        made = found
    return made


def _again(script: Script, turn: int) -> dict[tuple[str, str], tuple[ToolCall, str]]:
    """Calls of earlier turns that may be made again in this one, newest last, with what they told."""
    if not script.scenario.turns[turn].expect.extra:
        return {}
    messages = [message for done in script.golden[:turn] for message in done.messages]
    told = {message.tool_call_id: message.content or "" for message in messages if message.role == "tool"}
    calls = (call for message in messages for call in message.tool_calls)
    return {(call.name, _spelled(call.arguments_text)): (replace(call, id=""), told.get(call.id, "")) for call in calls}


def _missing(
    due: Sequence[ToolCall],
    facts: Sequence[str],
    recall: Recall,
    again: Mapping[tuple[str, str], tuple[ToolCall, str]],
    fetched: Sequence[tuple[str, str]],
) -> ToolCall | None:
    """The call that tells a lost fact again which the due ones need; each is tried once in a turn."""
    lost = [fact for fact in facts if recall.lost(fact)]
    texts = [
        fact for call in due for text in texts_of(parse_json(call.arguments_text)) for fact in lost if fact in text
    ]
    fits = (call for key, (call, told) in again.items() if key not in fetched and any(text in told for text in texts))
    return next(fits, None)


def _before(script: Script, turn: int, recall: Recall) -> dict[str, str]:
    facts = (fact for fact in script.scenario.facts if fact.needed == turn + 1)
    return {fact.value: old for fact in facts for old in fact.stale if recall.stands(old)}


def _tempted(script: Script, turn: int, recall: Recall) -> tuple[ToolCall, ...]:
    """What a model does that no longer sees the rule against it."""
    rules = (fact for fact in script.scenario.facts if fact.kind == "rule" and fact.needed == turn + 1)
    if not any(recall.lost(rule.value) for rule in rules):
        return ()
    tempting = script.scenario.turns[turn].expect.forbid[0]
    arguments = json.dumps(example_of(dict(tempting.arguments or {})), ensure_ascii=False)
    return (ToolCall("", tempting.name, arguments),)
