"""AutoGen's model contexts: the last messages, the first and the last, and those that fit into a number of tokens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from autogen_core import FunctionCall
from autogen_core.model_context import (
    BufferedChatCompletionContext,
    HeadAndTailChatCompletionContext,
    TokenLimitedChatCompletionContext,
)
from autogen_core.models import (
    AssistantMessage,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    UserMessage,
)

Messages = list[dict[str, Any]]
TOKENS = 300


class Counting:
    """As much of a model client as the token-limited context asks: four characters a token."""

    def count_tokens(self, messages: Sequence[Any], *, tools: Sequence[Any] = ()) -> int:
        return sum(len(str(message.content)) // 4 for message in messages)

    def remaining_tokens(self, messages: Sequence[Any], *, tools: Sequence[Any] = ()) -> int:
        return TOKENS - self.count_tokens(messages)


def buffered(messages: Messages) -> Messages:
    return _kept(messages, lambda given: BufferedChatCompletionContext(8, initial_messages=given))


def head_and_tail(messages: Messages) -> Messages:
    return _kept(messages, lambda given: HeadAndTailChatCompletionContext(1, 6, initial_messages=given))


def token_limited(messages: Messages) -> Messages:
    return _kept(
        messages,
        lambda given: TokenLimitedChatCompletionContext(Counting(), token_limit=TOKENS, initial_messages=given),
    )


def _kept(messages: Messages, context: Callable[[list[Any]], Any]) -> Messages:
    """The system prompt is kept apart and put first again, as AutoGen's own agents do."""
    system = messages[:1] if messages[0]["role"] == "system" else []
    kept = asyncio.run(context(_theirs(messages[len(system) :])).get_messages())
    return [*system, *_ours(kept, messages)]


def _theirs(messages: Messages) -> list[Any]:
    found: list[Any] = []
    for message in messages:
        content = message["content"]
        match message["role"]:
            case "user":
                found.append(UserMessage(content=content, source="user"))
            case "assistant":
                calls = [_call(call) for call in message.get("tool_calls", ())]
                thought = message.get("reasoning_content")
                found.append(AssistantMessage(content=calls or content, thought=thought, source="assistant"))
            case _:
                result = FunctionExecutionResult(
                    content=content, name="tool", call_id=message["tool_call_id"], is_error=False
                )
                if found and isinstance(found[-1], FunctionExecutionResultMessage):
                    found[-1].content.append(result)  # the results of one message with calls are one message there
                else:
                    found.append(FunctionExecutionResultMessage(content=[result]))
    return found


def _call(call: dict[str, Any]) -> FunctionCall:
    return FunctionCall(id=call["id"], name=call["function"]["name"], arguments=call["function"]["arguments"])


def _ours(kept: Sequence[Any], messages: Messages) -> Messages:
    """Messages with calls come back as they were given: their words beside calls have no place in AutoGen's."""
    calling = {message["tool_calls"][0]["id"]: message for message in messages if message.get("tool_calls")}
    found: Messages = []
    for message in kept:
        match message:
            case UserMessage():
                found.append({"role": "user", "content": message.content})
            case AssistantMessage(content=str()):
                thought = {} if message.thought is None else {"reasoning_content": message.thought}
                found.append({"role": "assistant", "content": message.content, **thought})
            case AssistantMessage():
                found.append(calling[message.content[0].id])
            case _:
                found += [{"role": "tool", "content": it.content, "tool_call_id": it.call_id} for it in message.content]
    return found
