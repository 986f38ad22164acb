"""Plays rules over the view that is carried from step to step: what was done to it stays done.

At every step the new messages enter through each rule; then each rule whose trigger fires may act, in order. An action
that frees less than `min_reclaim` is not done.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from agenteval.context.carried import Carried
from agenteval.context.items import Items, Notes, annotated, entered, messages_of, newest_group
from agenteval.context.policy import Action, Budget, Count, ModelReply, ModelRequest, PolicyReport, State, View
from agenteval.context.rule import Changed, Rejected, Rule, Sight, Wanted
from agenteval.context.trigger import Trigger
from agenteval.context.words import text_tokens
from agenteval.messages import Message, ToolCall, ToolSpec, Transcript


@dataclass(frozen=True, slots=True)
class Held:
    """What is carried: how much of the transcript has entered, the view; by rule its memory, the last turn of action
    and whether that missed the target. `entry`: the same before any rule acted, where rules decide anew each time."""

    seen: int
    view: Carried
    notes: Notes
    memory: tuple[Any, ...]
    acted: tuple[int | None, ...]
    missed: tuple[bool, ...]
    turn: int = 0
    entry: Held | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """One step under way. `tokens`: before anything was done and now, as far as counted."""

    held: Held
    transcript: Transcript
    budget: Budget
    count: Count
    at: int = 0
    before: int | None = None
    after: int | None = None
    actions: tuple[Action, ...] = ()
    cause: str = ""
    live: Items = ()
    rejected: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    otherwise: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A policy of one rule or several."""

    rules: tuple[Rule, ...]

    @property
    def name(self) -> str:
        return "+".join(rule.name for rule in self.rules)

    @property
    def tools(self) -> tuple[ToolSpec, ...]:
        return tuple(tool for rule in self._parts for tool in rule.tools)

    @property
    def _parts(self) -> tuple[Rule, ...]:
        return tuple(part for rule in self.rules for part in rule.rules())

    def begin(self) -> State:
        parts = self._parts
        return Held(
            0, Carried(), Notes(), tuple(rule.start() for rule in parts), (None,) * len(parts), (False,) * len(parts)
        )

    def step(self, transcript: Transcript, state: State, budget: Budget, count: Count) -> View | ModelRequest:
        held: Held = state
        if all(rule.sticky for rule in self._parts):
            return self._play(self._enter(Work(held, transcript, budget, count)))
        before = replace(held.entry or held, acted=held.acted, missed=held.missed)
        work = self._enter(Work(before, transcript, budget, count))
        return self._play(replace(work, held=replace(work.held, entry=work.held)))

    def resume(self, state: State, reply: ModelReply) -> View | ModelRequest:
        work: Work = state
        rule = self._parts[work.at]
        outcome = rule.answer(self._sight(work), reply)
        return self._play(replace(self._taken(work, outcome, work.cause), at=work.at + 1))

    def recall(self, call: ToolCall, transcript: Transcript, state: State) -> str:
        for rule, memory in zip(self._parts, state.memory, strict=True):
            if any(tool.name == call.name for tool in rule.tools):
                return rule.recall(call, transcript, memory)
        raise AssertionError(f"no rule offers {call.name}")

    def _enter(self, work: Work) -> Work:
        held = work.held
        new = entered(work.transcript, held.seen, work.budget.tools)
        goal = next((m.content or "" for m in work.transcript if m.role == "user"), "")
        memory, turn, taken = list(held.memory), held.turn, []
        names: dict[str, None] = {}
        for item in new:
            turn += item.message.role == "user"
            for at, rule in enumerate(self._parts):
                was = item.message
                item, memory[at] = rule.enter(item, memory[at], turn, goal)
                if item.message is not was:
                    names[rule.name] = None
            taken.append(item)
        earlier, view = held.view, held.view.grown(tuple(taken), work.transcript)
        held = replace(held, seen=len(work.transcript), view=view, memory=tuple(memory), turn=turn, entry=None)
        work = replace(work, held=held, live=view.items)
        if not names:
            return work
        before = work.count(earlier.messages + messages_of(new))
        after = work.count(view.messages)
        return replace(
            work,
            before=before,
            after=after,
            actions=tuple(
                Action(name, "a message entered", "rewrote it as it entered", before, after) for name in names
            ),
            removed=tuple(
                item.message.tool_call_id
                for item, entered_as in zip(new, taken, strict=True)
                if item.message.tool_call_id and entered_as.message is not item.message
            ),
            otherwise=tuple(item.otherwise for item in taken if item.otherwise),
        )

    def _play(self, work: Work) -> View | ModelRequest:
        for at in range(work.at, len(self._parts)):
            rule = self._parts[at]
            work = replace(work, at=at)
            if not (cause := self._cause(rule, work)):
                continue
            outcome = rule.act(self._sight(work))
            if isinstance(outcome, Wanted):
                memory = _at(work.held.memory, at, outcome.memory)
                waiting = replace(work, cause=cause, held=replace(work.held, memory=memory))
                return ModelRequest(outcome.messages, outcome.max_tokens, waiting, outcome.offers_tools)
            work = self._taken(work, outcome, cause)
        return self._view(work)

    def _sight(self, work: Work) -> Sight:
        held, rule = work.held, self._parts[work.at]
        count = counted_by(rule.count, work.count)
        memory = held.memory[work.at]
        view = held.view
        return Sight(
            items=view.items,
            notes=held.notes,
            memory=memory,
            transcript=work.transcript,
            budget=work.budget,
            count=count,
            turn=held.turn,
            live=work.live,
            messages=view.messages,
            least=least(rule, missed=held.missed[work.at]),
        )

    def _cause(self, rule: Rule, work: Work) -> str:
        """Why a rule may act now; empty if it may not."""
        last = work.held.acted[work.at]
        if last is not None and rule.cooldown_turns and work.held.turn - last < rule.cooldown_turns:
            return ""
        return cause_of(rule.trigger, self._sight(work))

    def _taken(self, work: Work, outcome: Changed | Rejected | None, cause: str) -> Work:
        """The work after a rule's outcome, if that makes progress."""
        if outcome is None:
            return work
        rule, held = self._parts[work.at], work.held
        memory = _at(held.memory, work.at, outcome.memory)
        if isinstance(outcome, Rejected):
            told = f"{rule.name}: {outcome.why}"
            return replace(work, held=replace(held, memory=memory), rejected=(*work.rejected, told))
        if outcome.items is held.view.items:
            return replace(work, held=replace(held, memory=memory))
        items = annotated(outcome.items, work.transcript, outcome.notes)
        view, removed = held.view.turned(items, work.transcript)
        count = counted_by(rule.count, work.count)
        before, after = count(held.view.messages), count(view.messages)
        wanted = least(rule, missed=held.missed[work.at])
        if not rule.adds and before - after < wanted:
            told = f"would free {before - after} tokens, fewer than {_in_words(wanted, rule)}"
            told = told if before >= after else f"would make the prompt {after - before} tokens longer"
            memory = _at(held.memory, work.at, rule.in_vain(held.memory[work.at]))
            rejected = (*work.rejected, f"{rule.name}: {told}")
            return replace(work, held=replace(held, memory=memory), rejected=rejected)
        high = rule.trigger.tokens if cause.endswith(" tokens") else None
        low = rule.target if high is not None else None
        acted = _at(held.acted, work.at, held.turn)
        missed = _at(held.missed, work.at, low is not None and after > low)
        return replace(
            work,
            held=replace(held, view=view, notes=outcome.notes, memory=memory, acted=acted, missed=missed),
            before=before if work.before is None else work.before,
            after=after,
            actions=(*work.actions, Action(rule.name, cause, outcome.wrote, before, after, high, low)),
            removed=(*work.removed, *removed),
        )

    def _view(self, work: Work) -> View:
        view, transcript = work.held.view, work.transcript
        marks = [action.target for action in work.actions if action.target is not None]
        over = work.after - min(marks) if marks and work.after is not None else 0
        report = PolicyReport(
            acted=bool(work.actions),
            policy=self.name,
            tokens_before=work.before,
            tokens_after=work.after,
            first_changed=view.first,
            dropped_messages=len(transcript) - len(view.items),
            changed_messages=view.changed,
            removed_ids=tuple(dict.fromkeys(work.removed)),
            actions=work.actions,
            rejected=work.rejected,
            missed_target=over if over > 0 else None,
            otherwise=work.otherwise,
        )
        return View(transcript if view.first is None else view.messages, work.held, report)


def least(rule: Rule, *, missed: bool) -> int:
    """Tokens that an action has to free. Where the last one could not get down to the target, the next one would follow
    at the next step, at the cost of the prefix cache: it waits until it frees half of what lies between the marks."""
    high, low = rule.trigger.tokens, rule.target
    rests = missed and rule.sticky and high is not None and low is not None
    return max(rule.min_reclaim, 1, (high - low) // RESTS if rests else 0)  # type: ignore[operator]


RESTS = 2


def _in_words(wanted: int, rule: Rule) -> str:
    """What an action had to free, by the knob that asks for it."""
    asked = max(rule.min_reclaim, 1)
    return f"min_reclaim={asked}" if wanted == asked else f"the {wanted} that it waits for since it missed its target"


def cause_of(trigger: Trigger, sight: Sight) -> str:
    """What of a trigger fires, in words; empty if nothing does."""
    if trigger.always:
        return "always"
    if trigger.tokens is not None and (tokens := sight.tokens()) > trigger.tokens:
        return f"{tokens} of {trigger.tokens} tokens"
    if trigger.turns is not None:
        turns = sum(item.message.role == "user" for item in sight.items)
        if turns > trigger.turns:
            return f"{turns} of {trigger.turns} turns"
    if trigger.tool_uses is not None:
        uses = sum(item.message.role == "tool" and not item.done for item in sight.items)
        if uses > trigger.tool_uses:
            return f"{uses} of {trigger.tool_uses} tool uses"
    if trigger.on_error and any(item.failed for item in sight.items[newest_group(sight.items) :]):
        return "an error"
    return ""


def counted_by(who: str, count: Count) -> Count:
    """How a rule counts. Local counts take what tools and template cost from the run's own."""
    if who == "server":
        return count

    def local(messages: Transcript) -> int:
        texts = (text for message in messages for text in _texts(message))
        said = sum(map(text_tokens, texts)) if who == "tokenizer" else sum(map(len, texts)) // 4
        return said + 4 * len(messages) + count(messages[:1])

    return local


def _texts(message: Message) -> tuple[str, ...]:
    calls = tuple(f"{call.name}{call.arguments_text}" for call in message.tool_calls)
    return (message.content or "", message.reasoning or "", *calls)


def _at(values: tuple[Any, ...], at: int, value: Any) -> tuple[Any, ...]:
    return (*values[:at], value, *values[at + 1 :])
