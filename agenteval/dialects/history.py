"""What of a history goes back to the server: as the model wrote it, or repaired where a server would refuse the whole
request, and then the repair is told.

Arguments go back verbatim when they are a JSON object; otherwise `{}` stands in their place (SGLang answers 400 and
llama.cpp 500 to a history with anything else). Reasoning: none under `off`, that of the newest user turn under `on`
(the templates drop the rest), all of it under `preserved`; of a family that always thinks that behind the last answer
in words, as gpt-oss's template and vLLM keep it: that of a tool loop which ended without an answer stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from agenteval.canonical import JsonProblem, parse_json
from agenteval.dialects.dialect import ALWAYS_THINKING
from agenteval.growing import Grown
from agenteval.messages import Message, ToolCall, Transcript, last_answer_index, last_user_index
from agenteval.outcome import Repair
from agenteval.thinking import Thinking


@dataclass(frozen=True, slots=True)
class SentHistory:
    """The messages as a server gets them, and what had to be changed in them for that."""

    messages: Transcript
    repairs: tuple[Repair, ...]


class Sending:
    """What is sent of the histories of one conversation, each of which mostly goes on where the one before ended."""

    def __init__(self) -> None:
        self._sent: Grown[Message, Message] = Grown()
        self._repairs: dict[int, tuple[Repair, ...]] = {}
        self._reasoning_from = 0

    def history(self, messages: Transcript, thinking: Thinking, family: str | None) -> SentHistory:
        """What is sent of these messages to a model of a family (None: unknown)."""
        before, begin = self._reasoning_from, _reasoning_from(messages, thinking, family)
        self._reasoning_from = begin

        def sent(index: int) -> Message:
            repairs: list[Repair] = []
            message = _sent(messages[index], keep_reasoning=index >= begin, repairs=repairs)
            self._repairs.pop(index, None)
            if repairs:
                self._repairs[index] = tuple(repairs)
            return message

        unchanged = None if before == begin else min(before, begin)
        told = tuple(self._sent.grow(messages, sent, unchanged))
        return SentHistory(told, tuple(self._all_repairs(len(told))))

    def _all_repairs(self, number: int) -> Iterator[Repair]:
        for index in sorted(self._repairs):
            yield from self._repairs[index] if index < number else ()


def sent_history(messages: Transcript, thinking: Thinking, family: str | None) -> SentHistory:
    """What is sent of one history."""
    return Sending().history(messages, thinking, family)


def _reasoning_from(messages: Transcript, thinking: Thinking, family: str | None) -> int:
    """Index of the first message whose reasoning is sent back."""
    if thinking == "off":
        return len(messages)
    if family in ALWAYS_THINKING:
        return last_answer_index(messages) + 1
    return 0 if thinking == "preserved" else max(0, last_user_index(messages))


def _sent(message: Message, *, keep_reasoning: bool, repairs: list[Repair]) -> Message:
    if message.role != "assistant":
        return message
    return replace(
        message,
        reasoning=message.reasoning if keep_reasoning else None,
        tool_calls=tuple(_sent_call(call, repairs) for call in message.tool_calls),
    )


def _sent_call(call: ToolCall, repairs: list[Repair]) -> ToolCall:
    try:
        value = parse_json(call.arguments_text)
    except JsonProblem as error:
        problem = f"arguments are not JSON: {error}"
    else:
        if isinstance(value, dict):
            return call
        problem = "arguments are JSON but no object"
    repairs.append(Repair(call.id, problem, "{}"))
    return replace(call, arguments_text="{}")
