"""The whole prompt of gpt-oss as the harmony renderer writes it.

The system message is the format's own; the conversation's system prompt and the tools stand in a developer message.
Analysis is dropped up to the last final answer and kept behind it, which is while a tool loop is open (vLLM's rule;
openai-harmony 0.0.8 keeps all of it while the last message is a call). The recipient of a call stands in the
channel's part, where the model writes it (openai-harmony 0.0.8: in the author's). A tool's result is named after the
call whose id it answers.

Differs from every server: the date is always `DATE`, so that the same messages give the same prompt; and one that
renders a chat template (llama.cpp) writes results as JSON strings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from agenteval.messages import Message, ToolSpec
from agenteval.parsers.harmony import NEXT, call_text, spoken, unmarked
from agenteval.parsers.harmony_header import FUNCTIONS
from agenteval.prompts.typescript import namespace

DATE = "2026-01-01"

Effort = Literal["low", "medium", "high"]

_SYSTEM = """You are ChatGPT, a large language model trained by OpenAI.
Knowledge cutoff: 2024-06
Current date: {date}

Reasoning: {effort}

# Valid channels: analysis, commentary, final. Channel must be included for every message."""
_CALLS = "\nCalls to these tools must go to the commentary channel: 'functions'."


def render_prompt(
    messages: Sequence[Message],
    tools: Sequence[ToolSpec],
    *,
    thinking: bool,
    keep_reasoning: bool,
    effort: Effort = "medium",
) -> str:
    """The prompt, ready for generation. There is no prompt without thinking; `keep_reasoning`: all analysis, which no
    server does."""
    system = _SYSTEM.format(date=DATE, effort=effort) + (_CALLS if tools else "")
    leading = messages[0] if messages and messages[0].role == "system" else None
    developer = _developer(leading.content or "" if leading else "", tools)
    rest = messages[1:] if leading else messages
    turns = "".join(_turns(rest, -1 if keep_reasoning else _last_final(rest)))
    return f"{_message('system', system)}{developer}{turns}{NEXT}"


def _last_final(messages: Sequence[Message]) -> int:
    """Index of the last answer that is no call, -1 if there is none."""
    finals = (at for at, message in enumerate(messages) if message.role == "assistant" and not message.tool_calls)
    return max(finals, default=-1)


def _developer(instructions: str, tools: Sequence[ToolSpec]) -> str:
    parts = [f"# Instructions\n\n{instructions}"] if instructions else []
    if tools:
        parts.append(f"# Tools\n\n## functions\n\n{namespace('functions', tools)}")
    return _message("developer", "\n\n".join(parts)) if parts else ""


def _turns(messages: Sequence[Message], last_final: int) -> Iterator[str]:
    names: dict[str | None, str] = {}
    for at, message in enumerate(messages):
        names |= {call.id: call.name for call in message.tool_calls}
        if message.role == "assistant":
            yield _assistant(message, reasons=at > last_final)
        elif message.role == "tool":
            author = f"{FUNCTIONS}{names.get(message.tool_call_id, '')} to=assistant<|channel|>commentary"
            yield _message(author, message.content or "")
        elif message.role == "system":
            yield _developer(message.content or "", ())
        else:
            yield _message(message.role, message.content or "")


def _assistant(message: Message, *, reasons: bool) -> str:
    said = []
    if message.reasoning and reasons:
        said.append(spoken("analysis", message.reasoning) + "<|end|>")
    if message.content or not message.tool_calls:
        channel = "commentary" if message.tool_calls else "final"
        said.append(spoken(channel, message.content or "") + "<|end|>")
    said += [call_text(call.name, unmarked(call.arguments_text)) + "<|call|>" for call in message.tool_calls]
    return "".join(f"{NEXT}{part}" for part in said)


def _message(header: str, text: str) -> str:
    return f"<|start|>{header}<|message|>{text}<|end|>"
