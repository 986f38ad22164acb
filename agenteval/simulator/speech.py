"""From a request to prompt tokens, and from a message to the tokens that the model generates for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from agenteval.dialects import ALWAYS_THINKING
from agenteval.errors import UnrenderableError
from agenteval.messages import Message
from agenteval.parsers import FAMILIES
from agenteval.simulator.profiles import Profile
from agenteval.simulator.request import Received
from agenteval.tokens import vocabulary

FILLER = " and so on"
"""What stands behind the end of a reply when a request says `ignore_eos`; behind a harmony call, which only its stop
token would end, it spoils the arguments."""

UNWRITABLE = "What I should write here has no spelling in my format."


@dataclass(frozen=True, slots=True)
class Speech:
    """What the model generates: all token ids, the bytes of those that are shown to the parser, and of all of them.

    `thought`: how many of the tokens are reasoning, its closing tag included; `stop`: the id of the stop token, which
    is the last of `ids` and not shown, or None if the reply was cut.
    """

    ids: tuple[int, ...]
    shown: tuple[bytes, ...]
    thought: int
    stop: int | None
    pieces: tuple[bytes, ...]


class Voice:
    """A profile's family and vocabulary."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._family = FAMILIES[profile.family]
        self._vocabulary = vocabulary(self._family.special)

    def heed(self, received: Received) -> Received:
        """A request as the model takes it: one that always thinks has no switch, and never keeps old reasoning; one
        of no family of ours, whose part is only played, never thinks."""
        if self._profile.client_family is None:
            return replace(received, thinking=False, keep_reasoning=False)
        if self._family.name not in ALWAYS_THINKING:
            return received
        return replace(received, thinking=True, keep_reasoning=False)

    def speak(self, message: Message, received: Received, room: int) -> Speech:
        """A message as the model would write it, in at most `room` tokens."""
        if self._profile.one_call:
            message = replace(message, tool_calls=message.tool_calls[:1])
        raw = self._raw(message, received)
        ids = self._vocabulary.encode(raw)
        shown = self._vocabulary.pieces(raw)
        thought = self._thought(shown, received)
        if received.ignore_eos and received.max_tokens:
            more = FILLER * (room // self._vocabulary.count(FILLER) + 1)
            ids, shown = ids + self._vocabulary.encode(more), shown + self._vocabulary.pieces(more)
        if len(ids) >= room:
            return Speech(tuple(ids[:room]), tuple(shown[:room]), min(thought, room), None, tuple(shown[:room]))
        word = self._profile.stop_tools if message.tool_calls else self._profile.stop_done
        (stop,) = self._vocabulary.encode(word)
        return Speech((*ids, stop), tuple(shown), thought, stop, (*shown, word.encode()))

    def _raw(self, message: Message, received: Received) -> str:
        try:
            return self._family.render(message, received.tools, received.thinking)
        except UnrenderableError:
            plain = Message("assistant", UNWRITABLE, message.reasoning)
            return self._family.render(plain, received.tools, received.thinking)

    def _thought(self, shown: Sequence[bytes], received: Received) -> int:
        closer = self._profile.reasoning_end.encode()
        if not received.thinking:
            return 0
        return shown.index(closer) + 1 if closer in shown else len(shown)
