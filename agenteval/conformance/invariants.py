"""The rules I1 to I24, each as a function from what was seen to a complaint, None if it holds.

A rule that needs a report is not judged for a plain function, which has none.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from agenteval.canonical import JsonProblem, parse_json
from agenteval.conformance.seen import Seen, between, freed
from agenteval.context.words import plain
from agenteval.messages import Message, ToolCall, last_user_index

_TOLD = re.compile(
    r"harness|summary|summari[sz]ed|removed|omitted|truncated|cleared|trimmed|compacted|ledger", re.IGNORECASE
)
_BACK = re.compile(r"again|recall|handle|newer|earlier|later|below|above|narrower", re.IGNORECASE)
_INVITES = re.compile(
    r"\b(?:call|use|run|invoke|repeat|ask)\b(?:(?!\b(?:not|was)\b)[^.;\n]){0,80}\bagain\b", re.IGNORECASE
)
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d|\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
OFTEN, LEAST_STEPS = 0.5, 8
"""A view that is rewritten at more than this share of at least so many steps is rewritten all the time."""


@dataclass(frozen=True, slots=True)
class Invariant:
    """`needs_report`: cannot be judged of a plain function."""

    id: str
    rule: str
    complaint: Callable[[Seen], str | None]
    needs_report: bool = False


def pure(seen: Seen) -> str | None:
    if not seen.untouched:
        return "the history was changed in place"
    return None if seen.view == seen.again else "the same history gave another view the second time"


def pairs(seen: Seen) -> str | None:
    open_ids: list[str] = []
    for at, message in enumerate(seen.view):
        if message.role == "tool":
            if message.tool_call_id not in open_ids:
                return f"message {at}: the result of {message.tool_call_id} does not follow its call"
            open_ids.remove(message.tool_call_id)
        elif open_ids:
            return f"message {at}: the call {open_ids[0]} before it has no result"
        else:
            open_ids = [call.id for call in message.tool_calls]
    return f"the call {open_ids[0]} has no result" if open_ids else None


def groups(seen: Seen) -> str | None:
    calls = {call.id for message in seen.view for call in message.tool_calls}
    results = {message.tool_call_id for message in seen.view if message.tool_call_id}
    for message in seen.history:
        ids = {call.id for call in message.tool_calls}
        if ids and (0 < len(ids & calls) < len(ids) or 0 < len(ids & results) < len(ids)):
            return (
                f"only {len(ids & calls)} calls and {len(ids & results)} results of {len(ids)} parallel calls are left"
            )
    return None


def ids(seen: Seen) -> str | None:
    made = [call.id for message in seen.view for call in message.tool_calls]
    answered = [message.tool_call_id for message in seen.view if message.tool_call_id]
    for found, what in ((made, "call"), (answered, "result")):
        if twice := next((name for name in found if found.count(name) > 1), None):
            return f"the {what} {twice} stands there twice"
    known = {call.id for message in seen.history for call in message.tool_calls}
    strange = next((name for name in (*made, *answered) if name not in known), None)
    return None if strange is None else f"the id {strange} stands nowhere in the history"


def system(seen: Seen) -> str | None:
    wanted = [message for message in seen.history[:1] if message.role == "system"]
    if not wanted:
        return None
    if not seen.view or seen.view[0].role != "system":
        return "the system prompt is gone or not first"
    return None if seen.view[0].content == wanted[0].content else "the system prompt was changed"


def goal(seen: Seen) -> str | None:
    first = next((message.content for message in seen.history if message.role == "user"), None)
    stands = first is None or any(first in (message.content or "") for message in seen.view if message.role == "user")
    return None if stands else "the first user message, the goal, is gone"


def constraints(seen: Seen) -> str | None:
    lost = next((r for r in seen.rules if not any(r in (m.content or "") for m in seen.view)), None)
    return None if lost is None else f"a rule of the user is gone: {lost!r}"


def ends(seen: Seen) -> str | None:
    if not seen.view:
        return "nothing is left"
    return f"it ends with a message of the {seen.view[-1].role}" if seen.view[-1].role not in ("user", "tool") else None


def begins(seen: Seen) -> str | None:
    first = next((message.role for message in seen.view if message.role != "system"), None)
    return None if first == "user" else f"the first message after the system prompt is {first or 'missing'}"


def content(seen: Seen) -> str | None:
    for at, message in enumerate(seen.view):
        was = seen.origin(at)
        if message.tool_calls and message.content is None and was is not None and was.content is not None:
            return f"message {at}: content with calls became null"
    return None


def objects(seen: Seen) -> str | None:
    known = {call.id: call for message in seen.history for call in message.tool_calls}
    for message in seen.view:
        for call in message.tool_calls:
            if _is_object(known[call.id].arguments_text if call.id in known else "{}") and not _is_object(
                call.arguments_text
            ):
                return f"the arguments of {call.id} are no JSON object any more"
    return None


def verbatim(seen: Seen) -> str | None:
    known = {call.id: call for message in seen.history for call in message.tool_calls}
    changed = next((c.id for m in seen.view for c in m.tool_calls if c.id in known and c != known[c.id]), None)
    return None if changed is None else f"the call {changed} was spelled anew"


def reasoning(seen: Seen) -> str | None:
    newest = last_user_index(seen.view)
    for at, message in enumerate(seen.view):
        was = seen.origin(at)
        if was is None or message.role != "assistant" or message.reasoning == was.reasoning:
            continue
        if message.reasoning is not None:
            return f"message {at}: its reasoning was edited"
        if at > newest:
            return f"message {at}: reasoning inside the open tool loop is gone"
    return None


def no_markup(seen: Seen) -> str | None:
    for message, text in seen.added():
        if message.role != "tool" and plain(text) != text:
            return "added text holds a model's markup, which may be taken for a call or a role"
    return None


def a_pair_stays(seen: Seen) -> str | None:
    """After something was replaced by text: while the history holds a complete call, the view holds one as it was."""
    replaced = len(seen.view) < len(seen.history) and any(m.role != "tool" for m, _ in seen.added())
    if not replaced or not any(message.tool_calls for message in seen.history):
        return None
    native = any(
        message.tool_calls and _calls_of(seen.origin(at)) == message.tool_calls for at, message in enumerate(seen.view)
    )
    return None if native else "no call is left as the model wrote it"


def labelled(seen: Seen) -> str | None:
    for message, text in seen.added():
        if message.role != "tool" and text.strip() and not _TOLD.search(text):
            return f"added text in the name of the {message.role} is not labelled as generated: {text[:60]!r}"
    return None


def target(seen: Seen) -> str | None:
    if seen.report is not None:
        marks = [action.target for action in seen.report.actions if action.target is not None]
        over = (seen.report.tokens_after or 0) - min(marks) if marks else 0
        missing = over > 0 and seen.report.missed_target is None
        return f"{over} tokens over the target, and the report does not say so" if missing else None
    if seen.target is not None and seen.tokens[1] > seen.target:
        return f"{seen.tokens[1]} tokens are more than the target of {seen.target}"
    return None


def progress(seen: Seen) -> str | None:
    if seen.adds or seen.view == seen.history:
        return None
    if seen.report is not None:
        idle = next(
            (a for a in seen.report.actions if a.after is not None and a.before is not None and a.after >= a.before),
            None,
        )
        return None if idle is None else f"{idle.rule} acted and freed nothing ({idle.before} → {idle.after} tokens)"
    return None if seen.tokens[1] < seen.tokens[0] else "the view is another one and no smaller"


def hysteresis(seen: Seen) -> str | None:
    if seen.controls:
        return None
    if seen.report is not None:
        return _restless(seen)
    if seen.steps >= LEAST_STEPS and seen.breaks > OFTEN * seen.steps:
        return (
            f"the view was rewritten at {seen.breaks} of {seen.steps} steps, each time at the cost of the prefix cache"
        )
    return None


def _restless(seen: Seen) -> str | None:
    """Of rules with marks: they act above the high one; then they rest, since the target was met, or since so little
    can be freed. An action that frees as much as lies between the marks has its reason in what was added."""
    for action in seen.marked:
        if (action.before or 0) <= (action.above or 0):
            return f"{action.rule} acted at {action.before} tokens, below its mark of {action.above}"
        last = seen.last(action.rule)
        missed = last is not None and (last.after or 0) > (last.target or 0)
        if missed and 2 * freed(action) + 1 < between(action):
            return f"{action.rule} had missed its target, and acted again for {freed(action)} tokens"
    if seen.steps >= LEAST_STEPS and seen.small_acts > OFTEN * seen.steps:
        return f"at {seen.small_acts} of {seen.steps} steps it acted for less than lies between its marks"
    return None


def sticky(seen: Seen) -> str | None:
    if seen.before is None or seen.controls:
        return None
    then, now = set(map(id, seen.before.view)), set(map(id, seen.view))
    back = next((at for at, m in enumerate(seen.before.history) if id(m) not in then and id(m) in now), None)
    return None if back is None else f"message {back} was gone or altered, and is back as it was"


def placeholders(seen: Seen) -> str | None:
    for message, text in seen.added():
        if message.role != "tool":
            continue
        if _same_json(message, seen):
            continue
        if not _TOLD.search(text):
            return f"an altered result does not say that the harness removed something: {text[:60]!r}"
        tool = seen.tool_of(message)
        if tool is not None and not tool.read_only and (invited := _INVITES.search(text)):
            return f"{tool.name} acts, and its result's place invites another call: {invited[0][:60]!r}"
        if tool is not None and tool.read_only and not _BACK.search(text):
            return f"an altered result does not say how to get the rest back: {text[:60]!r}"
    return None


def summarised(seen: Seen) -> str | None:
    """All that gives way at this step was shown to the model that was asked, as the view had it or as it once was."""
    if not seen.asked or seen.before is None or seen.report is None or not seen.report.acted:
        return None
    kept = set(map(id, seen.view))
    shown = "\n".join(_texts(message) for asked in seen.asked for message in asked)
    for at, message in enumerate(seen.before.view):
        texts = [it.content or "" for it in (message, seen.before.origin(at)) if it is not None]
        if id(message) not in kept and not any(text in shown or plain(text) in shown for text in texts):
            return f"the summariser never saw what it replaces: {texts[0][:60]!r}"
    return None


def timeless(seen: Seen) -> str | None:
    known = "\n".join(map(_texts, seen.history))
    for _, text in seen.added():
        found = _TIME.search(text)
        if found and found[0] not in known:
            return f"a time or a random id stands in the view: {found[0]}"
    return None


def reported(seen: Seen) -> str | None:
    report = seen.report
    if report is None:
        return None
    first = next((at for at, (a, b) in enumerate(zip(seen.view, seen.history, strict=False)) if a is not b), None)
    if first is None and len(seen.view) != len(seen.history):
        first = min(len(seen.view), len(seen.history))
    if report.first_changed != first:
        return f"first_changed is {report.first_changed}, but the view differs from {first} on"
    last = seen.before.view if seen.before else ()
    new = seen.history[len(seen.before.history) :] if seen.before else seen.history
    appended = tuple(map(id, seen.view)) == tuple(map(id, (*last, *new)))
    if not appended and not report.acted and not seen.controls:
        return "the view was rewritten without a report of it"
    if report.acted and (not report.policy or report.tokens_before is None or report.tokens_after is None):
        return "an action without its tokens before and after"
    return None


def _calls_of(message: Message | None) -> tuple[ToolCall, ...]:
    return message.tool_calls if message else ()


def _same_json(message: Message, seen: Seen) -> bool:
    """Whether an altered result is the same JSON, spelled shorter."""
    was = next((m.content for m in seen.history if m.tool_call_id == message.tool_call_id), None)
    try:
        return bool(parse_json(message.content or "") == parse_json(was or ""))
    except JsonProblem:
        return False


def _is_object(text: str) -> bool:
    try:
        return isinstance(parse_json(text), dict)
    except JsonProblem:
        return False


def _texts(message: Message) -> str:
    calls = " ".join(call.arguments_text for call in message.tool_calls)
    return f"{message.content or ''} {calls}"


INVARIANTS: tuple[Invariant, ...] = (
    Invariant("I1", "a pure view: the history is not touched, the same input gives the same view", pure),
    Invariant("I2", "every call has one result right behind it, every result its call", pairs),
    Invariant("I3", "parallel calls stand or fall together", groups),
    Invariant("I4", "ids stay as they are, none twice", ids),
    Invariant("I5", "the system prompt is first and as it was", system),
    Invariant("I6", "the goal is kept verbatim", goal),
    Invariant("I7", "what the user forbade is kept verbatim", constraints),
    Invariant("I8", "the view ends where the model has to speak", ends),
    Invariant("I9", "the first message after the system prompt is a user's", begins),
    Invariant("I10", "content beside calls does not become null", content),
    Invariant("I11", "arguments stay JSON objects", objects),
    Invariant("I12", "arguments are not spelled anew", verbatim),
    Invariant("I13", "reasoning inside the open tool loop stays, and none is edited", reasoning),
    Invariant("I14", "added text holds no markup of calls or roles", no_markup),
    Invariant("I15", "beside a summary at least one call stays, as the model wrote it", a_pair_stays),
    Invariant("I16", "added text is labelled as generated", labelled),
    Invariant("I17", "the target is met, or the report says that it was not", target),
    Invariant("I18", "an action frees tokens", progress),
    Invariant("I19", "it acts above its high mark and then rests", hysteresis),
    Invariant("I20", "what is gone stays gone", sticky),
    Invariant("I21", "a placeholder says who removed what, and how to get it back", placeholders),
    Invariant("I22", "a summariser sees all that it replaces", summarised, needs_report=True),
    Invariant("I23", "no times and no random ids in the view", timeless),
    Invariant("I24", "every action is reported", reported, needs_report=True),
)
