"""The whole prompt of gpt-oss as vLLM 0.32.0 makes it of chat messages: harmony messages, which the harmony renderer
writes.

The system message is the format's own; the conversation's system prompt and the tools stand in a developer message.
Analysis is dropped up to the last final answer and kept behind it, which is while a tool loop is open (openai-harmony
0.0.8 by itself keeps all of it while the last message is a call). A call names its recipient in the author's part and
its type without a marker, as the chat template does too; the model itself writes it otherwise, so what it wrote and
what the next prompt shows of it part at a call's header. Words beside calls stand before the analysis. An assistant
message that says nothing is none. A tool's result is named after the call whose id it answers.

Differs from every server: the date is always `DATE`, so that the same messages give the same prompt, and special
strings in what was said are tokens, except in arguments, where they are spelled otherwise. vLLM's present renderer
writes the channel of a result before `to=assistant`: the same tokens in another order. Servers that render gpt-oss's
own chat template (SGLang, llama.cpp) show only the first of parallel calls, words beside calls as analysis, results
and arguments as JSON written anew, an empty answer as an empty message, and instructions with a blank line behind
them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from agenteval.messages import Message, ToolCall, ToolSpec, last_answer_index
from agenteval.parsers.harmony import NEXT, spoken, unmarked
from agenteval.parsers.harmony_header import FUNCTIONS
from agenteval.prompts.format import PromptFormat
from agenteval.prompts.typescript import namespace

DATE = "2026-01-01"

Effort = Literal["low", "medium", "high"]

_SYSTEM = """You are ChatGPT, a large language model trained by OpenAI.
Knowledge cutoff: 2024-06
Current date: {date}

Reasoning: {effort}

# Valid channels: analysis, commentary, final. Channel must be included for every message."""
_CALLS = "\nCalls to these tools must go to the commentary channel: 'functions'."


@dataclass(frozen=True, slots=True)
class HarmonyFormat(PromptFormat):
    """There is no prompt without thinking; `keep_reasoning`: all analysis, which no server does."""

    effort: Effort = "medium"

    def opening(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> str:
        system = _SYSTEM.format(date=DATE, effort=self.effort) + (_CALLS if tools else "")
        instructions = (messages[0].content or "") if _begins(messages, 0) else None
        developer = _developer(instructions, tools) if instructions or tools else ""
        return _message("system", system) + developer

    def reasons_after(self, messages: Sequence[Message], *, keep_reasoning: bool) -> int:
        return -1 if keep_reasoning else last_answer_index(messages)

    def part(self, messages: Sequence[Message], at: int, *, reasons: bool) -> str:
        message = messages[at]
        if _begins(messages, at):
            return ""
        if message.role == "assistant":
            return _assistant(message, reasons=reasons)
        if message.role == "tool":
            author = f"{FUNCTIONS}{_called(messages, at)} to=assistant<|channel|>commentary"
            return _message(author, message.content or "")
        if message.role == "system":
            return _developer(message.content or "", ())
        return _message(message.role, message.content or "")

    def closing(self, *, thinking: bool) -> str:
        return NEXT


def _begins(messages: Sequence[Message], at: int) -> bool:
    """Whether a message is the system prompt that a conversation begins with."""
    return at == 0 and bool(messages) and messages[0].role == "system"


def _called(messages: Sequence[Message], at: int) -> str:
    """The name in the call that a result answers: the last one before it with that id; empty if there is none."""
    wanted = messages[at].tool_call_id
    before = (call for number in range(at - 1, -1, -1) for call in reversed(messages[number].tool_calls))
    return next((call.name for call in before if call.id == wanted), "")


def _developer(instructions: str | None, tools: Sequence[ToolSpec]) -> str:
    parts = [] if instructions is None else [f"# Instructions\n\n{instructions}"]
    if tools:
        parts.append(f"# Tools\n\n## functions\n\n{namespace('functions', tools)}")
    return _message("developer", "\n\n".join(parts))


def _assistant(message: Message, *, reasons: bool) -> str:
    analysis = _said("analysis", message.reasoning if reasons else None)
    if not message.tool_calls:
        return analysis + _said("final", message.content)
    return "".join([_said("commentary", message.content), analysis, *map(_call, message.tool_calls)])


def _said(channel: str, text: str | None) -> str:
    return f"{NEXT}{spoken(channel, text)}<|end|>" if text else ""


def _call(call: ToolCall) -> str:
    header = f" to={FUNCTIONS}{call.name}<|channel|>commentary json"
    return f"{NEXT}{header}<|message|>{unmarked(call.arguments_text)}<|call|>"


def _message(header: str, text: str) -> str:
    return f"<|start|>{header}<|message|>{text}<|end|>"
