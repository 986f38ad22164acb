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

from collections.abc import Iterator, Sequence
from typing import Literal

from agenteval.messages import Message, ToolCall, ToolSpec, last_answer_index
from agenteval.parsers.harmony import NEXT, spoken, unmarked
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
    instructions = (leading.content or "") if leading else None
    developer = _developer(instructions, tools) if instructions or tools else ""
    rest = messages[1:] if leading else messages
    turns = "".join(_turns(rest, -1 if keep_reasoning else last_answer_index(rest)))
    return f"{_message('system', system)}{developer}{turns}{NEXT}"


def _developer(instructions: str | None, tools: Sequence[ToolSpec]) -> str:
    parts = [] if instructions is None else [f"# Instructions\n\n{instructions}"]
    if tools:
        parts.append(f"# Tools\n\n## functions\n\n{namespace('functions', tools)}")
    return _message("developer", "\n\n".join(parts))


def _turns(messages: Sequence[Message], last_answer: int) -> Iterator[str]:
    names: dict[str | None, str] = {}
    for at, message in enumerate(messages):
        names |= {call.id: call.name for call in message.tool_calls}
        if message.role == "assistant":
            yield _assistant(message, reasons=at > last_answer)
        elif message.role == "tool":
            author = f"{FUNCTIONS}{names.get(message.tool_call_id, '')} to=assistant<|channel|>commentary"
            yield _message(author, message.content or "")
        elif message.role == "system":
            yield _developer(message.content or "", ())
        else:
            yield _message(message.role, message.content or "")


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
