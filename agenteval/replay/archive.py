"""Which recorded reply answers a request: found by what the request says, not by when it comes, so that many clients
may ask at once.

A request answers to a recorded one when their messages are the same: fields that are null count as absent, and ids of
calls by the place where each first stands, since a server draws them anew each time. Among several such, the one whose
other fields agree best; of recordings of the very same request the first, the next time the second, and in the end the
last again and again. A stream is never given for a whole reply, nor the other way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from agenteval.canonical import short_hash
from agenteval.store import Place

Body: TypeAlias = Mapping[str, Any]
Message: TypeAlias = Mapping[str, Any]

DIGITS = 24


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recorded reply: its step, where its frames are, and hashes of its request's fields beside the messages."""

    step: str
    place: Place
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Miss:
    """Nothing that was recorded answers a request; why not, in words that name the nearest. `known`: its messages are
    there, but not in the form that was asked for."""

    reason: str
    known: bool = False


class Archive:
    """The recorded replies of one run. `add` them in the order in which they came."""

    def __init__(self) -> None:
        self._by_messages: dict[str, list[Recorded]] = {}
        self._beginnings: dict[str, str] = {}
        self._given: Counter[tuple[str, str]] = Counter()
        self._links = Links()
        self.replies = 0

    def add(self, step: str, body: Body, place: Place) -> None:
        """A request, and where its reply is. A body without messages can answer nothing and is left out."""
        links = self._links.of(messages_of(body))
        if not links:
            return
        for link in links:
            self._beginnings.setdefault(link, step)
        self._by_messages.setdefault(links[-1], []).append(Recorded(step, place, _fields(body)))
        self.replies += 1

    def find(self, body: Body) -> Recorded | Miss:
        """The recorded reply to a request; each call counts as one time of asking."""
        messages = messages_of(body)
        links = Links().of(messages)
        alike = self._by_messages.get(links[-1], ()) if links else ()
        if not alike:
            return Miss(self._nearest(links, messages))
        fields = _fields(body)
        fitting = [item for item in alike if item.fields["stream"] == fields["stream"]]
        if not fitting:
            form = "as a whole" if _streams(body) else "as a stream"
            return Miss(f"the reply to these messages ({alike[0].step}) was recorded {form}", known=True)
        return self._next(links[-1], _best(fitting, fields))

    def _next(self, link: str, same: Sequence[Recorded]) -> Recorded:
        key = (link, short_hash(same[0].fields, DIGITS))
        place = min(self._given[key], len(same) - 1)
        self._given[key] += 1
        return same[place]

    def _nearest(self, links: Sequence[str], messages: Sequence[Message]) -> str:
        shared = next((n for n, link in enumerate(links) if link not in self._beginnings), len(links))
        if not shared:
            return "no recorded request begins with these messages"
        nearest = self._beginnings[links[shared - 1]]
        if shared == len(links):
            return f"no recorded request ends after these {shared} messages; {nearest} goes on from them"
        role = messages[shared].get("role")
        return (
            f"no recorded request holds these messages; the nearest, {nearest}, has the first {shared} of them, and "
            f"another one where message {shared + 1} (role {role}) stands"
        )


class Links:
    """Each message hashed together with all before it; what the next conversation shares is not hashed again."""

    def __init__(self) -> None:
        self._messages: Sequence[Message] = ()
        self._links: list[str] = []

    def of(self, messages: Sequence[Message]) -> list[str]:
        """One hash per message; equal where conversations are equal up to there."""
        shared = 0
        for old, new in zip(self._messages, messages, strict=False):
            if old is not new:
                break
            shared += 1
        links = self._links[:shared]
        names = CallNames()
        for place, message in enumerate(messages):
            named = names.in_place_of_ids(message)
            if place >= shared:
                links.append(short_hash([links[-1] if links else "", named], DIGITS))
        self._messages, self._links = messages, links
        return links


class CallNames:
    """Calls by the order in which their ids turn up in a conversation."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def in_place_of_ids(self, message: Message) -> dict[str, Any]:
        """A message without null fields, and with names in place of ids."""
        named = {key: value for key, value in message.items() if value is not None}
        if isinstance(calls := named.get("tool_calls"), list):
            named["tool_calls"] = [
                {**call, "id": self._name(call.get("id"))} for call in calls if isinstance(call, dict)
            ]
        if "tool_call_id" in named:
            named["tool_call_id"] = self._name(named["tool_call_id"])
        return named

    def _name(self, call_id: object) -> str:
        return self._names.setdefault(str(call_id), f"call {len(self._names) + 1}")


def messages_of(body: Body) -> list[Message]:
    """The messages of a request's body, those that are objects."""
    messages = body.get("messages")
    return [item for item in messages if isinstance(item, dict)] if isinstance(messages, list) else []


def _fields(body: Body) -> dict[str, str]:
    """Hashes of the fields beside the messages, by name."""
    found = {key: short_hash(value, DIGITS) for key, value in body.items() if key != "messages" and value is not None}
    return {**found, "stream": short_hash(_streams(body), DIGITS)}


def _streams(body: Body) -> bool:
    return body.get("stream") is True


def _best(fitting: Iterable[Recorded], fields: Mapping[str, str]) -> list[Recorded]:
    """Recordings of one and the same request: the one whose fields agree with most of these."""

    def agreement(item: Recorded) -> int:
        return len(item.fields.items() & fields.items()) - len(item.fields.keys() - fields.keys())

    fitting = list(fitting)
    best = max(fitting, key=agreement)
    return [item for item in fitting if item.fields == best.fields]
