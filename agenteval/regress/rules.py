"""What must hold of any parser's answers, whatever the reply says. Each rule names what is wrong, if anything is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from agenteval.parsers import CallDelta, Delta, Family, ParsedMessage
from agenteval.regress.likeness import is_json
from agenteval.regress.subject import Stream

MOST_HELD = 100
"""Characters of arguments that a parser may keep for itself: some give a short value as a whole."""


def protocol_flaw(deltas: Sequence[Delta], *, exact: bool = True) -> str | None:
    """The OpenAI stream contract: name once and first, indices from 0 in order of appearance, calls one after the
    other, nothing empty. Not exactly: empty text only where a call follows (some clients end the turn there,
    sglang#29441)."""
    latest = -1
    for number, delta in enumerate(deltas):
        if not isinstance(delta, CallDelta):
            if not delta.text and (exact or any(isinstance(later, CallDelta) for later in deltas[number:])):
                return "an empty text delta" if exact else "an empty text delta before a call's"
        elif delta.index > latest + 1 or delta.index < 0:
            return f"call {delta.index} comes after call {latest}"
        elif delta.index < latest:
            return f"call {delta.index} goes on after call {latest} began"
        elif delta.index == latest + 1:
            if not delta.name:
                return f"call {delta.index} begins without a name"
            latest = delta.index
        elif delta.name is not None:
            return f"call {delta.index} gets a name twice: {delta.name!r}"
        elif exact and not delta.arguments:
            return "an empty call delta"
    return None


def marker_flaw(family: Family, message: ParsedMessage) -> str | None:
    """No special string stands in content, reasoning or names."""
    places = [("content", message.content), ("reasoning", message.reasoning)]
    places += [("a name", call.name) for call in message.calls]
    for where, text in places:
        for marker in family.markers:
            if marker in text:
                return f"{marker} stands in {where}"
    return None


def finish_flaw(stream: Stream) -> str | None:
    """A finish reason, where one is given, says `tool_calls` if there are calls, and only then."""
    if stream.finish_reason is None or (stream.finish_reason == "tool_calls") == bool(stream.message.calls):
        return None
    return f"finish reason {stream.finish_reason}, {len(stream.message.calls)} calls"


def invention_flaw(part: ParsedMessage, whole: ParsedMessage) -> str | None:
    """A cut reply has no calls but those of the whole, and no arguments that only look complete."""
    if len(part.calls) > len(whole.calls):
        return f"{len(part.calls)} calls, {len(whole.calls)} in the whole reply as it reads that"
    for cut, call in zip(part.calls, whole.calls, strict=False):
        if cut.name != call.name:
            return f"a call of {cut.name!r}, which is {call.name!r} in the whole reply"
        if cut.arguments_text != call.arguments_text and is_json(cut.arguments_text):
            return f"arguments that look complete: {cut.arguments_text}, {call.arguments_text} in the whole reply"
    return None


def lost_words_flaw(family: Family, part: ParsedMessage, whole: ParsedMessage) -> str | None:
    """What a cut reply says, the whole one says too, but for a marker's beginning at its end."""
    if not whole.content.startswith(without_open_end(family, part.content).rstrip()):
        return f"content {part.content!r} is not what the whole reply says"
    if not whole.reasoning.startswith(without_open_end(family, part.reasoning)):
        return f"reasoning {part.reasoning!r} is not what the whole reply says"
    return None


def held_back_flaw(family: Family, text: str, given: Stream, *, exact: bool) -> str | None:
    """Before the end, no more is withheld than a marker's beginning and the newlines that frame it. `given`: the text
    in one feed. To the letter: nothing at all where the text ends with no such beginning."""
    said, end = Stream(given.feeds[:-1]).message, given.message
    for what, now, then in (("reasoning", said.reasoning, end.reasoning), ("content", said.content, end.content)):
        if not then.startswith(now):
            return f"{what} {now!r} is taken back: {then!r}"
        if len(then[len(now) :].strip()) >= longest_marker(family):
            return f"{what} {then[len(now) :]!r} comes only at the end"
    if exact and not open_end(family, text):
        if said.reasoning != end.reasoning:
            return f"reasoning {end.reasoning[len(said.reasoning) :]!r} is withheld"
        if said.content != end.content and not end.content.isspace():
            return f"content {end.content[len(said.content) :]!r} is withheld"
    return None


def held_calls_flaw(given: Stream, ours: Stream) -> str | None:
    """Before the end, a call behind which another one began is given, and the arguments of the last one as far as they
    came, but for so many characters. `ours`: what our own parser says to the same pieces."""
    said, end = Stream(given.feeds[:-1]).message.calls, given.message.calls
    before = Stream(ours.feeds[:-1]).message.calls
    for index, call in enumerate(before[: len(end)]):
        now = said[index].arguments_text if index < len(said) else ""
        last, late = index == len(before) - 1, len(end[index].arguments_text) - len(now)
        if not last and (index >= len(said) or late > 0):
            return f"call {index} comes only at the end, though another one began behind it"
        if last and late > MOST_HELD and len(call.arguments_text) - len(now) > MOST_HELD:
            return f"{late} characters of arguments come only at the end"
    return None


def open_end(family: Family, text: str) -> int:
    """How many characters at the end of a text are the beginning of a marker, with the newlines that frame it."""
    known, longest = _beginnings((*family.markers, *family.tags))
    marker = next((size for size in range(min(longest, len(text)), 0, -1) if text[-size:] in known), 0)
    ahead = text[: len(text) - marker]
    newlines = len(ahead) - len(ahead.rstrip("\n"))
    return marker + min(newlines, max(family.framing.thought, family.framing.call))


@cache
def _beginnings(markers: tuple[str, ...]) -> tuple[frozenset[str], int]:
    """Every beginning of a marker, and the length of the longest."""
    found = frozenset(marker[:size] for marker in markers for size in range(1, len(marker)))
    return found, max(map(len, found), default=0)


def without_open_end(family: Family, text: str) -> str:
    return text[: len(text) - open_end(family, text)]


def longest_marker(family: Family) -> int:
    """In characters, with the newlines that frame it."""
    strings = (*family.markers, *family.tags)
    return max(map(len, strings)) + max(family.framing.thought, family.framing.call)
