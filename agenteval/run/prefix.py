"""Whether each prompt of a conversation goes on from the one before, as a prefix cache wants it, and if not, why."""

from __future__ import annotations

from dataclasses import dataclass

from agenteval.growing import common_prefix
from agenteval.messages import Message, ToolSpec, Transcript
from agenteval.outcome import PrefixBreak
from agenteval.prompts import Reuse


@dataclass(frozen=True, slots=True)
class Reused:
    """Tokens at the start of a prompt that stood in the request before, and who changed what else did."""

    tokens: int | None = None
    broken_by: PrefixBreak | None = None


UNKNOWN = Reused()


class Prefixes:
    """Follows one conversation. `reuse`: None where the family's template is not known; then nothing is known."""

    def __init__(self, reuse: Reuse | None) -> None:
        self._reuse = reuse
        self._view: Transcript = ()
        self._transcript: Transcript = ()
        self._said: Transcript = ()

    def asked(self, transcript: Transcript, view: Transcript, sent: Transcript, tools: tuple[ToolSpec, ...]) -> Reused:
        """The next request: the whole history, what a policy lets through of it, and what goes out of that."""
        if self._reuse is None:
            return UNKNOWN
        tokens, at = self._reuse.of(sent, tools)
        broken_by = None if at is None else self._breaker(at, transcript, view)
        self._view, self._transcript, self._said = view, transcript, ()
        return Reused(tokens, broken_by)

    def heard(self, said: Message) -> None:
        """The reply to the last request."""
        if self._reuse is not None:
            self._reuse.heard(said)
            self._said = (said,)

    def _breaker(self, at: int, transcript: Transcript, view: Transcript) -> PrefixBreak:
        """Who changed message `at` of what was sent: nobody but the template, if the views still agree there; golden
        history, if the first message in which the views part is one that the histories no longer share."""
        seen, known = self._view + self._said, self._transcript + self._said
        parted = common_prefix(seen, view)
        if at < parted:
            return "template"
        told = common_prefix(known, transcript)
        if parted < len(seen) and any(seen[parted] is other for other in known[told:]):
            return "history"
        follows = 0 < told < len(known) and parted > 0 and seen[parted - 1] is transcript[told - 1]
        return "history" if follows else "policy"
