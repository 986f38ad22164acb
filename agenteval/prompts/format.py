"""A family's prompt in parts, one for each message, so that a history that grows need not be rendered anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

from agenteval.growing import Grown
from agenteval.messages import Message, ToolSpec

Measured = TypeVar("Measured")


class PromptFormat(Protocol):
    """The prompt is the opening, the part of each message, and the closing. Each of these begins with a special string
    or is empty, so that tokens never reach from one into the next."""

    def opening(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> str:
        """What comes first. It may hold the first message, whose part is empty then."""
        ...

    def reasons_after(self, messages: Sequence[Message], *, keep_reasoning: bool) -> int:
        """Index of the last message whose reasoning is left out, -1 if none is. `keep_reasoning`: that of earlier user
        turns is kept too (preserved thinking)."""
        ...

    def part(self, messages: Sequence[Message], at: int, *, reasons: bool) -> str:
        """One message, with its reasoning or without. What is not an assistant's may depend on those before it."""
        ...

    def closing(self, *, thinking: bool) -> str:
        """What the model goes on from."""
        ...


class Parts(Generic[Measured]):
    """What `measure` finds in each message's part of the prompts of one conversation."""

    def __init__(self, form: PromptFormat, measure: Callable[[str], Measured]) -> None:
        self._form = form
        self._measure = measure
        self._parts: Grown[Message, Measured] = Grown()
        self._reasons_after = -1

    @property
    def made(self) -> list[Measured]:
        """What was found so far."""
        return self._parts.made

    @property
    def kept(self) -> int:
        """How many of those before still held the last time."""
        return self._parts.kept

    @property
    def dropped(self) -> list[Measured]:
        """What was found before in the others."""
        return self._parts.dropped

    def of(self, messages: Sequence[Message], *, keep_reasoning: bool) -> list[Measured]:
        """One for each message, in their order."""
        before = self._reasons_after
        after = self._reasons_after = self._form.reasons_after(messages, keep_reasoning=keep_reasoning)

        def measured(at: int) -> Measured:
            return self._measure(self._form.part(messages, at, reasons=at > after))

        return self._parts.grow(messages, measured, None if after == before else min(after, before) + 1)


def render(
    form: PromptFormat, messages: Sequence[Message], tools: Sequence[ToolSpec], *, thinking: bool, keep_reasoning: bool
) -> str:
    """The whole prompt, ready for generation."""
    parts = Parts(form, str).of(messages, keep_reasoning=keep_reasoning)
    return "".join([form.opening(messages, tools), *parts, form.closing(thinking=thinking)])
