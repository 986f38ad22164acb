"""Plays a reducer over conversations, step by step as an agent would, and judges every view by every rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from agenteval.conformance.generate import RULES, TOOLS, conversation
from agenteval.conformance.invariants import INVARIANTS, Invariant
from agenteval.conformance.seen import Seen, origins_of
from agenteval.context import Budget, Count, ModelReply, ModelRequest, Pipeline, Policy, Reducer, View, reduced
from agenteval.messages import Message, Transcript
from agenteval.tokens import vocabulary

Summariser = Callable[[ModelRequest], ModelReply]
RULE_STARTS = tuple(rule.partition("{n}")[0] for rule in RULES)


@dataclass(frozen=True, slots=True)
class Judged:
    """How one rule fared over `tried` views: how many broke it, and the shortest history that did. `tried` 0: it cannot
    be judged here."""

    invariant: Invariant
    tried: int = 0
    broken: int = 0
    complaint: str | None = None
    history: Transcript = ()

    def seen(self, complaint: str | None, history: Transcript) -> Judged:
        if complaint is None:
            return replace(self, tried=self.tried + 1)
        shorter = not self.history or len(history) < len(self.history)
        now = replace(self, complaint=complaint, history=history) if shorter else self
        return replace(now, tried=self.tried + 1, broken=self.broken + 1)


def check_reducer(
    reduce: Reducer, *, transcripts: int = 60, seed: int = 0, target: int | None = None, turns: int = 6
) -> tuple[Judged, ...]:
    """Judge a plain function over generated conversations. Its exceptions are its user's to see."""
    rng = Random(seed)
    found = tuple(Judged(invariant) for invariant in INVARIANTS)
    for _ in range(transcripts):
        for seen in reducer_views(reduce, conversation(rng, turns=turns), target):
            found = tuple(_judged(item, seen) for item in found)
    return found


def check_policy(
    policy: Policy, transcript: Transcript, *, count: Count | None = None, summarise: Summariser | None = None
) -> Iterator[tuple[Invariant, Seen, str]]:
    """Every breach of a rule while a policy plays over one conversation."""
    for seen in policy_views(policy, transcript, count or plain_count, summarise):
        for invariant in INVARIANTS:
            if complaint := invariant.complaint(seen):
                yield invariant, seen, complaint


def policy_views(
    policy: Policy, transcript: Transcript, count: Count, summarise: Summariser | None = None
) -> Iterator[Seen]:
    """The views at every point where a request would be made, with the state carried along, played twice."""
    state, other, before = policy.begin(), policy.begin(), None
    parts = [part for rule in policy.rules for part in rule.rules()] if isinstance(policy, Pipeline) else []
    for history in requests(transcript):
        marks = tuple(map(id, history)), hash(history)
        asked: list[Transcript] = []
        view = _view(policy, history, state, count, summarise, asked)
        again = _view(policy, history, other, count, summarise, [])
        state, other = view.state, again.state
        before = Seen(
            history=history,
            view=view.messages,
            again=again.messages,
            untouched=marks == (tuple(map(id, history)), hash(history)),
            tokens=(count(history), count(view.messages)),
            rules=rules_said(history),
            report=view.report,
            before=before,
            asked=tuple(asked),
            adds=any(rule.adds for rule in parts),
            controls=not all(rule.sticky for rule in parts),
            tools=TOOLS,
            origins=origins_of(history, view.messages),
        )
        yield before


def reducer_views(reduce: Reducer, transcript: Transcript, target: int | None) -> Iterator[Seen]:
    before: Seen | None = None
    for history in requests(transcript):
        view, again, untouched = _reduced(reduce, history)
        before = Seen(
            history=history,
            view=view,
            again=again,
            untouched=untouched,
            tokens=(plain_count(history), plain_count(view)),
            rules=rules_said(history),
            before=before,
            target=target,
            tools=TOOLS,
            origins=origins_of(history, view),
        )
        yield before


def _reduced(reduce: Reducer, history: Transcript) -> tuple[Transcript, Transcript, bool]:
    touched: list[bool] = []

    def watched(messages: list[dict[str, object]]) -> Sequence[dict[str, object]]:
        told = repr(messages)
        answer = reduce(messages)
        touched.append(repr(messages) != told)
        return answer

    view = reduced(watched, history, "the function")
    again = reduced(watched, history, "the function")
    return view, again, not any(touched)


def _view(
    policy: Policy,
    history: Transcript,
    state: object,
    count: Count,
    summarise: Summariser | None,
    asked: list[Transcript],
) -> View:
    outcome = policy.step(history, state, Budget(tools=TOOLS), count)
    while isinstance(outcome, ModelRequest):
        asked.append(outcome.messages)
        outcome = policy.resume(outcome.state, (summarise or good_summary)(outcome))
    return outcome


def good_summary(request: ModelRequest) -> ModelReply:
    """What a model might answer that was asked for a summary."""
    return ModelReply(f"Goal: deliveries. Done: {len(request.messages)} messages read.", "stop")


def requests(transcript: Transcript) -> Iterator[Transcript]:
    """The histories at which a model would be asked: after a user's message, after the last result of a group."""
    for end in range(2, len(transcript) + 1):
        whole = end == len(transcript) or transcript[end].role != "tool"
        if transcript[end - 1].role in ("user", "tool") and whole:
            yield transcript[:end]


def rules_said(history: Transcript) -> tuple[str, ...]:
    """The rules of generated conversations that users have given so far."""
    said = [message.content or "" for message in history if message.role == "user"]
    return tuple(text[text.index(start) :] for text in said for start in RULE_STARTS if start in text)


def plain_count(messages: Transcript) -> int:
    """Tokens (o200k) of texts, thoughts and calls, and four a message for a template."""
    words = vocabulary()
    return sum(_tokens(words.count, message) for message in messages)


def _tokens(count: Callable[[str], int], message: Message) -> int:
    said = count(message.content or "") + count(message.reasoning or "") + 4
    return said + sum(count(call.name) + count(call.arguments_text) for call in message.tool_calls)


def _judged(item: Judged, seen: Seen) -> Judged:
    if item.invariant.needs_report and seen.report is None:
        return item
    if item.invariant.id == "I17" and seen.report is None and seen.target is None:
        return item
    return item.seen(item.invariant.complaint(seen), seen.history)


def told(name: str, found: Sequence[Judged]) -> str:
    """The result in words, one line a rule, broken ones with the shortest history that showed it."""
    views = max((item.tried for item in found), default=0)
    broken = [item for item in found if item.broken]
    lines = [f"{name}: {len(broken)} of {len(found)} rules broken, over {views} generated histories"]
    for item in found:
        rule = f"{item.invariant.id:>4}  {item.invariant.rule}"
        if not item.tried:
            lines.append(f"{rule}: not judged")
        elif not item.broken:
            lines.append(f"{rule}: holds")
        else:
            shape = " ".join(_shape(message) for message in item.history)
            lines.append(f"{rule}: BROKEN in {item.broken} of {item.tried}")
            lines.append(f"      {item.complaint}; shortest history: {shape}")
    return "\n".join(lines)


def _shape(message: Message) -> str:
    letter = message.role[0].upper() if message.role != "tool" else "r"
    return f"{letter}({len(message.tool_calls)})" if message.tool_calls else letter
