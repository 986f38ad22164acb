"""The view as it is carried from step to step, with what is known of it: work per step goes with what is new."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import compress, count
from operator import is_not

from agenteval.context.items import Items, messages_of
from agenteval.messages import Transcript


@dataclass(frozen=True, slots=True)
class Carried:
    """Items and their messages. `first`: index of the first message of the transcript that the view lacks or alters,
    None if it is the transcript; `changed`: how many it alters."""

    items: Items = ()
    messages: Transcript = ()
    first: int | None = None
    changed: int = 0

    def grown(self, new: Items, transcript: Transcript) -> Carried:
        """With what has entered."""
        altered = [item.index for item in new if item.message is not transcript[item.index]]
        first = altered[0] if self.first is None and altered else self.first
        return Carried(self.items + new, self.messages + messages_of(new), first, self.changed + len(altered))

    def turned(self, items: Items, transcript: Transcript) -> tuple[Carried, tuple[str, ...]]:
        """With other items, and the ids of the calls whose result is gone or another one."""
        same = next(compress(count(), map(is_not, self.items, items)), min(len(self.items), len(items)))
        old, new = self.items[same:], items[same:]
        changed = self.changed - _altered(old, transcript) + _altered(new, transcript)
        first = self.first
        if first is None or first >= same:
            first = next(
                (at for at, item in enumerate(new, same) if item.index != at or item.message is not transcript[at]),
                len(items) if len(items) < len(transcript) else None,
            )
        kept = {item.index: item.message for item in new}
        gone = tuple(
            item.message.tool_call_id
            for item in old
            if item.message.tool_call_id and kept.get(item.index) is not item.message
        )
        return Carried(items, self.messages[:same] + messages_of(new), first, changed), gone


def _altered(items: Items, transcript: Transcript) -> int:
    return sum(item.message is not transcript[item.index] for item in items)
