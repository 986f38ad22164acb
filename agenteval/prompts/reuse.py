"""How much of a prompt stood at its beginning in the request before, so that a server with a prefix cache need not
compute it again: by our own rendering and vocabulary, which a server's own counts differ from a little.
"""

from __future__ import annotations

from collections.abc import Sequence

from agenteval.growing import common_prefix
from agenteval.messages import Message, ToolSpec
from agenteval.prompts.format import Parts, PromptFormat
from agenteval.tokens import Vocabulary


class Reuse:
    """Watches the prompts of one conversation. A server holds of the request before its prompt and its reply."""

    def __init__(self, form: PromptFormat, vocabulary: Vocabulary, *, keep_reasoning: bool) -> None:
        self._form = form
        self._vocabulary = vocabulary
        self._keep_reasoning = keep_reasoning
        self._parts: Parts[tuple[str, int]] = Parts(form, self._ending)
        self._opening = ""
        self._reply: list[tuple[str, int]] = []

    def _ending(self, part: str) -> tuple[str, int]:
        """A part, and the tokens of all parts up to its end."""
        before = self._parts.made[-1][1] if self._parts.made else 0
        return part, before + self._vocabulary.count(part)

    def of(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> tuple[int, int | None]:
        """Tokens that the prompt of these messages (as they are sent) shares with what is held, from the start; and
        where it leaves that: the index of a message, or None if all that is held stands in it."""
        opening = self._form.opening(messages, tools)
        parts = self._parts.of(messages, keep_reasoning=self._keep_reasoning)
        kept, held, before = self._parts.kept, [*self._parts.dropped, *self._reply], self._opening
        self._opening, self._reply = opening, []
        if opening != before:
            return self._shared(opening, before), 0 if before else None
        fresh = common_prefix(held, parts[kept:])
        alike = kept + fresh
        tokens = self._vocabulary.count(opening) + (parts[alike - 1][1] if alike else 0)
        if fresh == len(held):
            return tokens, None
        differing = parts[alike][0] if alike < len(parts) else ""
        return tokens + self._shared(differing, held[fresh][0]), alike

    def heard(self, reply: Message) -> None:
        """The reply to the last prompt."""
        self._reply = [self._ending(self._form.part((reply,), 0, reasons=True))]

    def _shared(self, one: str, other: str) -> int:
        return common_prefix(self._vocabulary.encode(one), self._vocabulary.encode(other))
